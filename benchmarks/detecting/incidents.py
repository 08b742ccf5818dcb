"""Incidents put into real series at random days, with a fixed seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from detecting.series import Series
from service.domain.detectors.arrays import Floats

BEFORE = 112
"""Days of history a method may see."""
HORIZON = 30
LEAST_MEAN = 20.0
"""Dollars a day before an incident: ten times nothing is nothing, and no method can find it."""


@dataclass(frozen=True, eq=False)
class Kind:
    """`spoil` changes a window in place from its day 112 on; it has to be found within days `seen` (from, to)."""

    name: str
    spoil: Callable[[Floats, float], None]
    seen: tuple[int, int]
    weekend: bool = False


@dataclass(frozen=True, eq=False)
class Trial:
    """A window of 112 days and what follows, as it was and with the incident."""

    series: int
    kind: Kind
    clean: Floats
    spoilt: Floats


def one_day(times: float) -> Callable[[Floats, float], None]:
    def spoil(days: Floats, mean: float) -> None:
        days[BEFORE] += (times - 1) * mean

    return spoil


def step(times: float) -> Callable[[Floats, float], None]:
    def spoil(days: Floats, mean: float) -> None:
        days[BEFORE : BEFORE + 14] += (times - 1) * mean

    return spoil


def leak(days: Floats, mean: float) -> None:
    days[BEFORE:] += (1.03 ** np.arange(1, len(days) - BEFORE + 1) - 1) * mean


def masked(days: Floats, mean: float) -> None:
    days[BEFORE] += 9 * mean
    days[BEFORE + 10] += 2 * mean


def weekend_like_a_busy_day(days: Floats, mean: float) -> None:
    busiest = days[BEFORE - 28 : BEFORE].reshape(4, 7).mean(axis=0).max()
    days[BEFORE] = max(days[BEFORE], 1.25 * busiest)


KINDS = (
    Kind("x1.5", one_day(1.5), (0, 1)),
    Kind("x2", one_day(2), (0, 1)),
    Kind("x3", one_day(3), (0, 1)),
    Kind("x10", one_day(10), (0, 1)),
    Kind("step x2", step(2), (0, 3)),
    Kind("step x3", step(3), (0, 3)),
    Kind("leak", leak, (0, HORIZON)),
    Kind("weekend", weekend_like_a_busy_day, (0, 1), weekend=True),
    Kind("masked", masked, (10, 11)),
)


def trials(series: list[Series], each: int, seed: int) -> Iterator[Trial]:
    """`each` incidents of every kind in every series long enough."""
    for place, one in enumerate(series):
        random = np.random.default_rng([seed, place])
        days = np.arange(BEFORE, len(one.values) - HORIZON)
        weekdays = (days + one.first.weekday()) % 7
        spends = np.array([one.values[day - 28 : day].mean() >= LEAST_MEAN for day in days], dtype=bool)
        for kind in KINDS:
            allowed = days[spends & (weekdays >= 5)] if kind.weekend else days[spends]
            for day in random.choice(allowed, min(each, len(allowed)), replace=False) if len(allowed) else ():
                clean = one.values[day - BEFORE : day + kind.seen[1]]
                spoilt = clean.copy()
                kind.spoil(spoilt, float(clean[BEFORE - 28 : BEFORE].mean()))
                yield Trial(place, kind, clean, spoilt)
