from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.spend.retention import Slices, forget_slices
from service.adapters.postgres.spend.tables import day_versions, known_buckets
from tests.statements import counted

FIRST = date(2025, 12, 1)
WEEK = timedelta(days=7)


def version(source: str, day: date) -> dict[str, object]:
    return {"source_id": source, "day": day, "known_on": day, "assumed": False, "settled": True}


async def fill(engine: AsyncEngine, sources: int, days: int) -> None:
    rows = [version(f"src_{n}", FIRST + timedelta(days=day)) for n in range(sources) for day in range(days)]
    async with engine.begin() as connection:
        await connection.execute(insert(day_versions), rows)


async def left(engine: AsyncEngine) -> list[tuple[str, date]]:
    columns = day_versions.c.source_id, func.min(day_versions.c.day)
    async with engine.connect() as connection:
        query = select(*columns).group_by(day_versions.c.source_id).order_by(day_versions.c.source_id)
        return [tuple(row) for row in await connection.execute(query)]


async def test_each_transaction_has_a_week_of_one_source(engine: AsyncEngine) -> None:
    await fill(engine, sources=3, days=40)
    until = date(2026, 1, 1)
    old = Slices(day_versions, day_versions.c.day, until, WEEK)
    assert await forget_slices(engine.begin, old) == 3 * 5
    assert await left(engine) == [(f"src_{n}", until) for n in range(3)]


async def test_where_nothing_is_old_sources_cost_a_look_each_and_rows_nothing(engine: AsyncEngine) -> None:
    await fill(engine, sources=3, days=2)
    old = Slices(day_versions, day_versions.c.day, FIRST, WEEK)
    with counted(engine) as for_few:
        assert await forget_slices(engine.begin, old) == 0
    async with engine.begin() as connection:
        later = [version(f"src_{n}", FIRST + timedelta(days=100 + day)) for n in range(3) for day in range(50)]
        await connection.execute(insert(day_versions), later)
    with counted(engine) as for_many:
        assert await forget_slices(engine.begin, old) == 0
    assert for_many == for_few


async def test_what_is_cut_short_goes_on_at_the_next_call(engine: AsyncEngine) -> None:
    """A gap of months is one step, too."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    rows = [
        {"source_id": "src_1", "width": "1d", "bucket": start + timedelta(days=days), "complete": True}
        for days in (0, 200, 400)
    ]
    async with engine.begin() as connection:
        await connection.execute(insert(known_buckets), rows)
    old = Slices(known_buckets, known_buckets.c.bucket, start + timedelta(days=300), WEEK)
    assert await forget_slices(engine.begin, old) == 2
    assert await forget_slices(engine.begin, old) == 0
