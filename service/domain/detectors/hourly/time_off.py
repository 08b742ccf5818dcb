"""Hours that say nothing of what an hour usually costs: those of public holidays, and of days that were as quiet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from service.domain.detectors.arrays import Flags, Whole, true_in
from service.domain.detectors.daily.counted import are_quiet
from service.domain.detectors.daily.history import History
from service.domain.detectors.hourly.detector import WEEK
from service.domain.sources.locality import Locality
from service.domain.values.utc import DAY, HOUR, midnight

MOST_OFF = 2
"""So many of the same hours of four weeks may be left out, so that two are left to compare with."""


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
    """The days that means of days do not read as they were, because they were as quiet as a holiday."""
    low = history.tapes.low.cells
    found, rows = np.zeros(low.shape, dtype=np.bool_), np.flatnonzero(true_in(low))
    found[rows] = are_quiet(low[rows])
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
