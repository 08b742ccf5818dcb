"""A report's rows on their way in, new and unchanged, against the upsert that anyone would write first."""

from __future__ import annotations

from decimal import Decimal

import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.addresses import libpq_url
from service.adapters.postgres.spend.facts import PostgresFacts
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.domain.sources.pricing import Measure
from service.domain.spend.rows import Bucket, Dimensions, UsageFact, Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.workflows.ports.spend import Changes, Stamp
from storing.table import HOUR, NOW, Row, timed, times

CELLS, HOURS = 1000, 72


def hours() -> list[Bucket[UsageFact]]:
    """Three days of hours in which every cell used tokens."""
    cells = [
        Dimensions(f"wrkspc_{n % 50}", "claude-sonnet-4-5", token_type=Measure.OUTPUT, api_key=f"apikey_{n}")
        for n in range(CELLS)
    ]
    starts = [NOW - number * HOUR for number in range(HOURS, 0, -1)]
    return [
        Bucket(Window(start, start + HOUR), tuple(UsageFact(cell, 1000 + n, cost(n)) for n, cell in enumerate(cells)))
        for start in starts
    ]


def cost(number: int) -> Money:
    return Money(Decimal(15_000 + number).scaleb(-6))


async def measure(engine: AsyncEngine, url: str) -> list[Row]:
    buckets = hours()
    count = CELLS * HOURS
    await PostgresStorage(engine).make_room(Window(NOW - HOURS * HOUR, NOW))

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
