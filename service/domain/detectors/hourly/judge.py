"""The last hours of many series that are over, judged each by the four weeks before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

import numpy as np

from service.domain.detectors.arrays import Floats, Whole
from service.domain.detectors.buckets import ScoredBucket, column, reading
from service.domain.detectors.hourly.detector import HOURS, WEEK, HourBand, hour_band, judge_by
from service.domain.detectors.panel import UNBELIEVABLE, first_spend
from service.domain.detectors.scores import Maturity, Scores, Terms
from service.domain.values.utc import HOUR

REMEMBERED = 64
"""Hours: as far back as an incident of hours is followed, and some."""


class HourBands:
    """The bands of the newest hours, so that they need not be made again an hour later.

    A memory of arithmetic, as `BaselineMemory` is: a band is returned for the very window that it was made of.
    """

    def __init__(self) -> None:
        self._made: dict[datetime, tuple[bytes, HourBand]] = {}
        self._last: Floats | None = None
        self._of_last: dict[datetime, HourBand] = {}

    def __contains__(self, start: datetime) -> bool:
        return start in self._made

    def of(self, start: datetime, counted: Floats, place: int) -> HourBand:
        """The band of the hour that begins then, which stands at this place in the amounts: [series, hours]."""
        if self._last is not counted:
            self._last, self._of_last = counted, {}
        if start not in self._of_last:
            self._of_last[start] = self._remembered(start, _window(counted, place))
        return self._of_last[start]

    def _remembered(self, start: datetime, window: Floats) -> HourBand:
        digest = blake2b(np.ascontiguousarray(window).data, person=str(window.shape[0]).encode()).digest()
        made = self._made.pop(start, None)
        if made is None or made[0] != digest:
            made = digest, hour_band(window)
        self._made[start] = made
        if len(self._made) > REMEMBERED:
            del self._made[min(self._made)]
        return made[1]


@dataclass(frozen=True, slots=True, eq=False)
class HourJudge:
    """`amounts`: estimated dollars, [series, hours], NaN where unknown; the first hour starts at `first`.
    `counted`: the same, NaN also where a person's answer keeps hours from saying what is usual.

    Hours before place `mature` are complete. `planned`: announced extra dollars of every series, by place.
    `together`: from this place on all series are judged at once; earlier hours are looked at one by one, but for those
    that `bands` remembers.
    """

    amounts: Floats
    counted: Floats
    first: datetime
    mature: int
    terms: Terms
    planned: Mapping[int, Sequence[float]]
    together: int
    bands: HourBands = field(default_factory=HourBands)
    _columns: dict[int, Scores] = field(default_factory=dict)
    _alone: dict[tuple[int, int], Scores] = field(default_factory=dict)

    def start(self, place: int) -> datetime:
        return self.first + place * HOUR

    def reading(self, row: int, place: int) -> ScoredBucket:
        found, at = self._found(row, place)
        return reading(found, at, self.counted[row, max(0, place - HOURS) : place])

    def rises(self, row: int, place: int) -> bool:
        found, at = self._found(row, place)
        return bool(found.rises[at])

    def rising(self, places: Iterable[int]) -> frozenset[int]:
        """The series that rise in any of these hours."""
        return frozenset(row for row in range(self.amounts.shape[0]) if any(self.rises(row, at) for at in places))

    def is_known(self, row: int, place: int) -> bool:
        return bool(abs(self.amounts[row, place]) <= UNBELIEVABLE)

    def same_hours(self, row: int, place: int) -> tuple[float, ...]:
        """The same hour of the last four weeks, the oldest first; NaN where unknown or not held."""
        places = range(place - HOURS, place, WEEK)
        return tuple(float(self.counted[row, at]) if at >= 0 else float("nan") for at in places)

    def _found(self, row: int, place: int) -> tuple[Scores, int]:
        if place >= self.together or self.start(place) in self.bands:
            if place not in self._columns:
                self._columns[place] = self._judged(np.arange(self.amounts.shape[0]), place)
            return self._columns[place], row
        if (row, place) not in self._alone:
            self._alone[row, place] = self._judged(np.array([row]), place)
        return self._alone[row, place], 0

    def _judged(self, rows: Whole, place: int) -> Scores:
        chosen = Terms(self.terms.thresholds[rows], self.terms.floors[rows])
        extra = np.array(self.planned[place])[rows] if place in self.planned else None
        maturity = Maturity.FINAL if place < self.mature else Maturity.PARTIAL
        all_of_them = rows.size == self.amounts.shape[0]
        band = (
            self.bands.of(self.start(place), self.counted, place)
            if all_of_them
            else hour_band(_window(self.counted[rows], place))
        )
        return column(judge_by(band, self.amounts[rows, place], chosen, maturity, extra), np.arange(rows.size))


def _window(amounts: Floats, place: int) -> Floats:
    """The 672 hours before a place, unknown where nothing is held and before each series' first spend."""
    held = amounts[:, max(0, place - HOURS) : place]
    begun = first_spend(amounts[:, :place])[:, None] - max(0, place - HOURS)
    held = np.where(np.arange(held.shape[1])[None, :] < begun, np.nan, held)
    missing = np.full((amounts.shape[0], HOURS - held.shape[1]), np.nan)
    return np.concatenate([missing, held], axis=1)


def hour_judge(
    amounts: Floats,
    first: datetime,
    mature_until: datetime | None,
    terms: Terms,
    planned: Mapping[int, Sequence[float]],
    silent: Iterable[tuple[int, datetime, datetime]],
    together: int,
    bands: HourBands | None = None,
) -> HourJudge:
    """`silent`: (series, start, end) of hours that say nothing of what is usual."""
    hours = amounts.shape[1]
    unheard = list(silent)
    counted = amounts.copy() if unheard else amounts
    for row, start, end in unheard:
        counted[row, max(0, _hours_until(first, start)) : max(0, _hours_until(first, end))] = np.nan
    mature = 0 if mature_until is None else min(hours, max(0, _hours_until(first, mature_until)))
    return HourJudge(amounts, counted, first, mature, terms, planned, together, bands or HourBands())


def _hours_until(first: datetime, instant: datetime) -> int:
    return (instant - first) // HOUR
