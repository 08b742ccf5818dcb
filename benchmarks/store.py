"""What the store costs, in ratios of one run on one machine: loading, summing, claiming, comparing with budgets.

    python -m benchmarks.store          # about a minute; its own PostgreSQL in a temporary folder, gone afterwards

Seconds differ between machines and days; the ratios are what docs and design lean on.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.embedded_postgres import EmbeddedPostgres
from service.adapters.postgres.day_inputs import costs_in
from service.adapters.postgres.engine import create_engine, libpq_url
from service.adapters.postgres.facts import PostgresFacts
from service.adapters.postgres.migrate import upgrade
from service.adapters.postgres.partitions import PostgresStorage
from service.adapters.postgres.spend import spend_in
from service.adapters.postgres.unit_of_work import uow_factory
from service.domain.alerts import Severity
from service.domain.assessment import Known, assess, live_windows
from service.domain.budgets import Budget, Threshold
from service.domain.money import Money
from service.domain.periods import PeriodKind, PeriodSpec, Window
from service.domain.pricing import Measure
from service.domain.resources import Resource, Sealed
from service.domain.scopes import Cell, Dimension, Scope
from service.domain.sources import Source, SourceKind, SourceState
from service.domain.spend import Bucket, Dimensions, Spend, SpendDay, UsageFact, Width
from service.workflows.ports import Changes, Stamp, UowFactory

NOW = datetime(2026, 11, 16, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
YEAR = Window(NOW - 365 * DAY, NOW)

CELLS, LOADED_HOURS, BUSY_HOURS = 1000, 72, 4
SOURCES, CLAIMERS = 4000, 4
BUDGETS, WORKSPACES, MODELS = 200, 50, 4

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: `ratio` is how many times longer it took than what it is compared with."""

    what: str
    amount: str
    seconds: float
    rate: str
    ratio: str = ""


async def timed(work: Callable[[], Awaitable[T]]) -> tuple[float, T]:
    began = time.perf_counter()
    result = await work()
    return time.perf_counter() - began, result


def times(seconds: float, reference: float, name: str) -> str:
    return f"{seconds / reference:.1f} x {name}"


# ----------------------------------------------------------------------------------------- loading


def hours() -> list[Bucket[UsageFact]]:
    """Three days of hours in which every cell used tokens."""
    cells = [
        Dimensions(f"wrkspc_{n % WORKSPACES}", "claude-sonnet-4-5", token_type=Measure.OUTPUT, api_key=f"apikey_{n}")
        for n in range(CELLS)
    ]
    starts = [NOW - number * HOUR for number in range(LOADED_HOURS, 0, -1)]
    return [
        Bucket(Window(start, start + HOUR), tuple(UsageFact(cell, 1000 + n, cost(n)) for n, cell in enumerate(cells)))
        for start in starts
    ]


def cost(number: int) -> Money:
    return Money(Decimal(15_000 + number).scaleb(-6))


async def loading(engine: AsyncEngine, url: str) -> list[Row]:
    buckets = hours()
    count = CELLS * LOADED_HOURS
    await PostgresStorage(engine).make_room(YEAR)

    async def read(poll: str) -> Changes:
        async with engine.begin() as connection:
            return await PostgresFacts(connection).replace_usage(Stamp("src_load", poll, NOW), Width.HOUR, buckets)

    first, changes = await timed(lambda: read("poll_1"))
    assert changes.added == count
    again, changes = await timed(lambda: read("poll_2"))
    assert (changes.added, changes.changed, changes.gone) == (0, 0, 0)
    insert, upsert = await upserted(engine, url)
    return [
        Row("first load: COPY, merge, revisions", f"{count:,} rows", first, f"{count / first:,.0f} rows/s"),
        Row("the same read again: COPY, merge", "0 written", again, f"{count / again:,.0f} rows/s"),
        Row("the same by executemany upsert", "first load", insert, f"{count / insert:,.0f} rows/s"),
        Row(
            "the same upsert again",
            "all written",
            upsert,
            f"{count / upsert:,.0f} rows/s",
            times(upsert, again, "the merge"),
        ),
    ]


async def upserted(engine: AsyncEngine, url: str) -> tuple[float, float]:
    """Seconds of the same rows written one statement each, pipelined, into a table of the same shape."""
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE upserted (LIKE usage_hours INCLUDING ALL)"))
        stored = await connection.execute(
            text("SELECT source_id, bucket, series_id, quantity, cost FROM usage_hours WHERE source_id = 'src_load'")
        )
        rows = [tuple(row) for row in stored]

    async def write() -> None:
        async with await psycopg.AsyncConnection.connect(libpq_url(url)) as connection, connection.cursor() as cursor:
            await cursor.executemany(
                "INSERT INTO upserted VALUES (%s, %s, %s, %s, %s) ON CONFLICT (source_id, bucket, series_id)"
                " DO UPDATE SET quantity = excluded.quantity, cost = excluded.cost",
                rows,
            )

    return (await timed(write))[0], (await timed(write))[0]


# ----------------------------------------------------------------------------------------- summing


async def summing(engine: AsyncEngine) -> list[Row]:
    await furnish_year(engine)
    async with engine.connect() as connection:
        by_day, spend = await best_of(lambda: spend_in(connection, "src_year", YEAR, NOW))
        by_hour, costs = await best_of(lambda: costs_in(connection, "src_year", [YEAR]))
    assert len(spend) == len(costs) == CELLS
    assert Money.total(one.total for one in spend.values()) == Money.total(one[YEAR] for one in costs.values())
    days, facts = CELLS * 365, CELLS * 365 * BUSY_HOURS
    return [
        Row("a year's sum by cell: daily rollup", f"{days:,} rows", by_day, f"{days / by_day:,.0f} rows/s"),
        Row(
            f"the same: hourly facts, {BUSY_HOURS} a day",
            f"{facts:,} rows",
            by_hour,
            f"{facts / by_hour:,.0f} rows/s",
            times(by_hour, by_day, "the rollup"),
        ),
    ]


async def furnish_year(engine: AsyncEngine) -> None:
    """A year of cells that are busy for the same few hours of every day, as facts and as their rollup."""
    statements = (
        "INSERT INTO series (source_id, kind, workspace, model, token_type, api_key, key)"
        " SELECT 'src_year', 'usage', 'wrkspc_' || n % :workspaces, 'claude-sonnet-4-5', 'output_tokens',"
        " 'apikey_' || n, decode(md5(n::text), 'hex') FROM generate_series(1, :cells) n",
        "INSERT INTO usage_hours (source_id, bucket, series_id, quantity, cost)"
        " SELECT 'src_year', day + make_interval(hours => h), id, 1000, 0.25"
        " FROM generate_series(CAST(:start AS timestamptz), CAST(:end AS timestamptz) - interval '1 day', '1 day') day,"
        " generate_series(9, 8 + :hours) h, series WHERE source_id = 'src_year'",
        "INSERT INTO spend_days SELECT source_id, bucket::date, workspace, model, api_key,"
        " 0, sum(cost), sum(cost), 0, 0 FROM usage_hours JOIN series USING (source_id)"
        " WHERE source_id = 'src_year' AND series.id = series_id GROUP BY 1, 2, 3, 4, 5",
    )
    values = {"workspaces": WORKSPACES, "cells": CELLS, "hours": BUSY_HOURS, "start": YEAR.start, "end": YEAR.end}
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement), values)
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("VACUUM ANALYZE"))


async def best_of(work: Callable[[], Awaitable[T]], runs: int = 3) -> tuple[float, T]:
    """The fastest run: the first one fills caches."""
    results = [await timed(work) for _ in range(runs)]
    return min(seconds for seconds, _ in results), results[-1][1]


# ---------------------------------------------------------------------------------------- claiming


async def claiming(uow: UowFactory) -> list[Row]:
    await add_sources(uow)
    alone, shared = [await claim_all(uow, claimers, at) for claimers, at in ((1, NOW), (CLAIMERS, NOW + DAY))]
    return [
        Row("due sources claimed by 1 worker", f"{SOURCES:,} sources", alone, f"{SOURCES / alone:,.0f} sources/s"),
        Row(
            f"by {CLAIMERS} workers at once, none twice",
            f"{SOURCES:,} sources",
            shared,
            f"{SOURCES / shared:,.0f} sources/s",
            times(shared, alone, "one worker"),
        ),
    ]


async def add_sources(uow: UowFactory) -> None:
    secret = Sealed("not a real ciphertext", "...fake", "0123456789abcdef")
    spec = Source(SourceKind.CLAUDE_ADMIN, "http://127.0.0.1:1", secret)
    async with uow() as unit:
        for number in range(SOURCES):
            id = f"src_{number:05}"
            await unit.sources.add(Resource(id, id, 1, NOW, NOW, {}, spec))
            await unit.feeds.add(SourceState(id, fence=0, next_poll_at=NOW))


async def claim_all(uow: UowFactory, claimers: int, at: datetime) -> float:
    """Seconds until every due source is claimed, each exactly once."""

    async def claim() -> list[str]:
        claimed: list[str] = []
        while True:
            async with uow() as unit:
                some = await unit.feeds.claim_due(at)
            if not some:
                return claimed
            claimed += some

    seconds, shares = await timed(lambda: asyncio.gather(*(claim() for _ in range(claimers))))
    ids = [id for share in shares for id in share]
    assert len(ids) == len(set(ids)) == SOURCES
    return seconds


# ----------------------------------------------------------------------------------------- budgets


async def comparing(uow: UowFactory) -> list[Row]:
    """Half of the budgets are overrun in every workspace, the other half in none."""
    await store_month(uow)
    budgets = [budget(number, amount) for number, amount in enumerate(("10.00", "1000000.00") * (BUDGETS // 2))]
    known = Known(crossings=(), open_alerts=(), names={}, now=NOW)
    (window,) = live_windows(budgets, known)
    async with uow() as unit:
        reading, cells = await best_of(lambda: unit.facts.spend("src_budgets", window, NOW))
    began = time.perf_counter()
    findings = [finding for one in budgets for finding in assess(one, {window: cells}, known)]
    seconds = time.perf_counter() - began
    assert len(findings) == BUDGETS // 2 * WORKSPACES
    return [
        Row("month's spend read, once for all", f"{len(cells)} cells", reading, f"{1 / reading:,.0f} reads/s"),
        Row(
            "budgets compared, by workspace",
            f"{BUDGETS} x {WORKSPACES} scopes",
            seconds,
            f"{BUDGETS / seconds:,.0f} budgets/s",
        ),
    ]


def budget(number: int, amount: str) -> Resource[Budget]:
    spec = Budget(
        "src_budgets",
        Scope(),
        Money.of(amount),
        PeriodSpec(PeriodKind.MONTHLY),
        thresholds=(Threshold(Severity.WARNING, percent=Decimal(100)),),
        for_each=Dimension.WORKSPACE,
    )
    return Resource(f"bud_{number}", f"budget {number}", 1, NOW, NOW, {}, spec)


async def store_month(uow: UowFactory) -> None:
    cells = [Cell(f"wrkspc_{w}", f"claude-model-{m}", "") for w in range(WORKSPACES) for m in range(MODELS)]
    known = SpendDay(Spend(billed=Money.of("1.25")))
    days = {(NOW - number * DAY).date(): dict.fromkeys(cells, known) for number in range(1, 16)}
    async with uow() as unit:
        await unit.facts.store_days("src_budgets", days)


# ------------------------------------------------------------------------------------------- table


@asynccontextmanager
async def database() -> AsyncIterator[tuple[str, AsyncEngine]]:
    """An empty, migrated database on a server as safe as the product's own."""
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder, EmbeddedPostgres(Path(folder) / "pg") as server:
        url = server.url()
        upgrade(url)
        engine = create_engine(url)
        try:
            yield url, engine
        finally:
            await engine.dispose()


def show(title: str, rows: Sequence[Row]) -> None:
    print(f"\n{title}")
    for row in rows:
        print(
            f"  {row.what:<33} {row.amount:>16} {row.seconds:>9.3f} s {row.rate:>21}   {row.ratio}".rstrip(), flush=True
        )


async def main() -> None:
    async with database() as (url, engine):
        uow = uow_factory(engine, to_real=lambda instant: instant)
        show(f"Loading {CELLS:,} cells x {LOADED_HOURS} hours of usage", await loading(engine, url))
        show(f"Summing a year of {CELLS:,} cells", await summing(engine))
        show("Claiming", await claiming(uow))
        show("Comparing spend with budgets", await comparing(uow))


if __name__ == "__main__":
    asyncio.run(main())
