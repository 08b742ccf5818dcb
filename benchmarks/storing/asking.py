"""Questions of /v1/spend about 30 days, at growing numbers of workspaces, beside the barest sum in SQL."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.adapters.postgres.spend.facts import PostgresFacts
from service.adapters.postgres.spend.spend_groups import figures_by_bucket, largest
from service.domain.spend.questions import SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.periods import Window
from service.domain.values.scopes import FINEST, Dimension, Grain, Scope
from storing.table import DAY, NOW, Row, best_of, times

SIZES = (100, 1_000, 10_000)
PART = 50
"""Groups in an answer."""
MOST = 20_000
MONTH = Window(NOW - 30 * DAY, NOW)
BARE = "SELECT sum(billed + estimated) FROM spend_days WHERE source_id = :source AND day >= :first AND day < :end"


async def measure(engine: AsyncEngine) -> list[Row]:
    return [row for size in SIZES for row in await _measure(engine, size)]


async def _measure(engine: AsyncEngine, workspaces: int) -> list[Row]:
    source = f"src_{workspaces}"
    await _furnish(engine, source, workspaces)
    whole = SpendQuestion(source, MONTH, Width.DAY, Scope(), Dimension.ORGANISATION)
    by_workspace = SpendQuestion(source, MONTH, Width.DAY, Scope(), Dimension.WORKSPACE)
    values = {"source": source, "first": MONTH.start.date(), "end": MONTH.end.date()}
    async with engine.connect() as connection:
        bare, _ = await best_of(lambda: connection.execute(text(BARE), values))
        series, _ = await best_of(lambda: figures_by_bucket(connection, whole, MOST))
        breakdown, found = await best_of(lambda: largest(connection, by_workspace, PART, 0))
        each, _ = await best_of(lambda: _status(connection, source, FINEST))
        coarse, _ = await best_of(lambda: _status(connection, source, frozenset()))
    assert len(found.groups) == PART
    amount = f"{workspaces:,} workspaces"
    return [
        Row("the bare sum in SQL", amount, bare, ""),
        Row("a series of 30 days", amount, series, "", times(series, bare, "the sum")),
        Row("a breakdown by workspace", amount, breakdown, "", times(breakdown, bare, "the sum")),
        Row("what a budget's status reads, cell by cell", amount, each, "", times(each, bare, "the sum")),
        Row("the same added up, for one of all workspaces", amount, coarse, "", times(coarse, bare, "the sum")),
    ]


async def _status(connection: AsyncConnection, source: str, grain: Grain) -> None:
    """Reads a month's spend, and what its forecast learns from."""
    facts = PostgresFacts(connection)
    await facts.spend(source, MONTH, NOW, grain)
    await facts.recent(source, NOW, grain)


async def _furnish(engine: AsyncEngine, source: str, workspaces: int) -> None:
    statement = (
        "INSERT INTO spend_days SELECT :source, day::date, 'wrkspc_' || n, 'claude-sonnet-4-5', '', 1.25, 0, 1.25, 0, 0"
        " FROM generate_series(CAST(:start AS timestamptz), CAST(:end AS timestamptz) - interval '1 day', '1 day') day,"
        " generate_series(1, :workspaces) n"
    )
    values = {"source": source, "workspaces": workspaces, "start": MONTH.start, "end": MONTH.end}
    async with engine.begin() as connection:
        await connection.execute(text(statement), values)
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("VACUUM ANALYZE spend_days"))
