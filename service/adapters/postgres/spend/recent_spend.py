"""The recent spend that forecasts learn from, one row a cell: float copies, of which no amount of money is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from operator import add

from sqlalchemy import ColumnElement, Double, FromClause, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.hour_profiles import named, usual_hours
from service.adapters.postgres.spend.memory.day_columns import FigureMemory, columns_in
from service.adapters.postgres.spend.memory.sums import Sum
from service.adapters.postgres.spend.spenders.days import spender_days
from service.adapters.postgres.spend.tables import held_by, known_buckets, spend_days
from service.adapters.postgres.tables import source_states
from service.domain.forecasts.recent import USUAL_DAYS, UTC_DAYS, RecentSpend, Reports, first_day
from service.domain.spend.rows import Width
from service.domain.values.scopes import ALL_DIMENSIONS, EVERYTHING, FINEST, Cell, Grain, Scope, tells_spenders
from service.domain.values.utc import DAY, midnight


async def recent_in(
    connection: AsyncConnection,
    memory: FigureMemory,
    source_id: str,
    now: datetime,
    grain: Grain = FINEST,
    within: Scope = EVERYTHING,
) -> RecentSpend:
    """The spend of the last weeks as known at `now`, of the cells that a scope holds."""
    first = first_day(now)
    reports = await _reports(connection, source_id, midnight(first))
    today = first + (UTC_DAYS - 1) * DAY
    spend = await _spend(connection, memory, Sum(source_id, first, today + DAY, grain, within))
    told = replace(within, actors=(), products=())
    usual = await usual_hours(connection, source_id, today - USUAL_DAYS * DAY, today, grain & FINEST, told)
    return RecentSpend(
        now=now,
        spend=spend,
        usual_hours=_of_spenders(usual, spend) if tells_spenders(grain) else usual,
        known=reports.known(now),
    )


def _of_spenders(usual: Mapping[Cell, tuple[float, ...]], cells: Iterable[Cell]) -> dict[Cell, tuple[float, ...]]:
    """The hours of the cell that each lies in: of actors nothing else is known."""
    return {cell: usual[home] for cell in cells if (home := cell.at(FINEST)) in usual}


async def _spend(connection: AsyncConnection, memory: FigureMemory, wanted: Sum) -> Mapping[Cell, tuple[float, ...]]:
    """Evaluations ask for finest cells: the very days that rules look at, of which only those that changed are read.

    Actors and products are read each time.
    """
    if wanted.grain == FINEST and wanted.within == EVERYTHING:
        columns = (await columns_in(connection, wanted.source_id, wanted.days, memory)).columns
        cells = columns.cells()
        return dict(zip(cells, map(tuple, columns.spend(wanted.days, cells).tolist()), strict=True))
    if tells_spenders(wanted.grain):
        rows = spender_days([wanted.source_id], wanted.first, wanted.end)
        return await _summed(connection, wanted, (rows.c.day >= wanted.first) & (rows.c.day < wanted.end), rows)

    async def read(days: ColumnElement[bool]) -> dict[Cell, tuple[float, ...]]:
        return await _summed(connection, wanted, days)

    whole, *rest = await memory.recent.of(connection, wanted, read)
    spend = dict(whole)
    for cell, row in (item for part in rest for item in part.items()):
        spend[cell] = tuple(map(add, spend[cell], row)) if cell in spend else row
    return spend


async def _summed(
    connection: AsyncConnection, wanted: Sum, days_read: ColumnElement[bool], rows: FromClause = spend_days
) -> dict[Cell, tuple[float, ...]]:
    column, grain = rows.c, wanted.grain
    names = [dimension.value for dimension in ALL_DIMENSIONS if dimension in grain]
    by_day = (
        select(
            *(column[name] for name in names), column.day, func.sum(column.billed + column.estimated).label("amount")
        )
        .where(column.source_id == wanted.source_id, days_read, *held_by(wanted.within, rows))
        .group_by(*(column[name] for name in names), column.day)
        .subquery()
    )
    kept = [by_day.c[name] for name in names]
    days = (func.array_agg(by_day.c.day - wanted.first), func.array_agg(cast(by_day.c.amount, Double)))
    spend: dict[Cell, tuple[float, ...]] = {}
    for *ids, places, amounts in await connection.execute(select(*kept, *days).group_by(*kept)):
        if places is None:  # nothing at all: a sum over no rows is a row
            continue
        row = [0.0] * UTC_DAYS
        for place, dollars in zip(places, amounts, strict=True):
            row[place] = dollars
        spend[named(ids, grain)] = tuple(row)
    return spend


async def _reports(connection: AsyncConnection, source_id: str, since: datetime) -> Reports:
    rows = await connection.execute(
        select(known_buckets.c.width, known_buckets.c.bucket, known_buckets.c.complete).where(
            known_buckets.c.source_id == source_id,
            known_buckets.c.width.in_((Width.DAY.value, Width.HOUR.value)),
            known_buckets.c.bucket >= since,
        )
    )
    buckets = [(width, bucket.astimezone(UTC), complete) for width, bucket, complete in rows]
    days = [(bucket.date(), complete) for width, bucket, complete in buckets if width == Width.DAY.value]
    return Reports(
        billed_days=frozenset(day for day, _ in days),
        settled_days=frozenset(day for day, complete in days if complete),
        used_hours=frozenset(bucket for width, bucket, _ in buckets if width == Width.HOUR.value),
        bill_read_at=await connection.scalar(
            select(source_states.c.cost_read_at).where(source_states.c.source_id == source_id)
        ),
    )
