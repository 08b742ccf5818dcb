"""Spend, read off the daily rollup and cut at the window's edges by the hours of usage."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.day_inputs import costs_in
from service.adapters.postgres.spend.tables import TOKENS, known_buckets, spend_days
from service.domain.spend.day_split import (
    DAY,
    HOUR,
    edge_parts,
    first_day_from,
    spend_in_part,
    stretches,
    utc_day,
    whole_days,
)
from service.domain.spend.rows import EstimatedDay, Spend, SpendDay, Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell

_CELL = (spend_days.c.workspace, spend_days.c.model, spend_days.c.api_key)


async def spend_in(connection: AsyncConnection, source_id: str, window: Window, now: datetime) -> dict[Cell, Spend]:
    """Best-known spend by cell. Days that the window cuts are split; their figures say so."""
    spend = await _on_whole_days(connection, source_id, window)
    for part in edge_parts(window):
        for cell, share in (await _in_part(connection, source_id, part, now)).items():
            spend[cell] = spend.get(cell, Spend()) + share
    return spend


async def days_in(connection: AsyncConnection, source_id: str, window: Window) -> list[tuple[date, Cell, SpendDay]]:
    """The days that begin in the window, in order."""
    first, end = first_day_from(window.start), first_day_from(window.end)
    rows = await connection.execute(
        select(
            *(spend_days.c.day, *_CELL, spend_days.c.billed, spend_days.c.estimated),
            *(spend_days.c.usage_cost, spend_days.c.priority, spend_days.c.unpriced_tokens),
            *(spend_days.c[name] for name in TOKENS),
        )
        .where(spend_days.c.source_id == source_id, spend_days.c.day >= first, spend_days.c.day < end)
        .order_by(spend_days.c.day, *_CELL)
    )
    return [
        (
            day,
            Cell(workspace, model, api_key),
            SpendDay(
                Spend(Money(billed), Money(estimated)), EstimatedDay(Money(cost), Money(priority), unpriced, *tokens)
            ),
        )
        for day, workspace, model, api_key, billed, estimated, cost, priority, unpriced, *tokens in rows
    ]


async def billed_since(connection: AsyncConnection, source_id: str) -> datetime | None:
    """The start of the oldest day that a report contained."""
    oldest: datetime | None = await connection.scalar(
        select(func.min(known_buckets.c.bucket)).where(
            known_buckets.c.source_id == source_id, known_buckets.c.width == Width.DAY.value
        )
    )
    return oldest


async def billed_until(connection: AsyncConnection, source_id: str) -> datetime | None:
    """The end of the newest settled day."""
    start = await _newest(connection, source_id, Width.DAY, known_buckets.c.complete)
    return None if start is None else start + DAY


async def estimated_until(connection: AsyncConnection, source_id: str) -> datetime | None:
    """The end of the newest hour that a report contained; ahead of the clock while that hour runs."""
    start = await _newest(connection, source_id, Width.HOUR)
    return None if start is None else start + HOUR


async def _newest(
    connection: AsyncConnection, source_id: str, width: Width, *where: ColumnElement[bool]
) -> datetime | None:
    newest: datetime | None = await connection.scalar(
        select(func.max(known_buckets.c.bucket)).where(
            known_buckets.c.source_id == source_id, known_buckets.c.width == width.value, *where
        )
    )
    return newest


async def _on_whole_days(connection: AsyncConnection, source_id: str, window: Window) -> dict[Cell, Spend]:
    first, end = whole_days(window)
    settled_until = await billed_until(connection, source_id)
    not_settled = spend_days.c.day >= (settled_until.date() if settled_until else date.min)
    unpriced = func.sum(spend_days.c.unpriced_tokens).filter(not_settled)
    rows = await connection.execute(
        select(*_CELL, func.sum(spend_days.c.billed), func.sum(spend_days.c.estimated), unpriced)
        .where(spend_days.c.source_id == source_id, spend_days.c.day >= first, spend_days.c.day < end)
        .group_by(*_CELL)
    )
    return {
        Cell(workspace, model, api_key): Spend(Money(billed), Money(estimated), unpriced_tokens=int(tokens or 0))
        for workspace, model, api_key, billed, estimated, tokens in rows
    }


async def _in_part(connection: AsyncConnection, source_id: str, part: Window, now: datetime) -> dict[Cell, Spend]:
    """What falls into a stretch inside one day. A cell that spent nothing that day has nothing to split."""
    costs = await costs_in(connection, source_id, stretches(part))
    spend = await _on_whole_days(connection, source_id, utc_day(part.start.date()))
    return {
        cell: spend_in_part(whole, costs.get(cell, {}), part, now) for cell, whole in spend.items() if whole != Spend()
    }
