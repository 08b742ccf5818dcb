"""How a history takes in one more day: anomalous days count at a cap, unknown days as expected, classes settle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from service.domain.detectors.arrays import Flags, Floats, Whole, by_method, known_or_zero
from service.domain.detectors.daily.baseline import Baseline
from service.domain.detectors.daily.counted import is_low
from service.domain.detectors.daily.detector import (
    GATE_SHARE,
    Band,
    band,
    expecting,
    far_below,
    methods,
    without_planned,
)
from service.domain.detectors.daily.history import MONTH, WINDOW, History, Tapes, without_gaps
from service.domain.detectors.daily.levels import held_for, with_held_levels
from service.domain.detectors.daily.recurrence import stands_out
from service.domain.detectors.noise import Noise, is_calm, noise_class, noise_class_of, settled_class
from service.domain.detectors.panel import UNBELIEVABLE, DayKind
from service.domain.detectors.scores import Method

CAP = 4.0
"""Spreads above its weekday's mean at which a day counts, at most. Higher accepts a lasting shift sooner."""
INTERMITTENT_CAP = 6.0


def followed_by(
    base: Baseline,
    amounts: Floats,
    planned: Floats | None = None,
    recurring: Floats | None = None,
    kind: DayKind = DayKind.ORDINARY,
) -> History:
    """`base.history` with the closed day it was made for: dollars, [series].

    `planned`: extra dollars that were announced, `recurring`: those that come again by the calendar, each [series].
    A NaN or impossible amount is a gap and counts as what was expected, and so does what a holiday costs less; an
    amount below zero counts as 0.
    """
    history, chosen = base.history, methods(base)
    usual = band(base, chosen)
    known = np.abs(amounts) <= UNBELIEVABLE
    begun = (history.ages > 0) | (known & (amounts > 0))
    above = np.where(known & begun, stands_out(base, chosen, amounts, usual), 0.0)
    usual, extra = expecting(usual, planned, recurring)
    unplanned = amounts if extra is None else without_planned(amounts, usual.expected, extra)
    low = far_below(chosen, amounts, usual)
    tapes, raw = history.tapes, _cell(amounts, known, begun, base, usual.expected)
    kept = _cell(np.fmin(unplanned, cap(base, chosen)), known, begun, base, usual.expected)
    lows = np.where(low, history.lows + 1, np.where(known, 0, history.lows))
    if kind is DayKind.HOLIDAY:
        kept, lows = np.where(begun, np.fmax(kept, usual.expected), kept), history.lows
    rose = known & begun & _rises(unplanned, usual)
    if recurring is not None:
        rose |= (recurring > 0) & (above > 0)  # what comes again says no more of what is usual than what comes once
    after = replace(
        history,
        tapes=Tapes(
            raw=tapes.raw.pushed(raw),
            kept=tapes.kept.pushed(kept),
            expected=tapes.expected.pushed(usual.expected),
            known=tapes.known.pushed(known & begun),
            calm=tapes.calm.pushed(is_calm(raw, history.raw[:, -7]) | rose | (kept > raw) | _was_unlike(history)),
            rose=tapes.rose.pushed(rose),
            low=tapes.low.pushed(known & (kind is DayKind.ORDINARY) & is_low(chosen, amounts, usual.expected)),
            above=tapes.above.pushed(above),
        ),
        ages=np.where(begun, history.ages + 1, 0),
        since_accepted=_since_accepted(history.since_accepted),
        lows=lows,
        held=held_for(base, chosen, unplanned, known & begun & (kind is DayKind.ORDINARY)),
    )
    return _reclassed(with_held_levels(after))


def _was_unlike(history: History) -> Flags:
    """Whether the day a week before rose or was off: neither says how calm the other days are."""
    return np.asarray(history.tapes.rose.cells[:, -7] | (history.kept[:, -7] > history.raw[:, -7]))


def cap(base: Baseline, chosen: Whole) -> Floats:
    """The most that a day counts for in later baselines, in dollars; infinite where it counts as it is: [series]."""
    weekday = base.weekday + CAP * base.spread
    # A weekday on which nothing was spent so far has no spread of its own to be capped by.
    weekday = np.where(base.weekday > 0, weekday, np.maximum(weekday, base.largest))
    caps = (
        (Method.STEADY, weekday),
        (Method.VOLATILE, weekday),
        (Method.INTERMITTENT, base.month + INTERMITTENT_CAP * base.month_spread),
        (Method.COLD_START, base.limit),
        (Method.COLD_WEEKDAY, base.limit),
    )
    return by_method(chosen, caps, np.inf)


def _rises(unplanned: Floats, usual: Band) -> Flags:
    """Whether a day is an incident, whatever it costs; the gate in dollars is for those who are notified."""
    excess = unplanned - usual.expected
    return np.asarray((excess >= usual.reach) & (excess >= GATE_SHARE * usual.expected))


def _cell(amounts: Floats, known: Flags, begun: Flags, base: Baseline, expected: Floats) -> Floats:
    before = known_or_zero(base.history.kept[:, -1])
    filled = np.where(np.isfinite(expected), expected, before)
    return np.where(begun, np.where(known, np.maximum(amounts, 0), filled), np.nan)


def _since_accepted(since: Whole) -> Whole:
    """Counts on until no earlier day is read any more."""
    return np.where((since > 0) & (since < MONTH), since + 1, 0)


def _reclassed(history: History) -> History:
    old = history.ages >= MONTH
    if not old.any():
        return history
    noise, leaning, streak = settled_class(history.noise, history.leaning, history.streak, _class_today(history))
    return replace(
        history,
        noise=np.where(old, noise, Noise.UNKNOWN.value),
        leaning=np.where(old, leaning, Noise.UNKNOWN.value),
        streak=np.where(old, streak, 0),
    )


def _class_today(history: History) -> Whole:
    """The class that the days point at, each as it counted then; of series younger than a month it means nothing."""
    ages = history.ages
    today = noise_class_of(history.kept, history.tapes.calm.cells[:, 7:])
    young = np.flatnonzero((ages >= MONTH) & (ages < WINDOW))
    if young.size == history.size:
        return noise_class(without_gaps(history.kept, ages))
    if young.size:
        today[young] = noise_class(without_gaps(history.kept[young], ages[young]))
    return today
