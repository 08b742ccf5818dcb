"""How calm a series is. It decides which rule may judge it, and how much can be promised."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from service.domain.detectors.arrays import Flags, Floats, Whole, row_quantile, true_in, week_sum

DAYS_TO_CHANGE = 7
DAYS_TO_BECOME_STEADY = 21
"""Days in a row that have to point at another class. Trust is gained slowly: steady series are judged most strictly."""
NEAR_ZERO = 0.05
IDLE_SHARE = 0.30
CALM_NOISE = 0.15


class Noise(IntEnum):
    """UNKNOWN: too young. STEADY: a day is like the same weekday a week before. INTERMITTENT: mostly idle days."""

    UNKNOWN = 0
    STEADY = 1
    VOLATILE = 2
    INTERMITTENT = 3


def idle_share(days: Floats) -> Floats:
    """The share of days with (almost) nothing spent: [series, n] -> [series]."""
    mean = week_sum(days) / days.shape[1]
    idle: Flags = days <= (NEAR_ZERO * mean)[:, None]
    return np.asarray(true_in(idle) / days.shape[1], dtype=np.float64)


def week_on_week_noise(days: Floats, lag: int = 7) -> Floats:
    """The median relative change against the same bucket one period before: [series, n] -> [series]."""
    return row_quantile(_change(days[:, lag:], days[:, :-lag]), 0.5)


def is_calm(now: Floats, then: Floats) -> Flags:
    """Whether amounts are much like those of one period before."""
    return _change(now, then) < CALM_NOISE


def _change(now: Floats, then: Floats) -> Floats:
    total = now + then
    change: Floats = np.divide(2 * np.abs(now - then), total, out=np.zeros_like(total), where=total > 0)
    return change


def noise_class(days: Floats) -> Whole:
    """The class that 56 raw days point at: [series, 56] -> [series]."""
    return noise_class_of(days, is_calm(days[:, 7:], days[:, :-7]))


def noise_class_of(days: Floats, calm: Flags) -> Whole:
    """The same where it is known of each day but the first seven whether it `is_calm`: [series, 49].

    The median of an odd number of changes is under a limit exactly where more than half of them are.
    """
    mostly = true_in(calm) * 2 > calm.shape[1]
    active = np.where(mostly, Noise.STEADY.value, Noise.VOLATILE.value)
    return np.where(idle_share(days) > IDLE_SHARE, Noise.INTERMITTENT.value, active)


def settled_class(current: Whole, leaning: Whole, streak: Whole, today: Whole) -> tuple[Whole, Whole, Whole]:
    """Class, leaning and streak after a day that pointed at `today`. A first class is taken at once."""
    streak = np.where(today == current, 0, np.where(today == leaning, streak + 1, 1))
    needed = np.where(today == Noise.STEADY.value, DAYS_TO_BECOME_STEADY, DAYS_TO_CHANGE)
    changes = (current == Noise.UNKNOWN.value) | (streak >= needed)
    chosen = np.where(changes, today, current)
    return chosen, today, np.where(changes, 0, streak)
