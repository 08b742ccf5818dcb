"""The hourly detector: a robust band around the hour of the week, from four weeks of closed UTC hours.

It carries nothing from hour to hour. Hours far above the others of their place in the week are left out of the band, so
that an incident says nothing of what is usual.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from service.domain.detectors.arrays import Flags, Floats, Whole, known_or_zero, median_of, row_quantile
from service.domain.detectors.daily.detector import OVERRIDE_LARGEST, OVERRIDE_TIMES, with_defects, without_planned
from service.domain.detectors.hourly.two_hours import (
    LEFT_OUT_TIMES,
    SPREADS_OF_EACH,
    half_line,
    lines_of_each,
    reach_after,
    with_a_neighbour,
)
from service.domain.detectors.noise import week_on_week_noise
from service.domain.detectors.panel import UNBELIEVABLE
from service.domain.detectors.scores import Maturity, Method, Scores, Terms

HOURS = 672
WEEK = 168
LEAST_HOURS = 336
CALM_NOISE = 0.25
LEAST_LINE, MOST_LINE = 7.0, 13.0
"""Scales above the expectation at which the score is 1: of a calm series, and of a noisy one."""
LINE_RISES = 0.15, 0.36
"""The noise from which on the line rises, evenly, and at which it is the highest."""
MOST_OF_WEEK = 9.0
"""The line at most over the week's own spread, and over what is left out as an incident."""
UNKNOWN_NOISE = 0.22
WILD_NOISE = 0.35
"""From this noise on bursts are part of what is usual, and none is left out."""
GATE_SHARE = 0.5
OVERRIDE_FLOORS = 2.5
LEAST_SCALE = 0.10
OFFSET_SHARE = 0.1
"""The share of the mean that damps ratios in the quiet hours of the night."""
LEAST_OFFSET = 0.01
LEAST_GROWTH, MOST_GROWTH = 0.5, 2.0
FOLLOW = 0.6
"""How much of today's level, against the same hours of other weeks, is believed."""


@dataclass(frozen=True, slots=True, eq=False)
class HourBand:
    """The band of an hour by the four weeks before it, whatever its amount: each [series], dollars.

    `methods`: which rule judges each series; where none does, the rest means nothing. `alone`: from the expectation to
    a score of 1. `half`: the same after an hour as far above. `before`: what the hour before cost above its usual.
    `largest`: the most expensive hour of the last week, incidents left out.
    """

    methods: Whole
    expected: Floats
    alone: Floats
    half: Floats
    before: Floats
    largest: Floats

    @property
    def reach(self) -> Floats:
        """From the expectation to a score of 1, after the hour before."""
        return reach_after(self.before, self.alone, self.half)

    def of(self, chosen: Whole) -> HourBand:
        """The bands of some of the series."""
        return HourBand(*(getattr(self, name)[chosen] for name in HourBand.__slots__))

    def explained(self, dollars: Floats, growth: Floats) -> HourBand:
        """The bands where so many dollars of the hour before were expected beyond its usual, and it was brought up by a
        week's growth, which is not what it cost: each [series].
        """
        return replace(self, before=self.before / growth - dollars)


def judge_hour(
    window: Floats, amounts: Floats, terms: Terms, maturity: Maturity, planned: Floats | None = None
) -> Scores:
    """Scores one hour by the 672 before it: `window` [series, 672], `amounts` [series], dollars.

    NaN is an unknown hour, or one before the series' first spend. Needs 14 days; a fall needs six final hours in a
    row, which is the caller's to count: `falls` here is about this hour alone.
    """
    return judge_by(hour_band(window), amounts, terms, maturity, planned)


def hour_band(window: Floats) -> HourBand:
    """The band of the hour after 672 hours: the costly part of judging it, which does not need its amount."""
    with np.errstate(divide="ignore", invalid="ignore"):
        noise = week_on_week_noise(np.clip(window, 0, None), WEEK)
        chosen = _methods(window, noise)
        hours, profile = filled_hours(np.where(incident_hours(window, noise), np.nan, window))
        return HourBand(chosen, *_band(hours, profile, np.nan_to_num(noise, nan=UNKNOWN_NOISE), window[:, -1]))


def judge_by(
    band: HourBand, amounts: Floats, terms: Terms, maturity: Maturity, planned: Floats | None = None
) -> Scores:
    """Scores an hour by its band."""
    with np.errstate(divide="ignore", invalid="ignore"):
        extra = np.zeros_like(amounts) if planned is None else np.maximum(planned, 0)
        return _judge(band, amounts, terms, maturity, extra)


def _judge(band: HourBand, amounts: Floats, terms: Terms, maturity: Maturity, planned: Floats) -> Scores:
    chosen = with_defects(band.methods, amounts)
    judged = chosen > Method.TOO_YOUNG.value
    reach = np.where(judged, band.reach, np.nan)
    expected = np.where(judged, band.expected, np.nan)
    unplanned = without_planned(amounts, expected, planned)
    line = expected + terms.thresholds * reach
    gate = expected + np.maximum(terms.floors, GATE_SHARE * expected)
    override = np.maximum(OVERRIDE_TIMES * expected, OVERRIDE_LARGEST * band.largest)
    override = np.maximum(override, expected + OVERRIDE_FLOORS * terms.floors)
    fires_from = np.minimum(np.maximum(line, gate), override)
    return Scores(
        amounts=amounts,
        expected=expected + planned,
        low=np.maximum(expected - terms.thresholds * reach, 0),
        high=line + planned,
        fires_from=fires_from + planned,
        scores=(unplanned - expected) / reach,
        methods=chosen,
        overrides=unplanned >= override,
        rises=unplanned >= fires_from,
        falls=(chosen == Method.STEADY.value) & (amounts < 0.2 * expected) & (maturity is Maturity.FINAL),
    )


def incident_hours(window: Floats, noise: Floats) -> Flags:
    """The hours that do not say what is usual, because they lie above a line of their own: [series, 672].

    They are looked for above the second smallest of the same four hours, so that two incidents do not hide each other;
    where fewer than three of the four are known, none is left out.
    """
    hours, _ = filled_hours(window)
    weeks = hours.reshape(-1, HOURS // WEEK, WEEK)
    low = np.sort(weeks, axis=1)[:, 1]
    capped = np.minimum(weeks, 2 * low[:, None, :]).reshape(hours.shape)
    offset = _offset(capped)
    surprise = _surprise(weeks, low, offset)
    tail = np.sort(surprise.reshape(hours.shape), axis=1)
    upper = np.minimum(_quantile(tail, 0.975) / 1.96, 1.5 * _quantile(tail, 0.9) / 1.282 + 0.02)
    scale = np.maximum(np.maximum(upper, _middling(tail)), LEAST_SCALE)
    above = surprise > (np.minimum(_lines(noise), MOST_OF_WEEK) * scale)[:, None, None]
    scales = lines_of_each(noise) * scale
    half = half_line(low, *(each[:, None] for each in (capped.mean(axis=1), offset, scales)))
    loud = weeks >= (low + LEFT_OUT_TIMES * half)[:, None, :]
    known = (np.abs(window) <= UNBELIEVABLE).reshape(weeks.shape)
    enough = (known.sum(axis=1, keepdims=True) > 2) & (noise < WILD_NOISE)[:, None, None]
    left_out = above | with_a_neighbour(loud.reshape(hours.shape)).reshape(weeks.shape)
    return np.asarray((left_out & enough).reshape(hours.shape))


def _surprise(weeks: Floats, usual: Floats, offset: Floats) -> Floats:
    """How far hours lie from the usual one of their place in the week, as a share of it: [series, weeks, 168]."""
    return np.asarray((weeks - usual[:, None, :]) / (usual + offset[:, None])[:, None, :], dtype=np.float64)


def _offset(hours: Floats) -> Floats:
    return np.asarray(np.maximum(OFFSET_SHARE * hours.mean(axis=1), LEAST_OFFSET), dtype=np.float64)


def _middling(surprise: Floats) -> Floats:
    return np.asarray(1.4826 * median_of(np.abs(surprise), axis=1), dtype=np.float64)


def _quantile(ordered: Floats, q: float) -> Floats:
    """The quantile of rows in ascending order, all known."""
    place = q * (ordered.shape[1] - 1)
    below = int(place)
    return np.asarray(ordered[:, below] + (ordered[:, below + 1] - ordered[:, below]) * (place - below))


def _lines(noise: Floats) -> Floats:
    """The line of each series: without a step, so that a little more noise makes a little difference."""
    known = np.nan_to_num(noise, nan=UNKNOWN_NOISE)
    return np.asarray(np.interp(known, LINE_RISES, (LEAST_LINE, MOST_LINE)), dtype=np.float64)


def _band(hours: Floats, profile: Floats, noise: Floats, newest: Floats) -> tuple[Floats, ...]:
    """The dollars of a band, in its order: each [series]. `newest`: the hour before, as it was."""
    mean, offset, usual = hours.mean(axis=1), _offset(hours), np.tile(profile, (1, HOURS // WEEK))
    today, then = median_of(hours[:, -24:], axis=1), median_of(usual[:, -24:], axis=1)
    growth = np.clip((today + offset) / (then + offset), LEAST_GROWTH, MOST_GROWTH) ** FOLLOW
    expected = profile[:, 0] * growth
    surprise = (hours - usual) / (usual + offset[:, None])
    upper = _quantile(np.sort(surprise, axis=1), 0.975) / 1.96
    scale = np.maximum(np.maximum(upper, _middling(surprise)), LEAST_SCALE)
    last = hours[:, -WEEK:]
    spread = last.std(axis=1)
    lines = _lines(noise)
    alone = np.maximum(lines * scale * (expected + offset), np.minimum(lines, MOST_OF_WEEK) * 0.25 * spread)
    half = np.maximum(half_line(expected, mean, offset, lines_of_each(noise) * scale), SPREADS_OF_EACH * spread)
    before = known_or_zero(newest - usual[:, -1] * growth)
    return expected, np.maximum(alone, 0.01), np.maximum(half, 0.01), before, last.max(axis=1)


def _methods(window: Floats, noise: Floats) -> Whole:
    known = np.isfinite(window)
    begun = known & (window > 0)
    ages = np.where(begun.any(axis=1), HOURS - begun.argmax(axis=1), 0)
    chosen = np.where(noise < CALM_NOISE, Method.STEADY.value, Method.VOLATILE.value)
    chosen = np.where(known.sum(axis=1) * 2 < ages, Method.TOO_MANY_GAPS.value, chosen)
    chosen = np.where(ages < LEAST_HOURS, Method.TOO_YOUNG.value, chosen)
    return np.where(ages == 0, Method.NOT_BEGUN.value, chosen)


def filled_hours(window: Floats) -> tuple[Floats, Floats]:
    """The hours with unknown ones at their hour-of-week median, and those medians: [series, 672] and [series, 168]."""
    hours = np.where(np.abs(window) <= UNBELIEVABLE, np.maximum(window, 0), np.nan)
    weeks = hours.reshape(-1, HOURS // WEEK, WEEK)
    gaps: Flags = np.asarray(np.isnan(hours).any(axis=1))
    profile = np.zeros((hours.shape[0], WEEK))
    profile[~gaps] = _median_of_four(weeks[~gaps])
    if gaps.any():
        by_hour = np.moveaxis(weeks[gaps], 1, 2).reshape(-1, HOURS // WEEK)
        profile[gaps] = known_or_zero(row_quantile(by_hour, 0.5)).reshape(-1, WEEK)
    return np.where(np.isnan(hours), np.tile(profile, (1, HOURS // WEEK)), hours), profile


def _median_of_four(weeks: Floats) -> Floats:
    """[series, 4, hours] -> [series, hours]: what is left of the sum without the largest and the smallest."""
    middle = weeks.sum(axis=1) - weeks.max(axis=1) - weeks.min(axis=1)
    return np.asarray(np.maximum(middle, 0) / 2, dtype=np.float64)
