"""Periods of digests: calendar periods that are over, whenever the message leaves, and what people call them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum

from service.domain.values.calendars import anchored, local_date, start_of, zone_of
from service.domain.values.periods import PeriodKind, PeriodSpec, Weekday, Window, period_at, previous_period


class DigestPeriod(StrEnum):
    """The time that a digest is about. `since_previous`: from one occurrence of its schedule to the next."""

    SINCE_PREVIOUS = "since_previous"
    PREVIOUS_DAY = "previous_day"
    PREVIOUS_WEEK = "previous_week"
    PREVIOUS_MONTH = "previous_month"
    PREVIOUS_QUARTER = "previous_quarter"
    PREVIOUS_YEAR = "previous_year"


KINDS: Mapping[DigestPeriod, PeriodKind] = {
    DigestPeriod.PREVIOUS_DAY: PeriodKind.DAILY,
    DigestPeriod.PREVIOUS_WEEK: PeriodKind.WEEKLY,
    DigestPeriod.PREVIOUS_MONTH: PeriodKind.MONTHLY,
    DigestPeriod.PREVIOUS_QUARTER: PeriodKind.QUARTERLY,
    DigestPeriod.PREVIOUS_YEAR: PeriodKind.YEARLY,
}
WEEK = timedelta(days=7)
QUARTERS = frozenset({"*/3", "1,4,7,10"})
"""Months of a quarterly schedule, as cron writes them."""


def usual_period(cron: str) -> DigestPeriod:
    """Returns the period that somebody means who names none: a schedule of once a month is about a month."""
    _, hour, day, month, weekday = cron.split()
    if not hour.isdecimal():
        return DigestPeriod.SINCE_PREVIOUS
    if (day, month) == ("*", "*"):
        return _of_weekdays(weekday)
    if weekday != "*" or not day.isdecimal():
        return DigestPeriod.SINCE_PREVIOUS
    if month == "*":
        return DigestPeriod.PREVIOUS_MONTH
    if month in QUARTERS:
        return DigestPeriod.PREVIOUS_QUARTER
    return DigestPeriod.PREVIOUS_YEAR if month.isalnum() else DigestPeriod.SINCE_PREVIOUS


def _of_weekdays(weekday: str) -> DigestPeriod:
    if weekday == "*":
        return DigestPeriod.PREVIOUS_DAY
    # From Monday to Friday, yesterday alone would leave out the weekend.
    return DigestPeriod.PREVIOUS_WEEK if weekday.isalnum() else DigestPeriod.SINCE_PREVIOUS


def calendar_windows(kind: PeriodKind, timezone: str, week_start: Weekday, at: datetime) -> tuple[Window, Window]:
    """Returns the last period that is over at an instant, and the one before it."""
    spec = PeriodSpec(kind, timezone, week_start)
    running = period_at(spec, at)
    last = previous_period(spec, running) if running is not None else None
    before = previous_period(spec, last) if last is not None else None
    if last is None or before is None:
        raise ValueError(f"{kind} periods do not follow each other")
    return last.window, before.window


def a_week_before(day: Window, timezone: str) -> Window:
    """Returns the same weekday of the week before, on a wall's calendar: a Monday is no measure of a Sunday."""
    zone = zone_of(timezone)
    first, following = local_date(day.start, zone) - WEEK, local_date(day.end, zone) - WEEK
    return Window(start_of(first, zone), start_of(following, zone))


def name_window(window: Window, timezone: str) -> str:
    """Returns what people call a period: "October", "Q3 2026", "9-15 Nov", "Fri 13 Nov"; else its times."""
    zone = zone_of(timezone)
    first, following = local_date(window.start, zone), local_date(window.end, zone)
    if (start_of(first, zone), start_of(following, zone)) != (window.start, window.end):
        return f"{_time(window.start, timezone)} to {_time(window.end, timezone)}"
    months = 12 * (following.year - first.year) + following.month - first.month
    if first.day == following.day == 1:
        name = _name_months(first, months)
        if name is not None:
            return name
    return _name_days(first, following - timedelta(days=1))


def _name_months(first: date, months: int) -> str | None:
    if months == 1:
        return f"{first:%B}"
    if months == 3 and first.month % 3 == 1:
        return f"Q{first.month // 3 + 1} {first.year}"
    is_year = months == 12 and first == anchored(12 * first.year, 1)
    return f"{first.year}" if is_year else None


def _name_days(first: date, last: date) -> str:
    if first == last:
        return f"{first:%a} {first.day} {first:%b}"
    if first.month == last.month:
        return f"{first.day}-{last.day} {last:%b}"
    return f"{first.day} {first:%b} - {last.day} {last:%b}"


def _time(at: datetime, timezone: str) -> str:
    local = at.astimezone(zone_of(timezone))
    return f"{local.day} {local:%b %H:%M}"
