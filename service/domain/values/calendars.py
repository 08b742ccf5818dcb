"""Local dates: where they begin in UTC, how months are anchored, what people call a stretch of them."""

from __future__ import annotations

from bisect import bisect_left
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

_NOT_ZONES = {"Factory", "localtime"}  # files of a zone database that name no place


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every IANA zone known here. A first call reads the zone database, about 20 ms."""
    return frozenset(available_timezones() - _NOT_ZONES)


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    """The date on a wall calendar. Raises ValueError for a naive instant: its zone would be guessed."""
    if instant.utcoffset() is None:
        raise ValueError(f"an instant without a time zone: {instant}")
    return instant.astimezone(zone).date()


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first instant, in UTC, at which the local date is `day` or later.

    That is the first of two midnights, and the end of the gap where clocks skipped midnight or the whole day.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    start = midnight.astimezone(UTC)
    if start.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return start
    # The clocks jumped over midnight. Read with the offset after the jump, it lies before the jump.
    before = midnight.replace(fold=1).astimezone(UTC)
    seconds = range(int((start - before).total_seconds()))
    jump = bisect_left(seconds, True, key=lambda s: (before + timedelta(seconds=s)).astimezone(zone).date() >= day)
    return before + timedelta(seconds=jump)


def anchored(month: int, anchor_day: int) -> date:
    """The anchor day of a month counted from year 0 (12 * year + month - 1), or that month's last day."""
    year, index = divmod(month, 12)
    return date(year, index + 1, min(anchor_day, monthrange(year, index + 1)[1]))


def anchored_span(day: date, months: int, anchor_day: int) -> tuple[date, date]:
    """The span of 1, 3 or 12 months, counted from January, that holds `day`: first day and day after it."""
    month = 12 * day.year + day.month - 1
    month -= month % months
    if anchored(month, anchor_day) > day:
        month -= months
    return anchored(month, anchor_day), anchored(month + months, anchor_day)


def name_day(day: date) -> str:
    """Such as "21 November 2026"."""
    return f"{day.day} {day:%B} {day.year}"


def name_span(first: date, following: date) -> str:
    """Such as "15 October to 14 November 2026"; the year stands twice only where it differs."""
    last = following - timedelta(days=1)
    if last <= first:
        return name_day(first)
    start = f"{first.day} {first:%B}" if first.year == last.year else name_day(first)
    return f"{start} to {name_day(last)}"


def name_months(first: date, following: date, months: int) -> str:
    """Such as "October 2026", "Q4 2026" or "2026"; by its days when it does not start on the 1st."""
    if first.day != 1:
        return name_span(first, following)
    names = {1: f"{first:%B} {first.year}", 3: f"Q{first.month // 3 + 1} {first.year}", 12: f"{first.year}"}
    return names[months]
