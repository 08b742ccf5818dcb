"""How calm a series is. It decides which rule may judge it, and how much can be promised."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from service.domain.detectors.arrays import Floats, Whole, row_quantile

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
    mean = days.mean(axis=1, keepdims=True)
    return np.asarray((days <= NEAR_ZERO * mean).mean(axis=1), dtype=np.float64)


def week_on_week_noise(days: Floats, lag: int = 7) -> Floats:
    """The median relative change against the same bucket one period before: [series, n] -> [series]."""
    now, then = days[:, lag:], days[:, :-lag]
    total = now + then
    change = np.divide(2 * np.abs(now - then), total, out=np.zeros_like(total), where=total > 0)
    return row_quantile(change, 0.5)


def noise_class(days: Floats) -> Whole:
    """The class that 56 raw days point at: [series, 56] -> [series]."""
    calm = week_on_week_noise(days) < CALM_NOISE
    active = np.where(calm, Noise.STEADY.value, Noise.VOLATILE.value)
    return np.where(idle_share(days) > IDLE_SHARE, Noise.INTERMITTENT.value, active)


def settled_class(current: Whole, leaning: Whole, streak: Whole, today: Whole) -> tuple[Whole, Whole, Whole]:
    """Class, leaning and streak after a day that pointed at `today`. A first class is taken at once."""
    streak = np.where(today == current, 0, np.where(today == leaning, streak + 1, 1))
    needed = np.where(today == Noise.STEADY.value, DAYS_TO_BECOME_STEADY, DAYS_TO_CHANGE)
    changes = (current == Noise.UNKNOWN.value) | (streak >= needed)
    chosen = np.where(changes, today, current)
    return chosen, today, np.where(changes, 0, streak)
