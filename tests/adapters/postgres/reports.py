"""Reports for tests of the fact tables: days of cost, hours of usage."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.spend.facts import PostgresFacts
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.spend.tables import revisions, series
from service.domain.sources.pricing import Measure
from service.domain.spend.rows import TOKEN_COST, Bucket, CostRow, Dimensions, UsageFact
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.utc import HOUR, utc_day
from service.workflows.ports.spend import Stamp

SOURCE = "src_1"
DAY = date(2026, 11, 10)
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
SETTLED = datetime(2026, 11, 12, tzinfo=UTC)
"""24 hours after the end of DAY."""

ALPHA = Dimensions("wrkspc_a", "claude-sonnet-4-5", cost_type=TOKEN_COST, token_type="output_tokens")
BETA = Dimensions("wrkspc_b", "claude-haiku-5-5", cost_type=TOKEN_COST, token_type="output_tokens")


@asynccontextmanager
async def facts_of(engine: AsyncEngine) -> AsyncIterator[PostgresFacts]:
    """Facts in a transaction that commits."""
    async with engine.begin() as connection:
        yield PostgresFacts(connection)


async def make_room(engine: AsyncEngine) -> None:
    await PostgresStorage(engine).make_room(Window(NOON - timedelta(days=40), NOON + timedelta(days=40)))


def stamp(known_at: datetime = NOON, *, poll_id: str = "poll_1", source_id: str = SOURCE) -> Stamp:
    return Stamp(source_id, poll_id, known_at)


def day_of(day: date, rows: dict[Dimensions, str]) -> Bucket[CostRow]:
    """A day of the cost report, amounts in dollars."""
    return Bucket(utc_day(day), tuple(CostRow(what, Money.of(amount)) for what, amount in rows.items()))


def hour_of(start: datetime, *facts: UsageFact) -> Bucket[UsageFact]:
    return Bucket(Window(start, start + HOUR), facts)


def used(
    quantity: int,
    cost: str | None,
    *,
    workspace: str = "wrkspc_a",
    model: str = "claude-sonnet-4-5",
    api_key: str = "apikey_1",
    measure: Measure = Measure.OUTPUT,
    tier: str = "standard",
) -> UsageFact:
    about = Dimensions(workspace, model, token_type=measure.value, service_tier=tier, api_key=api_key)
    return UsageFact(about, quantity, None if cost is None else Money.of(cost))


async def amounts(engine: AsyncEngine, table: Table, value: str = "amount") -> dict[tuple[date, str], str]:
    """A fact table's values by day and workspace, as text."""
    query = select(table.c.bucket, series.c.workspace, table.c[value]).join_from(
        table, series, series.c.id == table.c.series_id
    )
    async with engine.connect() as connection:
        rows = (await connection.execute(query)).all()
    assert len({row[:2] for row in rows}) == len(rows), "more than one series of a workspace"
    return {(bucket.date(), workspace): str(value.normalize()) for bucket, workspace, value in rows}


async def told(engine: AsyncEngine) -> list[tuple[Any, ...]]:
    """Every revision in the order it was written: workspace, known at, assumed, amount, quantity, poll."""
    query = (
        select(
            series.c.workspace,
            revisions.c.known_at,
            revisions.c.assumed,
            revisions.c.amount,
            revisions.c.quantity,
            revisions.c.poll_id,
        )
        .join_from(revisions, series, series.c.id == revisions.c.series_id)
        .order_by(revisions.c.id)
    )
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(query)]
