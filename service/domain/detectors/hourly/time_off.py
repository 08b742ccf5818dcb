"""Hours that say nothing of what an hour usually costs: those of public holidays, and of days that were as quiet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from service.domain.detectors.arrays import Flags, Whole
from service.domain.detectors.daily.history import WINDOW, History
from service.domain.detectors.hourly.detector import WEEK
from service.domain.detectors.noise import Noise
from service.domain.sources.locality import Locality
from service.domain.values.utc import DAY, HOUR, midnight

MOST_OFF = 2
"""So many of the same hours of four weeks may be left out, so that two are left to compare with."""
DIP_SHARE = 0.7
"""So much of what was expected, at most, is what a day off costs."""


@dataclass(frozen=True, slots=True, eq=False)
class QuietDays:
    """The days on which each series was far below the usual: [series, days], the last of them before `end`."""

    days: Flags
    end: date

    def of(self, rows: Sequence[int] | Whole) -> QuietDays:
        """The days of some of the series; a row below zero has none."""
        chosen = np.asarray(rows, dtype=np.int64)
        return QuietDays(self.days[chosen] & (chosen >= 0)[:, None], self.end)


def no_quiet_days(series: int, end: date) -> QuietDays:
    return QuietDays(np.zeros((series, 0), dtype=np.bool_), end)


def quiet_days(history: History, end: date) -> QuietDays:
    """The days that cost 70 % of what was expected or less, one or two in a row.

    Of steady series alone, and of days that were expected by their weekday: of others it is nothing unusual. A third
    such day in a row is a new level, of which the first two are a part.
    """
    rows = np.flatnonzero(history.noise == Noise.STEADY.value)
    found = np.zeros(history.raw.shape, dtype=np.bool_)
    by_weekday = history.ages[rows, None] - np.arange(WINDOW, 0, -1) >= WINDOW
    low = by_weekday & history.known[rows] & (history.raw[rows] <= DIP_SHARE * history.expected[rows])
    days, beside = low.shape[1], np.pad(low, ((0, 0), (2, 2)))
    before, after = beside[:, 1:-3], beside[:, 3:-1]
    third = (before & beside[:, :days]) | (after & beside[:, 4:]) | (before & after)
    found[rows] = low & ~third
    return QuietDays(found, end)


def hours_off(locality: Locality, quiet: QuietDays, first: datetime, hours: int) -> Flags | None:
    """Which of so many hours from `first` (aware UTC) on lie in a holiday, or on a quiet day: [series, hours].

    None where none does. Hours of the week of which more than two are off are what is usual: none of them is left out.
    """
    named = locality.holidays(first.date(), (first + hours * HOUR).date() + DAY)
    if not named and not quiet.days.any():
        return None
    off: Flags = np.zeros((quiet.days.shape[0], -(-hours // WEEK) * WEEK), dtype=np.bool_)
    for one in named:
        off[:, _places(one.starts_at, one.ends_at, first)] = True
    for number in np.flatnonzero(quiet.days.sum(axis=0)).tolist():
        start = midnight(quiet.end - (quiet.days.shape[1] - number) * DAY)
        off[quiet.days[:, number], _places(start, start + DAY, first)] = True
    off[:, hours:] = False
    weeks = off.reshape(off.shape[0], -1, WEEK)
    often = weeks.sum(axis=1, keepdims=True) > MOST_OFF
    found: Flags = np.asarray((weeks & ~often).reshape(off.shape)[:, :hours])
    return found if found.any() else None


def _places(start: datetime, end: datetime, first: datetime) -> slice:
    return slice(max(0, (start - first) // HOUR), max(0, (end - first) // HOUR))
