"""What stored facts take on disk, by table, and what that costs a month at a price that you give.

    python benchmarks/disk.py                                        # a minute; its own PostgreSQL, gone afterwards
    python benchmarks/disk.py --month 5000000 --days 800 --gigabyte 0.12

Reads the report of `ingest.py` once, as a first poll does, and asks PostgreSQL for the size of every table with its
indexes. `--month` are facts of a month, `--days` the days that are kept (TOCSIN_RETENTION_DAYS), `--gigabyte` the US
dollars a month that your provider takes for a gigabyte. Facts that change later take a revision more each.
"""

from __future__ import annotations

import argparse
import asyncio

from ingest import FACTS, WHOLE, ingest
from report import report
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from storing.table import database

from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.unit_of_work import uow_factory

SIZES = text(
    "SELECT regexp_replace(relname, '_\\d{4}_?\\d{2}$', '') AS name, sum(pg_total_relation_size(oid)) AS bytes"
    " FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace GROUP BY name ORDER BY bytes DESC"
)
"""Partitions of months count for their table."""
DAYS_OF_A_MONTH = 365 / 12
GIGABYTE = 1_000_000_000


async def sizes(engine: AsyncEngine) -> dict[str, int]:
    async with engine.connect() as connection:
        return {name: int(size) for name, size in await connection.execute(SIZES)}


async def measured() -> dict[str, int]:
    """The bytes by which each table has grown."""
    async with database() as (_, engine):
        await PostgresStorage(engine).make_room(WHOLE)
        before = await sizes(engine)
        await ingest(uow_factory(engine, to_real=lambda instant: instant), "poll_1")
        grown = {name: size - before.get(name, 0) for name, size in (await sizes(engine)).items()}
    return {name: size for name, size in grown.items() if size > 0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--month", type=int, default=5_000_000, help="facts of a month")
    parser.add_argument("--days", type=int, default=800, help="days that are kept")
    parser.add_argument("--gigabyte", type=float, help="US dollars a month")
    asked = parser.parse_args()
    grown = asyncio.run(measured())
    for name, size in grown.items():
        report(f"disk, {FACTS:,} facts: {name}", size / FACTS, "bytes a fact")
    a_fact = sum(grown.values()) / FACTS
    report(f"disk, {FACTS:,} facts: all tables", a_fact, "bytes a fact", target="<= 250")
    kept = a_fact * asked.month * asked.days / DAYS_OF_A_MONTH / GIGABYTE
    what = f"disk, {asked.month:,} facts a month, kept for {asked.days} days"
    report(what, kept, "GB")
    if asked.gigabyte is not None:
        report(f"{what}, at ${asked.gigabyte} a GB and month", kept * asked.gigabyte, "US dollars a month")


if __name__ == "__main__":
    main()
