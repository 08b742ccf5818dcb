"""Periods: the specification in a request, and the period with its start and end in an answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, PlainValidator, WithJsonSchema

from service.api.http.fields import Line, Strict, instant_or_day
from service.domain.values import calendars
from service.domain.values.errors import Invalid
from service.domain.values.periods import MOST_ROLLING_DAYS, Period, PeriodKind, PeriodSpec, Phase, Weekday

Boundary = Annotated[
    datetime | date,
    PlainValidator(instant_or_day),
    WithJsonSchema({"type": "string", "examples": ["2026-11-01", "2026-11-01T00:00:00Z"]}),
]


class PeriodIn(Strict):
    """Calendar periods in a time zone. `start` and `end` (not included) belong to custom, `days` to rolling."""

    kind: PeriodKind = PeriodKind.MONTHLY
    timezone: Line = Field(default="UTC", examples=["Europe/Berlin"])
    week_start: Weekday = Weekday.MONDAY
    anchor_day: int = Field(default=1, strict=True, ge=1, le=31)
    start: Boundary | None = Field(default=None, description="a time, or a date in the period's zone")
    end: Boundary | None = None
    days: Annotated[int, Field(strict=True, ge=1, le=MOST_ROLLING_DAYS)] | None = None


class PeriodOut(BaseModel):
    start: datetime
    end: datetime
    label: str = Field(examples=["November 2026"])
    phase: Phase


_FIELDS = {
    PeriodKind.WEEKLY: ("week_start",),
    PeriodKind.MONTHLY: ("anchor_day",),
    PeriodKind.QUARTERLY: ("anchor_day",),
    PeriodKind.YEARLY: ("anchor_day",),
    PeriodKind.CUSTOM: ("start", "end"),
    PeriodKind.ROLLING: ("days",),
    PeriodKind.DAILY: (),
}


def read_period(period: PeriodIn) -> PeriodSpec:
    """Keeps only the fields of the period's kind, so that a patch may change the kind alone."""
    if period.timezone not in calendars.zone_names():
        raise Invalid(f"{period.timezone!r} is not an IANA time zone, such as Europe/Berlin", "/period/timezone")
    kept = {name: getattr(period, name) for name in _FIELDS[period.kind]}
    for name in ("start", "end"):
        if name in kept:
            kept[name] = _boundary(kept[name], period.timezone)
    return PeriodSpec(kind=period.kind, timezone=period.timezone, **kept)


def _boundary(value: datetime | date | None, timezone: str) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return calendars.start_of(value, calendars.zone_of(timezone))


def show_period_spec(spec: PeriodSpec) -> dict[str, Any]:
    own = {name: getattr(spec, name) for name in _FIELDS[spec.kind]}
    return {"kind": spec.kind, "timezone": spec.timezone} | own


def show_period(period: Period, phase: Phase) -> PeriodOut:
    return PeriodOut(start=period.window.start, end=period.window.end, label=period.label, phase=phase)
