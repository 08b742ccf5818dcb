"""Series that live by a wall clock: after a clock change, the weeks before it are moved by the hour of the change.

Whether a series lives by UTC or by a wall clock is learnt from the hours since the change, and only from those before
the judged one. Until they have told, an hour has to be unusual by both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from service.domain.detectors.arrays import Flags, Floats, Whole, known_or_zero, row_quantile
from service.domain.detectors.hourly.detector import HOURS, WEEK
from service.domain.detectors.panel import UNBELIEVABLE
from service.domain.values.clock_changes import changes_between
from service.domain.values.utc import HOUR

UTC_CLOCK = 0
"""The number of the clock that nothing is moved by; those of the moves follow."""
DIFFERENT = 0.35
"""The share of the larger one by which two clocks' expectations have to differ: an hour that rises differs by more."""
LEAST_SIZE = 0.2
"""The share of the mean hour that they have to differ by."""
INCIDENT = 3.0
"""Times what either clock expects, above which an hour says nothing of clocks."""
LONGEST = 3 * WEEK
"""Hours after a change in which clocks are told apart: later three of the four weeks, and so the median, have one."""
DECIDED = 0.6
"""The share of the difference that has to speak for one clock."""
ENOUGH = 0.15
"""The share of a week's difference that has been seen before anything is decided."""


@dataclass(frozen=True, slots=True)
class ClockMove:
    """A change of the clocks of `zone` among the hours of many series. `place`: the first hour by the new clock.

    `forward`: whole hours that the clock was put forward; back is negative.
    """

    zone: str
    place: int
    forward: int

    def reaches(self, place: int) -> bool:
        """Whether the change lies so near before an hour that it matters which clock is meant."""
        return self.place <= place <= self.place + LONGEST

    def applied(self, amounts: Floats) -> Floats:
        """The hours as if the clock had always been as it is since the change: [series, hours]."""
        moved, by = amounts.copy(), self.forward
        if by > 0:
            moved[:, : max(0, self.place - by)] = amounts[:, by : max(by, self.place)]
        elif self.place > 0:
            moved[:, -by : self.place] = amounts[:, : max(0, self.place + by)]
        return moved


def moves_within(zones: Iterable[str], first: datetime, hours: int) -> tuple[ClockMove, ...]:
    """The clock changes of some zones among so many hours, the first of which starts at `first` (aware UTC)."""
    changes = changes_between(zones, first, first + hours * HOUR)
    return tuple(ClockMove(change.zone, (change.at - first) // HOUR, change.forward) for change in changes)


def standing(amounts: Floats, moves: Sequence[ClockMove], places: Sequence[int], decided: float = DECIDED) -> Flags:
    """Tells by which clocks each hour is to be judged: [series, hours] -> [series, places, 1 + moves].

    Clock 0 is UTC, then come the wall clocks. It is UTC alone where both expect much the same of the hour. Else UTC is
    out where a wall clock is followed, and a wall clock where it is not; where the hours since do not tell, both stand.
    """
    found = np.zeros((amounts.shape[0], len(places), 1 + len(moves)), dtype=np.bool_)
    found[:, :, UTC_CLOCK] = True
    for number, move in enumerate(moves, start=1):
        at = [index for index, place in enumerate(places) if move.reaches(place)]
        if at:
            share, differs = _share(amounts, move, np.array([places[index] for index in at], dtype=np.int64))
            found[:, at, number] = differs & (share > -decided)
            found[:, at, UTC_CLOCK] &= ~differs | (share < decided)
    return found


def _share(amounts: Floats, move: ClockMove, places: Whole) -> tuple[Floats, Flags]:
    """How the hours from a change to each place speak: 1 all for the wall clock, -1 all for UTC, 0 where too few do.

    And whether the clocks differ about the hour itself: [series, hours] -> [series, places] both. An hour speaks by how
    much nearer it is to what the one clock expects.
    """
    shares = np.zeros((amounts.shape[0], places.size))
    differs = np.zeros(shares.shape, dtype=np.bool_)
    whole_weeks = (HOURS - (places - move.place)) // WEEK
    for weeks in np.unique(whole_weeks).tolist():
        at = np.flatnonzero(whole_weeks == weeks)
        utc = _usual(amounts[:, max(0, move.place - weeks * WEEK) : move.place], weeks)
        wall, since = np.roll(utc, -move.forward, axis=1), places[at] - move.place
        weight = _apart(utc, wall)
        heard = amounts[:, move.place : move.place + int(since.max())]
        shares[:, at] = _spoken(utc, wall, weight, heard)[:, since]
        differs[:, at] = weight[:, since % WEEK] > 0
    return shares, differs


def _apart(utc: Floats, wall: Floats) -> Floats:
    """The dollars by which two clocks differ in each hour of the week, 0 where that is little: [series, 168]."""
    apart, least = np.abs(utc - wall), LEAST_SIZE * known_or_zero(utc).mean(axis=1, keepdims=True)
    return np.where((apart >= DIFFERENT * np.maximum(utc, wall)) & (apart >= least) & (apart > 0), apart, 0.0)


def _spoken(utc: Floats, wall: Floats, weight: Floats, since: Floats) -> Floats:
    """The share after 0, 1, 2 ... of the hours since a change."""
    hour = np.arange(since.shape[1]) % WEEK
    heard = (since >= 0) & (since <= INCIDENT * np.maximum(utc, wall)[:, hour]) & (weight[:, hour] > 0)
    seen = _running(np.where(heard, weight[:, hour], 0.0))
    nearer = _running(np.where(heard, np.abs(since - utc[:, hour]) - np.abs(since - wall[:, hour]), 0.0))
    enough = (seen > 0) & (seen >= ENOUGH * weight.sum(axis=1, keepdims=True))
    return np.asarray(np.divide(nearer, seen, out=np.zeros_like(seen), where=enough), dtype=np.float64)


def _usual(before: Floats, weeks: int) -> Floats:
    """The median of each hour of the week in some weeks before a change, NaN where it is unknown: [series, 168]."""
    missing = np.full((before.shape[0], weeks * WEEK - before.shape[1]), np.nan)
    held = np.concatenate([missing, np.where(np.abs(before) <= UNBELIEVABLE, np.maximum(before, 0), np.nan)], axis=1)
    by_hour = np.moveaxis(held.reshape(-1, weeks, WEEK), 1, 2).reshape(-1, weeks)
    return row_quantile(by_hour, 0.5).reshape(-1, WEEK)


def _running(cells: Floats) -> Floats:
    """The sums of the first 0, 1, 2 ... cells of each row."""
    start = np.zeros((cells.shape[0], 1))
    return np.asarray(np.concatenate([start, np.cumsum(cells, axis=1)], axis=1), dtype=np.float64)
