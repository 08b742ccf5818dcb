"""Batches that come by the calendar: what was unusual three times on such days is expected the fourth time.

A history knows no dates, only how many days ago something was; the calendar says which of these days to look at.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from service.domain.detectors.arrays import Floats, Whole, known_or_zero
from service.domain.detectors.daily.baseline import Baseline
from service.domain.detectors.daily.detector import GATE_SHARE, LINES, OVERRIDE_LARGEST, Band
from service.domain.detectors.daily.history import SEEN, History
from service.domain.detectors.scores import Method
from service.domain.values.utc import DAY

TIMES = 3
"""Occurrences in a row, after which the next one is expected."""
ALIKE = 3.0
"""The largest of them is at most so many times the smallest."""
_NTH = ("first", "second", "third", "fourth")


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A way to come by the calendar. `ago`: how many days ago its last three days were, the oldest first."""

    name: str
    ago: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CalendarBatch:
    """Dollars that are expected of one series beyond the usual: the mean of those `above` normal on these days."""

    name: str
    days: tuple[date, ...]
    above: tuple[float, ...]

    @property
    def extra(self) -> float:
        return sum(self.above) / len(self.above)


def stands_out(base: Baseline, methods: Whole, amounts: Floats, usual: Band) -> Floats:
    """Dollars above normal of a day that is unlike the usual, whatever was announced; 0 of any other: [series].

    A short history is held to the line of a long one, and the first days of a series to its largest.
    """
    reach = np.where(methods == Method.COLD_WEEKDAY.value, LINES[Method.STEADY] * base.spread, usual.reach)
    excess = amounts - known_or_zero(usual.expected)
    above = np.where(
        np.isfinite(usual.expected),
        (excess >= reach) & (excess >= GATE_SHARE * usual.expected),
        amounts > OVERRIDE_LARGEST * known_or_zero(base.largest),
    )
    return np.where(above, excess, 0.0)


def recurring(history: History, on: date) -> Floats | None:
    """Dollars that are expected of the next day, `on`, beyond the usual: [series]; None where nothing comes again."""
    extra = np.zeros(history.size)
    for rhythm in rhythms(on):
        one, two, three = (history.tapes.above.cells[:, SEEN - ago] for ago in rhythm.ago)
        least = np.minimum(np.minimum(one, two), three)
        most = np.maximum(np.maximum(one, two), three)
        alike = (extra == 0) & (least > 0) & (most <= ALIKE * least)
        extra = np.where(alike, (one + two + three) / TIMES, extra)
    return extra if extra.any() else None


def batch(history: History, row: int, on: date) -> CalendarBatch | None:
    """The same of one series, with the days it was seen on."""
    cells = history.tapes.above.cells[row]
    for rhythm in rhythms(on):
        above = tuple(float(cells[SEEN - ago]) for ago in rhythm.ago)
        if min(above) > 0 and max(above) <= ALIKE * min(above):
            return CalendarBatch(rhythm.name, tuple(on - DAY * ago for ago in rhythm.ago), above)
    return None


@lru_cache(maxsize=512)
def rhythms(on: date) -> tuple[Rhythm, ...]:
    """The rhythms that this day is part of. The first one that explains it counts."""
    found: list[Rhythm] = []
    for name, earlier in _earlier(on):
        ago = tuple((on - day).days for day in earlier)
        if ago not in [each.ago for each in found]:
            found.append(Rhythm(name, ago))
    return tuple(found)


def _earlier(on: date) -> Iterator[tuple[str, list[date]]]:
    months = [_months_before(on, back) for back in range(TIMES, 0, -1)]
    yield "monthly batch", [_no_later_than(first, on.day) for first in months]
    if on == _last_day(on):
        yield "batch of the month's last day", [_last_day(first) for first in months]
    if on == _last_working_day(on):
        yield "batch of the month's last working day", [_last_working_day(first) for first in months]
    nth = (on.day - 1) // 7
    if nth < len(_NTH):
        yield f"batch of the month's {_NTH[nth]} {on:%A}", [_nth(first, on.weekday(), nth) for first in months]
    if on + timedelta(weeks=1) > _last_day(on):
        yield f"batch of the month's last {on:%A}", [_last(first, on.weekday()) for first in months]
    yield "batch of every four weeks", [on - timedelta(weeks=4 * back) for back in range(TIMES, 0, -1)]


def _months_before(on: date, back: int) -> date:
    """The first day of the month that is so many months earlier."""
    months = on.year * 12 + on.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def _no_later_than(month: date, day: int) -> date:
    return month.replace(day=min(day, _last_day(month).day))


def _last_day(on: date) -> date:
    return on.replace(day=calendar.monthrange(on.year, on.month)[1])


def _last_working_day(on: date) -> date:
    last = _last_day(on)
    return last - DAY * max(0, last.weekday() - calendar.FRIDAY)


def _nth(month: date, weekday: int, nth: int) -> date:
    return month + DAY * ((weekday - month.weekday()) % 7 + 7 * nth)


def _last(month: date, weekday: int) -> date:
    last = _last_day(month)
    return last - DAY * ((last.weekday() - weekday) % 7)
