"""The hours of series, and what was made of the weeks before each of them, kept while those weeks are as they were."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Generic, TypeVar

import numpy as np

from service.domain.detectors.arrays import Flags, Floats
from service.domain.detectors.hourly.detector import HOURS
from service.domain.detectors.panel import first_spend

Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class SeriesHours:
    """The hours of a series as they say what is usual: dollars, never written to, NaN where they say nothing.

    `name`: what it is known by from one look to the next. `first`: the number of the first hour, counted from any fixed
    instant. `growth`: by how much a week costs more than the one before, a factor. `foreseen`: how many of the
    hours are still to come.
    """

    name: Hashable
    hours: Floats
    first: int
    growth: float = 1.0
    foreseen: int = 0

    @property
    def to_come(self) -> range:
        """The places of the hours that are foreseen."""
        return range(self.hours.size - self.foreseen, self.hours.size)

    @property
    def over(self) -> Floats:
        """The dollars of the hours that are over."""
        return self.hours[: self.hours.size - self.foreseen]

    @cached_property
    def begun(self) -> int:
        """The place of the first hour with spend."""
        return int(first_spend(self.hours[None])[0])


@dataclass(frozen=True, slots=True, eq=False)
class Kept(Generic[Made]):
    """Keeps what was made of these hours, by the number of the hour."""

    of: SeriesHours
    made: dict[int, Made] = field(default_factory=dict)

    def missing(self, place: int) -> bool:
        """Whether nothing was made yet of the weeks before a place."""
        return self.of.first + place not in self.made

    def at(self, place: int) -> Made:
        return self.made[self.of.first + place]

    def keep(self, place: int, made: Made) -> None:
        self.made[self.of.first + place] = made


class SeriesMemory(Generic[Made]):
    """A memory of arithmetic, not of facts: what is kept serves while all that it was made of is as it was.

    That is the 672 hours before its own, where spend began among them, and the growth. Of so many series, `most`.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[Hashable, Kept[Made]] = {}

    def __len__(self) -> int:
        return sum(len(kept.made) for kept in self._kept.values())

    def of(self, one: SeriesHours) -> Kept[Made]:
        """Returns what still serves of a series. The series asked for longest ago is forgotten first."""
        kept = self._kept.pop(one.name, None)
        if kept is None or kept.of is not one:
            kept = Kept(one, {} if kept is None else _still_good(kept, one))
        self._kept[one.name] = kept
        if len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]
        return kept

    def forget(self) -> None:
        self._kept.clear()


def _still_good(kept: Kept[Made], now: SeriesHours) -> dict[int, Made]:
    serves = serving(kept.of, now)
    return {hour: made for hour, made in kept.made.items() if serves(hour)}


@lru_cache(maxsize=64)
def serving(before: SeriesHours, now: SeriesHours) -> Callable[[int], bool]:
    """Tells of which hours, by their number, the 672 hours before are held, and are what they were.

    Of hours that were foreseen, and no longer are, nobody can know. It is asked for bands, and at each threshold.
    """
    if before.growth != now.growth or not before.first <= now.first < before.first + before.hours.size:
        return lambda hour: False
    changed = differing(before.hours, before.first, now.hours, now.first)
    begun = {one.first + one.begun for one in (before, now)}
    least = max(now.first, *begun) if len(begun) > 1 else now.first
    end = now.first + now.hours.size

    def serves(hour: int) -> bool:
        since = hour - HOURS
        if not (least <= since and hour <= end):
            return False
        return not changed or bisect_left(changed, since) == bisect_left(changed, hour)

    return serves


def differing(before: Floats, first: int, now: Floats, first_now: int) -> list[int]:
    """The numbers of the hours of which two series, the first hours of which are given, say otherwise."""
    start, end = max(first, first_now), min(first + before.size, first_now + now.size)
    one, other = before[start - first : max(start, end) - first], now[start - first_now : max(start, end) - first_now]
    differs: Flags = np.asarray((one != other) & ~(np.isnan(one) & np.isnan(other)))
    return (start + np.flatnonzero(differs)).tolist()
