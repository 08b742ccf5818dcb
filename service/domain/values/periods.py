"""Calendar periods in a budget's own time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from service.domain.values import calendars
from service.domain.values.errors import Invalid

MOST_ROLLING_DAYS = 366
_YEARS = range(1970, 3000)
"""Years of a custom period: far enough from the ends of the calendar for any zone."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A half-open stretch of time, aware UTC: start <= t < end."""

    start: datetime
    end: datetime

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


class PeriodKind(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"
    CUSTOM = "custom"
    ROLLING = "rolling"


class Weekday(StrEnum):
    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


@dataclass(frozen=True, slots=True)
class PeriodSpec:
    """How a budget's time is cut. Only the fields of its kind count.

    `anchor_day` 1..31 starts months, quarters and years; a month too short for it starts on its last day.
    `start` and `end` are of `custom`, `days` of `rolling`.
    """

    kind: PeriodKind
    timezone: str = "UTC"
    week_start: Weekday = Weekday.MONDAY
    anchor_day: int = 1
    start: datetime | None = None
    end: datetime | None = None
    days: int | None = None


class Phase(StrEnum):
    UPCOMING = "upcoming"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Period:
    """One period: its window in UTC, and what people call it, such as "October 2026"."""

    window: Window
    label: str


_MONTHS = {PeriodKind.MONTHLY: 1, PeriodKind.QUARTERLY: 3, PeriodKind.YEARLY: 12}


def validate(spec: PeriodSpec) -> None:
    """Raise Invalid, pointing into a budget's `period`, unless the fields of its kind make sense."""
    if spec.timezone not in calendars.zone_names():
        raise Invalid(f"{spec.timezone!r} is not an IANA time zone, such as Europe/Berlin", "/period/timezone")
    if spec.kind in _MONTHS and not 1 <= spec.anchor_day <= 31:
        raise Invalid("anchor_day is a day of the month, 1 to 31", "/period/anchor_day")
    if spec.kind is PeriodKind.CUSTOM:
        _validate_range(spec)
    if spec.kind is PeriodKind.ROLLING and not 1 <= (spec.days or 0) <= MOST_ROLLING_DAYS:
        raise Invalid(f"a rolling period needs days, 1 to {MOST_ROLLING_DAYS}", "/period/days")


def _validate_range(spec: PeriodSpec) -> None:
    start = _validated_time(spec.start, "start")
    end = _validated_time(spec.end, "end")
    if end <= start:
        raise Invalid("end must be later than start", "/period/end")


def _validated_time(time: datetime | None, name: str) -> datetime:
    pointer = f"/period/{name}"
    if time is None:
        raise Invalid(f"a custom period needs {name}", pointer)
    if time.utcoffset() is None:
        raise Invalid(f"{name} needs a UTC offset, such as 2026-03-01T00:00:00Z", pointer)
    if time.year not in _YEARS:
        raise Invalid(f"{name} must lie in the years {_YEARS[0]} to {_YEARS[-1]}", pointer)
    return time.astimezone(UTC)


def period_at(spec: PeriodSpec, instant: datetime) -> Period | None:
    """The period of a valid spec that holds an aware instant; None only outside a custom range.

    Periods follow each other without gap or overlap, except rolling ones: theirs is N local days, the last
    of them the instant's own. Raises ValueError for a naive instant.
    """
    zone = calendars.zone_of(spec.timezone)
    day = calendars.local_date(instant, zone)
    if spec.kind is PeriodKind.CUSTOM:
        custom = _custom_period(spec)
        return custom if instant in custom.window else None
    first, following = _span(spec, day)
    end = calendars.start_of(following, zone)
    while end <= instant:  # clocks set back over midnight show an old date again after the new one began
        first, following = _span(spec, following)
        end = calendars.start_of(following, zone)
    return Period(Window(calendars.start_of(first, zone), end), _label(spec, first, following))


def previous_period(spec: PeriodSpec, period: Period) -> Period | None:
    """The calendar period that ends where this one starts; None for custom (alone) and rolling (sliding)."""
    if spec.kind in (PeriodKind.CUSTOM, PeriodKind.ROLLING):
        return None
    return period_at(spec, period.window.start - timedelta.resolution)


def phase(period: Period, now: datetime, closing_for: timedelta) -> Phase:
    """Where a period stands: open from start to end, then closing for late bills for `closing_for`, then closed."""
    if now < period.window.start:
        return Phase.UPCOMING
    if now < period.window.end:
        return Phase.OPEN
    return Phase.CLOSING if now < period.window.end + closing_for else Phase.CLOSED


def live_periods(spec: PeriodSpec, now: datetime, closing_for: timedelta) -> tuple[Period, ...]:
    """The open period and those still closing, oldest first; one of rolling, one or none of custom."""
    newest = _custom_period(spec) if spec.kind is PeriodKind.CUSTOM else period_at(spec, now)
    live: list[Period] = []
    while newest is not None and phase(newest, now, closing_for) in (Phase.OPEN, Phase.CLOSING):
        live.append(newest)
        newest = previous_period(spec, newest)
    return tuple(reversed(live))


def _custom_period(spec: PeriodSpec) -> Period:
    assert spec.start is not None
    assert spec.end is not None
    zone = calendars.zone_of(spec.timezone)
    first = calendars.local_date(spec.start, zone)
    last = calendars.local_date(spec.end - timedelta.resolution, zone)
    window = Window(spec.start.astimezone(UTC), spec.end.astimezone(UTC))
    return Period(window, calendars.name_span(first, last + timedelta(days=1)))


def _span(spec: PeriodSpec, day: date) -> tuple[date, date]:
    """The local dates of the period that holds `day`: the first, and the one after the last."""
    if spec.kind in _MONTHS:
        return calendars.anchored_span(day, _MONTHS[spec.kind], spec.anchor_day)
    if spec.kind is PeriodKind.WEEKLY:
        first = day - timedelta(days=(day.weekday() - list(Weekday).index(spec.week_start)) % 7)
        return first, first + timedelta(days=7)
    following = day + timedelta(days=1)
    return following - timedelta(days=(spec.days or 1) if spec.kind is PeriodKind.ROLLING else 1), following


def _label(spec: PeriodSpec, first: date, following: date) -> str:
    if spec.kind in _MONTHS:
        return calendars.name_months(first, following, _MONTHS[spec.kind])
    if spec.kind is PeriodKind.WEEKLY:
        return f"week of {calendars.name_day(first)}"
    if spec.kind is PeriodKind.ROLLING:
        return "last day" if spec.days == 1 else f"last {spec.days} days"
    return calendars.name_day(first)
