"""What rules read, one row a cell: float copies, which no amount of money is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Double, and_, cast, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from service.adapters.postgres.record_tables import source_states
from service.adapters.postgres.spend.day_inputs import day_of
from service.adapters.postgres.spend.hour_profiles import hours_between
from service.adapters.postgres.spend.tables import CELL, TOKENS, known_buckets, spend_days
from service.domain.rules.view import LATE, DayFigures, Figures, HourFigures
from service.domain.spend.day_split import DAY, HOUR, utc_day
from service.domain.spend.rows import Width
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell

_BUCKET = known_buckets.c


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What `known_buckets` must say of a bucket for it to count as known, and as complete."""

    known: ColumnElement[bool]
    complete: ColumnElement[bool]


PRESENT = Knowledge(true(), _BUCKET.complete)


def known_by(at: datetime) -> Knowledge:
    """As it was at a past instant. Rows without one were written by a release that did not note it."""
    known = or_(_BUCKET.known_at.is_(None), _BUCKET.known_at <= at)
    complete_by = or_(_BUCKET.complete_at.is_(None), _BUCKET.complete_at <= at)
    return Knowledge(known, and_(_BUCKET.complete, complete_by))


@dataclass(frozen=True, slots=True)
class Stretch:
    """The days and the hours that figures are asked for, at an instant."""

    as_of: datetime
    days: Sequence[date]
    hours: Window

    @property
    def first(self) -> date:
        return self.days[0]

    @property
    def today(self) -> date:
        return self.days[-1]


def stretch(as_of: datetime, days: int, hours: int) -> Stretch:
    """The last `days` UTC days, today included, and the last `hours` hours that are over."""
    as_of = as_of.astimezone(UTC)
    end = floor(as_of)
    span = [as_of.date() - back * DAY for back in range(max(days, 1) - 1, -1, -1)]
    return Stretch(as_of, span, Window(end - hours * HOUR, end))


def floor(instant: datetime) -> datetime:
    """The beginning of its UTC hour."""
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


async def figures_in(connection: AsyncConnection, source_id: str, now: datetime, *, days: int, hours: int) -> Figures:
    """What is known at `now`, which is the present."""
    asked = stretch(now, days, hours)
    hourly = None
    if hours:
        found = await hours_between(connection, source_id, asked.hours)
        read_at = await usage_read_at(connection, source_id)
        hourly = await hour_figures(connection, source_id, asked.hours, found, PRESENT, read_at)
    return Figures(
        as_of=asked.as_of,
        days=asked.days,
        cells=await _cells(connection, source_id, asked),
        unknown_days=await unknown_days(connection, source_id, asked, PRESENT),
        settled_until=await settled_until(connection, source_id, PRESENT),
        hours=hourly,
    )


async def _cells(connection: AsyncConnection, source_id: str, asked: Stretch) -> dict[Cell, dict[date, DayFigures]]:
    cell = tuple(spend_days.c[name] for name in CELL)
    figures = figures_of(spend_days.c)
    rows = await connection.execute(
        select(*cell, func.array_agg(spend_days.c.day - asked.first), *(func.array_agg(figure) for figure in figures))
        .where(
            spend_days.c.source_id == source_id,
            spend_days.c.day.between(asked.first, asked.today),
            or_(*(figure != 0 for figure in figures)),
        )
        .group_by(*cell)
    )
    return {
        Cell(workspace, model, api_key): {
            asked.days[number]: DayFigures(*known) for number, *known in zip(numbers, *columns, strict=True)
        }
        for workspace, model, api_key, numbers, *columns in rows
    }


def figures_of(columns: ReadOnlyColumnCollection[str, Any]) -> list[ColumnElement[float]]:
    """The parts of DayFigures, in their order."""
    parts = (columns.billed + columns.estimated, *(columns[name] for name in TOKENS), columns.priority)
    return [cast(part, Double) for part in parts]


async def unknown_days(
    connection: AsyncConnection, source_id: str, asked: Stretch, knowledge: Knowledge
) -> frozenset[date]:
    """Days that neither the bill has contained, nor usage reports with all the hours that are over."""
    is_hour = _BUCKET.width == Width.HOUR.value
    over = and_(is_hour, _BUCKET.bucket <= asked.as_of - HOUR)
    rows = await connection.execute(
        select(
            day_of(known_buckets).label("day"),
            func.bool_or(_BUCKET.width == Width.DAY.value),
            func.count().filter(is_hour),
            func.count().filter(over),
        )
        .where(
            _BUCKET.source_id == source_id,
            _BUCKET.width.in_((Width.DAY.value, Width.HOUR.value)),
            _BUCKET.bucket >= utc_day(asked.first).start,
            knowledge.known,
        )
        .group_by("day")
    )
    known = {day for day, billed, read, closed in rows if billed or (read and closed >= _hours_over(day, asked.as_of))}
    return frozenset(asked.days) - known


def _hours_over(day: date, as_of: datetime) -> int:
    """How many hours of the UTC day are over."""
    return (min(utc_day(day).end, as_of) - utc_day(day).start) // HOUR


async def settled_until(connection: AsyncConnection, source_id: str, knowledge: Knowledge) -> datetime | None:
    """The end of the newest settled day."""
    newest = await _newest_complete(connection, source_id, Width.DAY, knowledge)
    return None if newest is None else newest + DAY


async def hour_figures(
    connection: AsyncConnection,
    source_id: str,
    hours: Window,
    cells: Mapping[Cell, Sequence[float]],
    knowledge: Knowledge,
    read_at: datetime | None,
) -> HourFigures:
    """`read_at`: when usage was read last."""
    buckets = await connection.scalars(
        select(_BUCKET.bucket).where(
            _BUCKET.source_id == source_id,
            _BUCKET.width == Width.HOUR.value,
            _BUCKET.bucket >= hours.start,
            _BUCKET.bucket < hours.end,
            knowledge.known,
        )
    )
    known = [False] * ((hours.end - hours.start) // HOUR)
    for bucket in buckets:
        known[(bucket - hours.start) // HOUR] = True
    newest = await _newest_complete(connection, source_id, Width.HOUR, knowledge)
    mature = None if newest is None or read_at is None else floor(min(newest + HOUR, read_at - LATE))
    spending = {cell: costs for cell, costs in cells.items() if any(costs)}
    return HourFigures(hours.start, known, spending, mature)


async def usage_read_at(connection: AsyncConnection, source_id: str) -> datetime | None:
    read_at: datetime | None = await connection.scalar(
        select(source_states.c.usage_read_at).where(source_states.c.source_id == source_id)
    )
    return read_at


async def _newest_complete(
    connection: AsyncConnection, source_id: str, width: Width, knowledge: Knowledge
) -> datetime | None:
    newest: datetime | None = await connection.scalar(
        select(func.max(_BUCKET.bucket)).where(
            _BUCKET.source_id == source_id, _BUCKET.width == width.value, knowledge.complete
        )
    )
    return None if newest is None else newest.astimezone(UTC)
