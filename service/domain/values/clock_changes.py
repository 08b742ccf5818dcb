"""When the clocks of a time zone are put forward or back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from service.domain.values.calendars import zone_of
from service.domain.values.utc import DAY, HOUR


@dataclass(frozen=True, slots=True)
class ClockChange:
    """`at`: the first hour (aware UTC) by the new clock. `forward`: whole hours it is put forward; back is negative."""

    zone: str
    at: datetime
    forward: int


def changes_between(zones: Iterable[str], start: datetime, end: datetime) -> tuple[ClockChange, ...]:
    """The changes from `start` to before `end` (aware UTC), zone by zone; zones that change alike are one."""
    found: dict[tuple[datetime, int], ClockChange] = {}
    for zone in zones:
        for year in range(start.year, end.year + 1):
            for change in _changes_of(zone, year):
                if start <= change.at < end:
                    found.setdefault((change.at, change.forward), change)
    return tuple(found.values())


@lru_cache(maxsize=256)
def _changes_of(zone: str, year: int) -> tuple[ClockChange, ...]:
    """The changes of one UTC year. Parts of an hour are left out: hours could not be compared."""
    found = []
    day, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    while day < end:
        if _offset(zone, day) != _offset(zone, day + DAY):
            at = next(at for at in (day + n * HOUR for n in range(1, 25)) if _offset(zone, at) != _offset(zone, day))
            forward, rest = divmod(_offset(zone, at) - _offset(zone, day), HOUR)
            if not rest:
                found.append(ClockChange(zone, at, forward))
        day += DAY
    return tuple(found)


def _offset(zone: str, at: datetime) -> timedelta:
    offset = at.astimezone(zone_of(zone)).utcoffset()
    assert offset is not None
    return offset
