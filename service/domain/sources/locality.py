"""Where the people of a source live: the clock that they live by, and their public holidays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from service.domain.values.calendars import local_date, start_of, zone_of
from service.domain.values.public_holidays import holidays_of
from service.domain.values.utc import DAY, HOUR, midnight

LIKELY_ZONES = ("Europe/Berlin", "America/New_York")
"""Zones whose clock changes are tried where nobody has said which: those of Europe, and of the US and Canada."""
OFF = 10 * HOUR
"""So much of a day at least is a holiday of people who have that day off."""


@dataclass(frozen=True, slots=True)
class Holiday:
    """`starts_at` and `ends_at`: local midnights, aware UTC."""

    name: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Locality:
    """`zones`: IANA zones whose clock changes spend may follow. `is_set`: a person has named the zone.

    `country`: its ISO 3166-1 code, `subdivision`: one of its parts; None: no holidays are known.
    """

    zones: tuple[str, ...] = ()
    is_set: bool = False
    country: str | None = None
    subdivision: str | None = None

    def holidays(self, start: date, end: date) -> tuple[Holiday, ...]:
        """The public holidays that fall on the UTC days from `start` to before `end`, or on a part of them.

        They last from midnight to midnight by the clock that is set, by UTC where none is.
        """
        return () if self.country is None else _holidays(self, start, end)

    def days_off(self, start: date, end: date, timezone: str = "UTC") -> dict[date, str]:
        """The names of the holidays of a zone's days, of each that is one for ten hours at least."""
        found, zone = dict[date, str](), zone_of(timezone)
        for one in self.holidays(start - DAY, end + DAY):
            for day in (local_date(one.starts_at, zone), local_date(one.ends_at, zone)):
                shared = min(one.ends_at, start_of(day + DAY, zone)) - max(one.starts_at, start_of(day, zone))
                if shared >= OFF and start <= day < end:
                    found.setdefault(day, one.name)
        return found

    def holiday_at(self, instant: datetime) -> str | None:
        """The name of the holiday that an instant (aware UTC) lies in."""
        day = instant.date()
        mine = (one for one in self.holidays(day, day + DAY) if one.starts_at <= instant < one.ends_at)
        return next((one.name for one in mine), None)


NOWHERE = Locality()
"""Nothing is known, and nothing is tried: all is judged by UTC, and no day is a holiday."""


def locality_of(timezone: str | None, country: str | None = None, subdivision: str | None = None) -> Locality:
    """The locality of a source with this time zone; None: nobody has said."""
    zones = LIKELY_ZONES if timezone is None else (timezone,)
    return Locality(zones, timezone is not None, country, subdivision)


@lru_cache(maxsize=256)
def _holidays(of: Locality, start: date, end: date) -> tuple[Holiday, ...]:
    assert of.country is not None
    clock = zone_of(of.zones[0] if of.is_set else "UTC")
    found = [
        Holiday(name, start_of(day, clock), start_of(day + DAY, clock))
        for year in range((start - DAY).year, end.year + 1)
        for day, name in holidays_of(of.country, of.subdivision, year).items()
        if start - DAY <= day <= end
    ]
    return tuple(one for one in found if one.ends_at > midnight(start) and one.starts_at < midnight(end))
