"""The types of values in documents. Each refuses what storage could not hold."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

from service.domain.values.clocks import FIRST_YEAR, LAST_YEAR
from service.domain.values.durations import format_duration, parse_duration
from service.domain.values.money import Money

_AMOUNT = re.compile(r"[0-9]{1,11}(\.[0-9]{1,12})?")
_LONG_AMOUNT = re.compile(r"[0-9]+(\.[0-9]+)?")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OWN_ID = re.compile(r"[a-z]+_[0-9a-f]{32}")


class Strict(BaseModel):
    """A document in which an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# ------------------------------------------------------------------------------------------- texts


def _plain_name(text: str) -> str:
    if text != text.strip():
        raise ValueError("a name neither starts nor ends with a space")
    if text in {".", ".."}:
        raise ValueError("this is a folder in a path; choose another name")
    if _OWN_ID.fullmatch(text):
        raise ValueError("this has the form of an id; choose another name")
    return text


LINE = r"^[^\x00-\x1f\x7f]*$"
Line = Annotated[str, StringConstraints(max_length=500, pattern=LINE)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=LINE), AfterValidator(_plain_name)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=LINE)]
Note = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
LABEL_KEY = r"[A-Za-z_][A-Za-z0-9_./-]{0,62}"
LabelKey = Annotated[str, StringConstraints(pattern=rf"^{LABEL_KEY}$")]
Labels = Annotated[dict[LabelKey, Line], Field(max_length=50, examples=[{"team": "eng"}])]

# ------------------------------------------------------------------------------------------- numbers and times


def _dollars(value: object) -> Money:
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        return Money.of(value)
    if isinstance(value, str) and _LONG_AMOUNT.fullmatch(value):
        raise ValueError("too long: at most 11 digits before the point and 12 behind it")
    if isinstance(value, str) and _LONG_AMOUNT.fullmatch(value.removeprefix("-")):
        raise ValueError("must not be negative")
    raise ValueError('write US dollars as a decimal string, such as "5000.00"')


Dollars = Annotated[
    Money,
    PlainValidator(_dollars),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_AMOUNT.pattern}$", "examples": ["5000.00"]}),
]
"""An amount that a request gives, not negative."""

Usd = Annotated[str, Field(description="US dollars, exact", examples=["123.456789"])]
"""An amount that an answer gives."""


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("write a number")
    if isinstance(value, int) and abs(value) > 10**12:
        raise ValueError("too large")
    return value


def _as_number(value: Decimal) -> int | float:
    return int(value) if value == int(value) else float(value)


Percent = Annotated[
    Decimal,
    BeforeValidator(_number, json_schema_input_type=float),
    Field(gt=0, le=10000, max_digits=9, decimal_places=4),
    PlainSerializer(_as_number, return_type=float),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 10000, "examples": [80]}),
]

PercentOrMore = Annotated[
    Decimal,
    BeforeValidator(_number, json_schema_input_type=float),
    Field(ge=0, le=100_000, max_digits=10, decimal_places=4),
    PlainSerializer(_as_number, return_type=int | float),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100_000, "examples": [30]}),
]
"""A percentage that may be 0, and far above 100."""


def rounded(percent: Decimal) -> float:
    """Returns a percentage for an answer: two decimals, rounded towards zero as everywhere. 99.996 is not 100 yet."""
    return float(percent.quantize(Decimal("0.01"), rounding=ROUND_DOWN))


def _duration(value: object) -> timedelta:
    if not isinstance(value, str):
        raise ValueError('write a duration such as "15m", "4h" or "2d"')
    return parse_duration(value)


Duration = Annotated[
    timedelta,
    PlainValidator(_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,7}[smhd]$", "examples": ["15m"]}),
]


def _instant(value: object) -> datetime:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise ValueError("write an RFC 3339 time such as 2026-11-01T00:00:00Z")
    try:
        instant = datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError("there is no such time: check the day, the hour and the offset from UTC") from error
    return _in_our_age(instant)


def _instant_or_date(value: object) -> datetime:
    if isinstance(value, str) and _DATE.fullmatch(value):
        return _in_our_age(datetime.combine(_day(value), time(), UTC))
    return _instant(value)


def instant_or_day(value: object) -> datetime | date:
    """Returns a time, or a date whose midnight depends on a zone that is yet to be known."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        return _day(value)
    return _instant(value)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError("there is no such day in the calendar") from error


def calendar_day(value: object) -> date:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("write a day such as 2026-11-01")
    day = _day(value)
    _require_our_age(day)
    return day


def _in_our_age(instant: datetime) -> datetime:
    _require_our_age(instant)
    _require_our_age(instant.astimezone(UTC))
    return instant.astimezone(UTC)


def _require_our_age(day: date) -> None:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"outside the years {FIRST_YEAR} to {LAST_YEAR}")


_INSTANT_SCHEMA = {"type": "string", "format": "date-time", "examples": ["2026-11-01T00:00:00Z"]}
Instant = Annotated[datetime, PlainValidator(_instant), WithJsonSchema(_INSTANT_SCHEMA)]
InstantOrDate = Annotated[
    datetime,
    PlainValidator(_instant_or_date),
    WithJsonSchema({"type": "string", "examples": ["2026-11-01", "2026-11-01T00:00:00Z"]}),
]
"""A time, or a date for its midnight UTC."""
