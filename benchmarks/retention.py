"""What forgetting a month of 5 M rows costs, and how long anybody waits for it.

    python benchmarks/retention.py     # about three minutes; its own PostgreSQL in a temporary folder, gone afterwards

A month of one source: 5 M hours of usage with a revision each, and 10,000 cells whose 30 days had four versions each.
Beside it the same rows by one DROP and one DELETE a table in one transaction. What counts is the longest transaction:
so long a source's polls may wait, and no longer than a statement may take (15 minutes).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from time import perf_counter

from report import report
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from storing.table import DAY, HOUR, database

from service.adapters.postgres.spend.partitions import PostgresStorage
from service.domain.values.periods import Window
from service.domain.values.utc import midnight

FACTS = 5_000_000
HOURS, SERIES = 30 * 24, FACTS // (30 * 24)
CELLS = 10_000
MONTHS = date(2024, 6, 1), date(2024, 8, 1)
FILLS = (
    "INSERT INTO usage_hours SELECT 'src_1', CAST(:start AS timestamptz) + h * interval '1 hour', s, 1000, 1.25"
    " FROM generate_series(0, :hours - 1) h, generate_series(1, :series) s",
    "INSERT INTO revisions SELECT 'src_1', CAST(:start AS timestamptz) + h * interval '1 hour', s, '1h',"
    " nextval('revisions_id_seq'), :start, false, 1.25, 1000, 'poll_1'"
    " FROM generate_series(0, :hours - 1) h, generate_series(1, :series) s",
    "INSERT INTO spend_day_versions SELECT 'src_1', CAST(:day AS date) + d, 'wrkspc_' || c, 'claude-sonnet-4-5', '',"
    " CAST(:day AS date) + d + k, 1.25, 0, 1.25, 0, 0, 0, 0, 0"
    " FROM generate_series(0, 29) d, generate_series(1, :cells) c, generate_series(0, 3) k",
    "INSERT INTO usage_day_profiles SELECT 'src_1', CAST(:day AS date) + d, 'wrkspc_' || c, 'claude-sonnet-4-5', '',"
    " array_fill(0.5::float8, ARRAY[24]) FROM generate_series(0, 29) d, generate_series(1, :cells) c",
)
WHOLE = (
    'DROP TABLE "usage_hours_{month}"',
    'DROP TABLE "revisions_{month}"',
    "DELETE FROM spend_day_versions WHERE day < :until",
    "DELETE FROM usage_day_profiles WHERE day < :until",
)


class TimedStorage(PostgresStorage):
    """Notes how long its longest transaction was."""

    longest = 0.0

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        began = perf_counter()
        async with super()._transaction() as connection:
            yield connection
        self.longest = max(self.longest, perf_counter() - began)


async def fill(engine: AsyncEngine, first: date) -> None:
    start = midnight(first)
    await PostgresStorage(engine).make_room(Window(start, start + 30 * DAY))
    values = {"start": start, "day": first, "hours": HOURS, "series": SERIES, "cells": CELLS}
    async with engine.begin() as connection:
        for statement in FILLS:
            names = [name for name in values if f":{name}" in statement]
            await connection.execute(text(statement), {name: values[name] for name in names})
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("VACUUM ANALYZE"))


async def at_once(engine: AsyncEngine, first: date) -> float:
    """The same by one transaction."""
    until = (midnight(first) + 31 * DAY).date()
    began = perf_counter()
    async with engine.begin() as connection:
        for statement in WHOLE:
            month = f"{first:%Y_%m}"
            await connection.execute(
                text(statement.format(month=month)), {"until": until} if "until" in statement else {}
            )
    return perf_counter() - began


async def main() -> None:
    async with database() as (_, engine):
        await fill(engine, MONTHS[0])
        anchor = await at_once(engine, MONTHS[0])
        await fill(engine, MONTHS[1])
        storage = TimedStorage(engine)
        began = perf_counter()
        await storage.forget(facts_before=date(2024, 9, 1), minutes_before=midnight(date(2024, 9, 1)) - 2 * HOUR)
        whole = perf_counter() - began
    size = f"a month of {FACTS:,} facts and {CELLS:,} cells"
    report(f"forgetting {size}", whole, "s", anchor=f"{anchor:.3g} s in one transaction")
    report("its longest transaction", storage.longest, "s", anchor=f"{anchor:.3g} s")


if __name__ == "__main__":
    asyncio.run(main())
