"""Baselines of days: the mean of the last four same weekdays, and how far a day usually lies from such a mean.

Both can be checked by hand. Past incidents do not spoil them, because the days they read are capped (see `carry`).
Column 0 of a window is today's weekday.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from service.domain.detectors.arrays import Floats, Whole, known_or_zero, true_in, week_sum
from service.domain.detectors.daily.counted import counted
from service.domain.detectors.daily.growth import brought_up, weekly_growth
from service.domain.detectors.daily.history import MONTH, WINDOW, History, joined, lifted
from service.domain.detectors.noise import Noise

LEAST_DEVIATION = 0.05
"""Added to the usual deviation: four equal Mondays do not make the fifth one certain."""
CENT = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """All that is known about a day before it comes; dollars, each [series].

    weekday: mean of the last four same weekdays, middle: their median, weight: the mean as a share of the overall one.
    deviation: how far days lie from their weekday's mean, as a share of
    that mean plus the overall one. spread: the same in dollars on this weekday. month: mean of 28 days as billed, with
    `month_spread`; largest: their maximum. mean and limit: of a short history (see `short_history`).
    factors: what days before an accepted shift were multiplied by. growth: what the weekdays were, once a week.
    """

    history: History
    weekday: Floats
    middle: Floats
    weight: Floats
    deviation: Floats
    spread: Floats
    month: Floats
    month_spread: Floats
    largest: Floats
    mean: Floats
    limit: Floats
    spend_days: Whole
    factors: Floats
    growth: Floats


def baseline(history: History) -> Baseline:
    """Makes tomorrow's baseline. Weekdays and month mean nothing in a series younger than 28 days."""
    counts = counted(history)
    days, factors = lifted(history, counts)
    raw = history.raw[:, -MONTH:]
    growth = weekly_growth(days, history.ages, history.noise)
    weekday, middle, weight, deviation, spread = _weekday(brought_up(days[:, -MONTH:], growth))
    mean, limit, spend_days = short_history(history, counts)
    month = week_sum(raw) / MONTH
    return Baseline(
        history=history,
        weekday=weekday,
        middle=middle,
        weight=weight,
        deviation=deviation,
        spread=spread,
        month=month,
        month_spread=_month_spread(history, raw, month),
        largest=raw.max(axis=1),
        mean=mean,
        limit=limit,
        spend_days=spend_days,
        factors=factors,
        growth=growth,
    )


def _month_spread(history: History, raw: Floats, month: Floats) -> Floats:
    """The deviation of a month, known of intermittent series alone: no other is judged by it."""
    spread = np.full(history.size, np.nan)
    rows = np.flatnonzero(history.noise == Noise.INTERMITTENT.value)
    if rows.size:
        mean = month[rows]
        deviation = np.sqrt(week_sum(np.square(raw[rows] - mean[:, None])) / MONTH)
        spread[rows] = np.maximum(deviation + 0.1 * mean, CENT)
    return spread


def joined_bases(older: Baseline, newer: Baseline) -> Baseline:
    """Two baselines of the same day, one under the other."""
    names = [name for name in Baseline.__slots__ if name != "history"]
    arrays = (np.concatenate([getattr(older, name), getattr(newer, name)]) for name in names)
    return Baseline(joined(older.history, newer.history), *arrays)


def _weekday(days: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    weeks = days.reshape(days.shape[0], MONTH // 7, 7)
    means = weeks.mean(axis=1)
    overall = means.mean(axis=1, keepdims=True)
    size = np.maximum(means + overall, CENT)
    shares = (weeks - means[:, None, :]) / size[:, None, :]
    # Four values around their own mean have three degrees of freedom.
    mean_square = np.square(shares).sum(axis=1).sum(axis=1) / MONTH
    deviation = np.sqrt(mean_square * (4 / 3)) + LEAST_DEVIATION
    four = weeks[:, :, 0]
    middle = (four.sum(axis=1) - four.max(axis=1) - four.min(axis=1)) / 2
    weight = means[:, 0] / np.maximum(overall[:, 0], CENT)
    return means[:, 0], np.maximum(middle, 0), weight, deviation, deviation * size[:, 0]


COLD_STEPS = ((3, 4.0, 2.0), (7, 3.0, 1.5), (14, 2.5, 1.5))
"""A history this many days old: an amount has to be so many times its mean, and so many times its largest day."""
_COLD_STEPS = np.array(COLD_STEPS)


def short_history(history: History, counts: Floats) -> tuple[Floats, Floats, Whole]:
    """Mean of the counted days, the dollars that alert, and the number of days with spend: each [series].

    Of series of 56 days and more they mean nothing.
    """
    mean, limit = np.full(history.size, np.nan), np.full(history.size, np.nan)
    spend_days = np.zeros(history.size, dtype=np.int64)
    rows = np.flatnonzero(history.ages < WINDOW)
    if not rows.size:
        return mean, limit, spend_days
    young = slice(None) if rows.size == history.size else rows
    ages, days = history.ages[young], known_or_zero(counts[young])
    mean[young] = week_sum(days) / np.maximum(ages, 1)
    place = np.searchsorted(_COLD_STEPS[:, 0], ages, side="right") - 1
    times = _COLD_STEPS[np.maximum(place, 0)]
    limit[young] = np.maximum(np.maximum(times[:, 1] * mean[young], times[:, 2] * days.max(axis=1)), CENT)
    spend_days[young] = true_in(history.raw[young] > 0)
    return mean, limit, spend_days
