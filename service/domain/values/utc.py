"""UTC days and hours: bills are by UTC day, usage is by UTC hour."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from service.domain.values.periods import Window

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def midnight(day: date) -> datetime:
    """The first instant of a UTC day."""
    return datetime.combine(day, time(), UTC)


def utc_day(day: date) -> Window:
    start = midnight(day)
    return Window(start, start + DAY)


def day_start(instant: datetime) -> datetime:
    """The beginning of the UTC day that holds an aware instant."""
    return hour_start(instant).replace(hour=0)


def hour_start(instant: datetime) -> datetime:
    """The beginning of the UTC hour that holds an aware instant."""
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
