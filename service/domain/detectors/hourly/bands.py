"""The bands of hours, kept so that they need not be made again a minute later, or for the next step of a backtest."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import islice

import numpy as np

from service.domain.detectors.arrays import Flags, Floats
from service.domain.detectors.daily.growth import brought_up
from service.domain.detectors.hourly.detector import HOURS, HourBand, hour_band
from service.domain.detectors.panel import first_spend

MOST_SERIES = 2_000
"""Series whose bands are kept: 6 kilobytes each, and less for its bands."""
AT_ONCE = 512
"""Bands that are made together: more would not be faster, and take memory."""

_Band = tuple[int, float, float, float, float, float]


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
class _SeriesBands:
    """The bands that were made of these hours, by the number of the hour."""

    of: SeriesHours
    bands: dict[int, _Band] = field(default_factory=dict)


class HourBands:
    """A memory of arithmetic, not of facts: a band serves while all that it was made of is as it was.

    That is the 672 hours before its own, where spend began among them, and the growth.
    """

    def __init__(self) -> None:
        self._kept: dict[Hashable, _SeriesBands] = {}

    def __len__(self) -> int:
        return sum(len(kept.bands) for kept in self._kept.values())

    def of(self, asked: Sequence[tuple[SeriesHours, Sequence[int]]]) -> HourBand:
        """The bands of each series' hours at the given places, one series after the other."""
        series = [(self._standing(one), places) for one, places in asked]
        missing = [
            (kept, place) for kept, places in series for place in places if kept.of.first + place not in kept.bands
        ]
        for start in range(0, len(missing), AT_ONCE):
            _make(missing[start : start + AT_ONCE])
        self._forget()
        found = [kept.bands[kept.of.first + place] for kept, places in series for place in places]
        methods, *dollars = zip(*found, strict=True)
        return HourBand(np.array(methods, dtype=np.int64), *(np.array(each) for each in dollars))

    def _standing(self, one: SeriesHours) -> _SeriesBands:
        """The bands of a series that still serve. The series asked for last stands last."""
        kept = self._kept.pop(one.name, None)
        if kept is None or kept.of.hours is not one.hours or kept.of.growth != one.growth:
            kept = _SeriesBands(one, {} if kept is None else _still_good(kept, one))
        self._kept[one.name] = kept
        return kept

    def _forget(self) -> None:
        for name in list(islice(self._kept, max(0, len(self._kept) - MOST_SERIES))):
            del self._kept[name]


def _still_good(kept: _SeriesBands, now: SeriesHours) -> dict[int, _Band]:
    serves = serving(kept.of, now)
    return {hour: band for hour, band in kept.bands.items() if serves(hour)}


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


def _make(missing: Sequence[tuple[_SeriesBands, int]]) -> None:
    band = hour_band(np.concatenate([window_before(kept.of, place) for kept, place in missing]))
    columns = (getattr(band, name).tolist() for name in HourBand.__slots__)
    for (kept, place), made in zip(missing, zip(*columns, strict=True), strict=True):
        kept.bands[kept.of.first + place] = made


def window_before(one: SeriesHours, place: int) -> Floats:
    """The 672 hours before a place, brought up by the growth: [1, 672].

    They are unknown where nothing is held, and before the series' first spend.
    """
    window, start = np.full((1, HOURS), np.nan), max(0, place - HOURS, one.begun)
    if start < place:
        window[0, HOURS - (place - start) :] = one.hours[start:place]
    return brought_up(window, np.array([one.growth]))
