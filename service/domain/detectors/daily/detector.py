"""The daily detector: judges one UTC day of many series at once.

Every rule is a straight band around an expectation, so that the amount from which it fires is exact.
docs/detection.md says where the constants come from and what they achieve.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from service.domain.detectors.arrays import Flags, Floats, Whole, by_method, true_in
from service.domain.detectors.daily.baseline import Baseline
from service.domain.detectors.daily.history import MONTH, WINDOW, History
from service.domain.detectors.noise import Noise
from service.domain.detectors.panel import UNBELIEVABLE
from service.domain.detectors.scores import Maturity, Method, Scores, Sensitivity, Terms

LINES = {Method.STEADY: 2.6, Method.VOLATILE: 4.25, Method.INTERMITTENT: 4.0, Method.COLD_WEEKDAY: 4.0}
"""Spreads above the expectation at which the score is 1."""
GATE_SHARE = 0.25
"""The share of what was expected that an excess has to reach, however calm the series."""
LEAST_FLOOR, USUAL_FLOOR = 1.0, 25.0
SMALL_SHARE, LARGE_SHARE = 0.02, 0.005
"""The gate in dollars: a share of a small organisation's day, then a fixed amount, then a share of a large one's."""
USUAL_HOUR_FLOOR, SMALL_HOUR_SHARE = 20.0, 0.01
COLD_FLOOR, COLD_FLOORS = 50.0, 2.0
OVERRIDE_TIMES, OVERRIDE_LARGEST, OVERRIDE_FLOORS = 4.0, 1.5, 4.0
FAR_BELOW = 0.2
SUSPECT_SHARE = 0.3
MOST_RAISED = 0.5
RECURRING_SHARE = 0.5
"""The share by which a batch that comes again may be larger than it was."""
LEAST_SPEND_DAYS = 3
_BY_NOISE = np.array([Method.TOO_YOUNG, Method.STEADY, Method.VOLATILE, Method.INTERMITTENT], dtype=np.int64)
"""The method of a long history, by its class of noise."""


def terms(sensitivity: Sensitivity, raised: Floats, floors: Floats) -> Terms:
    """`raised`: by which share "this was noise" feedback lifted each series' threshold; at most a half counts."""
    return Terms(sensitivity.factor * (1 + np.clip(raised, 0, MOST_RAISED)), floors)


def default_floor(organisation_daily: float) -> float:
    """Dollars of excess under which nothing is said; `organisation_daily`: its mean daily spend over 28 days."""
    return max(LEAST_FLOOR, min(USUAL_FLOOR, SMALL_SHARE * organisation_daily), LARGE_SHARE * organisation_daily)


def default_hour_floor(organisation_daily: float) -> float:
    """The same of an hour."""
    small = min(USUAL_HOUR_FLOOR, SMALL_HOUR_SHARE * organisation_daily)
    return max(LEAST_FLOOR, small, default_floor(organisation_daily) / 24)


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """The expected amount, and the dollars from it to a score of 1: each [series], NaN where nothing judges."""

    expected: Floats
    reach: Floats


@lru_cache(maxsize=8)
def methods(base: Baseline) -> Whole:
    """Which rule judges each series. Kept of the days that are judged again and again."""
    history = base.history
    short = history.ages < WINDOW
    whole_month = (history.ages >= MONTH) & (history.noise == Noise.STEADY.value)
    chosen = _BY_NOISE[history.noise]
    chosen = np.where(short, np.where(whole_month, Method.COLD_WEEKDAY.value, Method.COLD_START.value), chosen)
    chosen = np.where(short & (base.spend_days < LEAST_SPEND_DAYS), Method.TOO_YOUNG.value, chosen)
    chosen = np.where(_mostly_gaps(history), Method.TOO_MANY_GAPS.value, chosen)
    return np.where(history.ages == 0, Method.NOT_BEGUN.value, chosen)


def _mostly_gaps(history: History) -> Flags:
    known = true_in(history.known[:, -MONTH:])
    return np.asarray(known * 2 < np.minimum(history.ages, MONTH))


def band(base: Baseline, chosen: Whole) -> Band:
    """The band of the methods that are `chosen`: those of the baseline, but for amounts that cannot be judged."""
    usual, judged = _band(base), chosen == methods(base)
    return Band(np.where(judged, usual.expected, np.nan), np.where(judged, usual.reach, np.nan))


@lru_cache(maxsize=8)
def _band(base: Baseline) -> Band:
    cold_weekday = np.minimum(base.limit - base.weekday, LINES[Method.COLD_WEEKDAY] * base.spread)
    rules = (
        (Method.STEADY, base.weekday, LINES[Method.STEADY] * base.spread),
        (Method.VOLATILE, base.weekday, LINES[Method.VOLATILE] * base.spread),
        (Method.INTERMITTENT, base.month, LINES[Method.INTERMITTENT] * base.month_spread),
        (Method.COLD_START, base.mean, base.limit - base.mean),
        (Method.COLD_WEEKDAY, base.weekday, np.maximum(cold_weekday, base.spread)),
    )
    expected = by_method(methods(base), ((method, centre) for method, centre, _ in rules), np.nan)
    return Band(expected, by_method(methods(base), ((method, reach) for method, _, reach in rules), np.nan))


def judge(
    base: Baseline,
    amounts: Floats,
    terms: Terms,
    maturity: Maturity,
    planned: Floats | None = None,
    recurring: Floats | None = None,
) -> Scores:
    """Scores the day after `base.history`, dollars, each [series].

    `planned`: extra dollars that people announced, `recurring`: those that come again by the calendar.
    """
    chosen = with_defects(methods(base), amounts)
    usual, expected_extra = expecting(band(base, chosen), planned, recurring)
    extra = np.zeros_like(amounts) if expected_extra is None else expected_extra
    unplanned = without_planned(amounts, usual.expected, extra)
    cold = np.maximum(terms.floors, np.minimum(COLD_FLOOR, COLD_FLOORS * terms.floors))
    floors = np.where(_is_cold(chosen), cold, terms.floors)
    gate = usual.expected + np.maximum(floors, GATE_SHARE * usual.expected)
    line = usual.expected + terms.thresholds * usual.reach
    override = _override(base, chosen, usual, terms)
    if recurring is not None:
        override = np.maximum(override, usual.expected + RECURRING_SHARE * recurring)
    fires_from = np.minimum(np.maximum(line, gate), override)
    return Scores(
        amounts=amounts,
        expected=usual.expected + extra,
        low=np.maximum(usual.expected - terms.thresholds * usual.reach, 0),
        high=line + extra,
        fires_from=fires_from + extra,
        scores=(unplanned - usual.expected) / usual.reach,
        methods=chosen,
        overrides=unplanned >= override,
        rises=unplanned >= fires_from,
        falls=far_below(chosen, amounts, usual) & (base.history.lows >= 1) & (maturity is Maturity.FINAL),
    )


def expecting(usual: Band, planned: Floats | None, recurring: Floats | None) -> tuple[Band, Floats | None]:
    """The band of a day of which more is expected, and how much more; an announcement may be about what recurs."""
    extra = None if planned is None else np.maximum(planned, 0)
    if recurring is None:
        return usual, extra
    reach = np.maximum(usual.reach, RECURRING_SHARE * recurring)
    return Band(usual.expected, reach), recurring if extra is None else np.maximum(extra, recurring)


def with_defects(chosen: Whole, amounts: Floats) -> Whole:
    """The methods, and in their place what is wrong with an amount that cannot be judged."""
    chosen = np.where(amounts < 0, Method.CREDIT.value, chosen)
    chosen = np.where(np.abs(amounts) > UNBELIEVABLE, Method.NOT_AN_AMOUNT.value, chosen)
    return np.where(np.isnan(amounts), Method.UNKNOWN_AMOUNT.value, chosen)


def without_planned(amounts: Floats, usual: Floats, planned: Floats) -> Floats:
    """A planned extra explains what lies above the usual amount, and never lowers a day below it."""
    above = np.where(np.isfinite(amounts) & np.isfinite(usual), amounts - usual, 0.0)
    return np.asarray(amounts - np.clip(above, 0, planned), dtype=np.float64)


def _override(base: Baseline, chosen: Whole, usual: Band, terms: Terms) -> Floats:
    """Dollars that alert whatever the score says; a short history has none."""
    size = np.maximum(OVERRIDE_TIMES * usual.expected, usual.expected + OVERRIDE_FLOORS * terms.floors)
    size = np.maximum(size, OVERRIDE_LARGEST * base.largest)
    return np.where(_is_cold(chosen), np.inf, size)


def _is_cold(chosen: Whole) -> Flags:
    return np.asarray((chosen == Method.COLD_START.value) | (chosen == Method.COLD_WEEKDAY.value))


def far_below(chosen: Whole, amounts: Floats, usual: Band) -> Flags:
    """A day of a steady series under a fifth of what was expected."""
    return np.asarray((chosen == Method.STEADY.value) & (amounts < FAR_BELOW * usual.expected))


def feed_is_suspect(scores: Scores) -> bool:
    """Whether so many series fall at once that the feed is to be blamed: one alert about it, none about them."""
    watched = int((scores.methods == Method.STEADY).sum())
    return int(scores.falls.sum()) > max(1, SUSPECT_SHARE * watched)
