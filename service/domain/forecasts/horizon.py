"""The days that are left of a period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from service.domain.values import calendars
from service.domain.values.periods import Window


@dataclass(frozen=True, slots=True)
class Horizon:
    """The part of a window that lies ahead, by local day from today on.

    `marks` are instants, the first of them now: the ends of these days within the window. `weights`, one fewer, are
    how much of each day it holds, 0..1: of today, of what is left of today.
    """

    today: date
    marks: tuple[datetime, ...]
    weights: tuple[float, ...]


@lru_cache(maxsize=256)
def horizon(window: Window, now: datetime, timezone: str) -> Horizon:
    """The horizon of a window from `now` on (aware, before its end), in days of an IANA zone."""
    zone = calendars.zone_of(timezone)
    today = calendars.local_date(now, zone)
    marks, weights, begin, day = [now], list[float](), now, today
    while begin < window.end:
        day += timedelta(days=1)
        end = max(calendars.start_of(day, zone), begin)
        weights.append(_share(begin, end, window))
        marks.append(min(end, window.end))
        begin = end
    return Horizon(today, tuple(marks), tuple(weights))


@lru_cache(maxsize=1024)
def share_inside(day: date, window: Window, timezone: str) -> float:
    """How much of a local day a window holds, 0..1."""
    zone = calendars.zone_of(timezone)
    return _share(calendars.start_of(day, zone), calendars.start_of(day + timedelta(days=1), zone), window)


def _share(begin: datetime, end: datetime, window: Window) -> float:
    inside = min(end, window.end) - max(begin, window.start)
    return max(inside / (end - begin), 0.0) if end > begin else 0.0
