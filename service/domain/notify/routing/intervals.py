"""Times of the week on somebody's wall clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.domain.values.calendars import zone_of
from service.domain.values.periods import Weekday

DAY = 24 * 60
"""Minutes."""


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `start`, included, to `end`, not included: minutes after midnight, on the clock of the zone.

    An `end` that is not later than the start lies on the next day.
    """

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class WeekdayRange:
    """Both included; Friday to Monday goes over the week's end."""

    first: Weekday
    last: Weekday

    def holds(self, weekday: int) -> bool:
        """Whether a weekday, counted from Monday as 0, is in the range."""
        days = list(Weekday)
        first, last = days.index(self.first), days.index(self.last)
        return (weekday - first) % 7 <= (last - first) % 7


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """Every condition must hold; an empty one always does. A range over midnight belongs to the day it began on."""

    times: tuple[TimeRange, ...] = ()
    weekdays: tuple[WeekdayRange, ...] = ()
    timezone: str = "UTC"


def holds(interval: TimeInterval, instant: datetime) -> bool:
    """Whether the wall clock is within an interval. A skipped or repeated hour makes a range shorter or longer."""
    local = instant.astimezone(zone_of(interval.timezone))
    minute = local.hour * 60 + local.minute
    if not interval.times:
        return _on(interval, local)
    return any(
        (_on(interval, local) and time.start <= minute < (time.end if time.end > time.start else DAY))
        or (time.end <= time.start and minute < time.end and _on(interval, local - timedelta(days=1)))
        for time in interval.times
    )


def in_words(interval: TimeInterval) -> str:
    """Returns an interval for people: "Monday to Friday 20:00 to 08:00 Europe/Berlin"."""
    weekdays = " and ".join(_weekdays(one) for one in interval.weekdays)
    times = " and ".join(f"{clock_time(one.start)} to {clock_time(one.end)}" for one in interval.times)
    return " ".join(part for part in (weekdays, times, interval.timezone) if part)


def _weekdays(days: WeekdayRange) -> str:
    first, last = days.first.capitalize(), days.last.capitalize()
    return first if days.first is days.last else f"{first} to {last}"


def clock_time(minutes: int) -> str:
    """Returns minutes after midnight as a clock shows them, "24:00" at the day's end."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _on(interval: TimeInterval, local: datetime) -> bool:
    return not interval.weekdays or any(one.holds(local.weekday()) for one in interval.weekdays)
