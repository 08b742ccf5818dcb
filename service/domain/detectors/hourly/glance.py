"""A cheap look at the last hours of many series: whether any of them can be unusual. It never misses one that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from service.domain.detectors.arrays import Flags, Floats, Whole, known_or_zero, median_of, row_quantile
from service.domain.detectors.daily.growth import WEEKS_AGO
from service.domain.detectors.hourly.clocks import DECIDED, UTC_CLOCK, ClockMove, standing
from service.domain.detectors.hourly.detector import (
    FOLLOW,
    GATE_SHARE,
    HOURS,
    LEAST_GROWTH,
    LEAST_HOURS,
    LEAST_LINE,
    LEAST_OFFSET,
    LEAST_SCALE,
    WEEK,
)
from service.domain.detectors.hourly.known import KnownHours, LearntHours
from service.domain.detectors.panel import UNBELIEVABLE, first_spend

SLACK = 1e-9
"""Floats that are added up in another order differ by less than this share."""
A_DAY = 24
LEAST_TAKEN_OUT = 1 + LEAST_LINE * LEAST_SCALE
"""Times the second smallest of the same hours, above which one may be left out as an incident."""
NO_LIFTS: Mapping[int, tuple[int, float]] = {}
_WEEKS = WEEK * np.arange(HOURS // WEEK)


class HourGlance:
    """The hours of some series, each the sum of cells, as they are known at an instant that only moves on.

    `members`: of every series the places of its cells, one at least.
    """

    def __init__(self, known: KnownHours, members: Sequence[Sequence[int]]) -> None:
        self.known = known
        self._cells = np.array([place for each in members for place in each], dtype=np.int64)
        counts = np.array([len(each) for each in members], dtype=np.int64)
        self._starts = np.cumsum(counts) - counts
        self._sums: Floats = np.zeros((len(members), known.known.size))
        self._foreseen = self._summed(known.first_read(0, known.known.size)) if members else self._sums

    def note(self, learnt: LearntHours) -> None:
        """Follows what the cells have learnt."""
        if self._starts.size and learnt.places.size:
            self._sums[:, learnt.places] = self._summed(self.known.amounts[:, learnt.places])

    def _summed(self, cells: Floats) -> Floats:
        return np.asarray(np.add.reduceat(cells[self._cells], self._starts, axis=0), dtype=np.float64)

    def came_as_foreseen(self, start: int, end: int) -> bool:
        """Whether the hours from `start` to before `end` are known, and are what they were to be."""
        as_foreseen = np.array_equal(self._sums[:, start:end], self._foreseen[:, start:end])
        return as_foreseen and bool(self.known.known[start:end].all())

    def spent(self, start: int, end: int) -> list[float]:
        """The spend of each series in the hours from `start` to before `end`, in US dollars."""
        return list(map(float, self._sums[:, start:end].sum(axis=1)))

    def reaches(self, start: int, end: int, limits: Sequence[float]) -> bool:
        """Whether any series has spent what its limit says; NaN is never reached."""
        spent = self._sums[:, start:end].sum(axis=1)
        return bool(np.any(spent >= np.asarray(limits, dtype=np.float64) * (1 - SLACK)))

    def have_begun(self, start: int, end: int) -> bool:
        """Whether every series is known to have spent something from `start` to before `end`."""
        spent = (self._sums[:, start:end] > 0) & self.known.known[start:end]
        return bool(spent.any(axis=1).all())

    def may_rise(
        self,
        start: int,
        over: int,
        places: Sequence[int],
        floor: float,
        moves: Sequence[ClockMove] = (),
        off: Flags | None = None,
        lifts: Mapping[int, tuple[int, float]] = NO_LIFTS,
        growth: Floats | None = None,
    ) -> list[bool]:
        """Whether any series may be unusual in each of these hours, judged by what is known from `start` on.

        Hours from the place `over` on are still to come, and count as they are foreseen. `floor`: dollars of excess
        under which an hour is never a rise. `moves`, and `off` of each series: by places from `start` on. `lifts`: of
        each series with an accepted level the place where it begins, and the factor by which hours before it count.
        `growth`: of each series from week to week, a factor; None: none grows.
        """
        if not places or not self._starts.size:
            return [False] * len(places)
        end = max(places) + 1
        hours = np.where(self.known.known[start:over], self._sums[:, start:over], np.nan)
        hours = np.concatenate([hours, self._foreseen[:, over:end]], axis=1)[:, : end - start]
        for row, (place, factor) in lifts.items():
            hours[row, : max(0, place - start)] *= factor
        floors = np.full(hours.shape[0], floor)
        mine = None if off is None else off[:, : end - start]
        rising = rises_of_all(hours, np.array(places, dtype=np.int64) - start, floors, moves, mine, growth)
        found: list[bool] = np.asarray(rising.any(axis=0)).tolist()
        return found


def is_large(amounts: Floats, floors: Floats) -> Flags:
    """Whether any of a series' hours reaches its floor: [series, hours], [series] -> [series]."""
    return np.asarray((amounts >= (floors * (1 - SLACK))[:, None]).any(axis=1), dtype=np.bool_)


def may_rise_by_all(
    amounts: Floats,
    places: Whole,
    floors: Floats,
    moves: Sequence[ClockMove],
    off: Flags | None = None,
    growth: Floats | None = None,
) -> Flags:
    """Which series `may_rise` in one of the hours by every clock that they are judged by: -> [series].

    `off`: the hours that do not say what is usual, [series, hours]. `growth`: as of `may_rise`.
    """
    return np.asarray(rises_of_all(amounts, places, floors, moves, off, growth).any(axis=1), dtype=np.bool_)


def rises_of_all(
    amounts: Floats,
    places: Whole,
    floors: Floats,
    moves: Sequence[ClockMove],
    off: Flags | None,
    growth: Floats | None,
) -> Flags:
    """The same for each of the hours: -> [series, places]."""
    found: Flags = np.zeros((amounts.shape[0], places.size), dtype=np.bool_)
    rows = np.flatnonzero(is_large(amounts[:, places], floors))
    if rows.size:
        newest, least = amounts[rows][:, places], floors[rows]
        past = amounts[rows] if off is None else np.where(off[rows], np.nan, amounts[rows])
        grown = None if growth is None else growth[rows]
        rising = may_rise(past, newest, places, least, grown)
        if any(move.reaches(place) for move in moves for place in places.tolist()):
            stands = standing(past, moves, places.tolist(), DECIDED - SLACK)
            rising |= ~stands[:, :, UTC_CLOCK]
            for clock, move in enumerate(moves, start=1):
                asked = np.flatnonzero((stands[:, :, clock] & rising).any(axis=0))
                if asked.size:
                    by_clock = may_rise(move.applied(past), newest[:, asked], places[asked], least, grown)
                    rising[:, asked] &= by_clock | ~stands[:, asked, clock]
        found[rows] = rising
    return found


def may_rise(past: Floats, newest: Floats, places: Whole, floors: Floats, growth: Floats | None = None) -> Flags:
    """False where `judge_hour` finds no rise of the `newest` hours at `places`, whatever score is asked for.

    [series, hours], [series, places], [places], [series] -> [series, places]. Dollars, NaN where unknown; `past` are
    the hours as they say what is usual. Every line that it draws lies at least a gate above what it expects; and what
    it expects is at least the median of the same hours, or of what is left of them without incidents, times as much as
    today lies below usual, were there nothing to damp that. `growth`: by how much each series costs more from week to
    week, [series]; None: none does.
    """
    begun, grown = first_spend(past), np.ones(1) if growth is None else growth
    days = np.arange(int(places.min()) - A_DAY, int(places.max()))
    found = _least_usual(past, begun, np.concatenate([days, places - WEEK]), grown)
    least_usual, usual, limit = (each[:, : days.size] for each in found)
    profile = found[0][:, days.size :]
    actual = _usable(past, begun, days) * grown[:, None]
    actual = np.where(actual <= limit, actual, least_usual)
    window = (places[:, None] - A_DAY - days[0]) + np.arange(A_DAY)[None, :]
    today, then = median_of(actual[:, window], axis=2), median_of(usual[:, window], axis=2)
    below = np.clip((today + LEAST_OFFSET) / (then + LEAST_OFFSET), LEAST_GROWTH, 1) ** FOLLOW
    least = profile * below
    limit = least + np.maximum(floors[:, None], GATE_SHARE * least)
    is_judged = places >= begun[:, None] + LEAST_HOURS
    return np.asarray(is_judged & (newest >= limit * (1 - SLACK)), dtype=np.bool_)


def _usable(past: Floats, begun: Whole, places: Whole) -> Floats:
    """Hours as far as they say what is usual, else NaN, also before the first: [series, hours] -> [series, *places]."""
    cells, first = past[:, np.maximum(places, 0)], begun.reshape(-1, *[1] * places.ndim)
    return np.where((places >= first) & (np.abs(cells) <= UNBELIEVABLE), np.maximum(cells, 0), np.nan)


def _least_usual(past: Floats, begun: Whole, places: Whole, growth: Floats) -> tuple[Floats, Floats, Floats]:
    """The least median that may be left of the same hours, the median of all, and from where on one may be left out.

    [series, places] each, of the four weeks that end with the place, as they would be in the week after; 0 where none
    of its hours is known.
    """
    cells = _usable(past, begun, places[:, None] - _WEEKS[None, :]) * (growth[:, None] ** WEEKS_AGO[::-1])[:, None, :]
    flat = np.sort(cells.reshape(-1, _WEEKS.size), axis=1)
    smallest, second, third, largest = flat.T
    if np.isnan(largest).any():
        middle, second = row_quantile(flat, 0.5), row_quantile(flat, 1 / 3)
        low, largest = row_quantile(flat, 1 / 6), np.nanmax(flat, axis=1, initial=0.0)
    else:  # the same quantiles of four
        middle, low = second + (third - second) * 0.5, smallest + (second - smallest) * 0.5
    limit = LEAST_TAKEN_OUT * second
    least = np.where(largest <= limit, middle, low)
    found = (known_or_zero(each).reshape(cells.shape[:2]) for each in (least, middle, limit))
    return next(found), next(found), next(found)
