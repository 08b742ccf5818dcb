"""Month partitions: made in time, once, and dropped whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from service.adapters.postgres.engine import create_engine
from service.adapters.postgres.migrate import upgrade
from service.adapters.postgres.spend.facts import PostgresFacts
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.spend.tables import (
    PARTITIONED,
    cost_points,
    day_versions,
    known_buckets,
    revisions,
    spend_day_versions,
    spend_days,
    usage_day_profiles,
    usage_hours,
    usage_minutes,
)
from service.domain.spend.rows import Bucket, Width
from service.domain.values.periods import Window
from tests.adapters.postgres.feeding import read
from tests.adapters.postgres.reports import ALPHA, day_of, facts_of, hour_of, stamp, used


def utc(year: int, month: int, day: int = 1, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


@pytest.fixture
async def bare_engine(empty_database_url: str) -> AsyncIterator[AsyncEngine]:
    """A database of the test's own, with the schema and without partitions."""
    await asyncio.to_thread(upgrade, empty_database_url)
    engine = create_engine(empty_database_url)
    yield engine
    await engine.dispose()


async def months(engine: AsyncEngine, table: str) -> list[str]:
    query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:table AS regclass)"
    async with engine.connect() as connection:
        names = (await connection.execute(text(query), {"table": table})).scalars()
        return sorted(name.removeprefix(f"{table}_") for name in names)


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        pytest.param(
            Window(utc(2026, 11, 30, 23), utc(2027, 2)),
            ["2026_11", "2026_12", "2027_01"],
            id="across a new year, up to the month that the window's end begins",
        ),
        pytest.param(Window(utc(2026, 11, 5), utc(2026, 11, 6)), ["2026_11"], id="inside one month"),
        pytest.param(Window(utc(2026, 11), utc(2026, 11)), [], id="an empty window at a month's beginning"),
    ],
)
async def test_room_is_made_for_every_month_that_the_window_touches(
    bare_engine: AsyncEngine, window: Window, expected: list[str]
) -> None:
    await PostgresStorage(bare_engine).make_room(window)
    assert {table.name: await months(bare_engine, table.name) for table in PARTITIONED} == {
        table.name: expected for table in PARTITIONED
    }


async def test_making_room_again_and_by_several_at_once_makes_each_month_once(bare_engine: AsyncEngine) -> None:
    storage = PostgresStorage(bare_engine)
    windows = [Window(utc(2026, month), utc(2026, month + 2)) for month in (8, 9, 8, 9, 8)]
    await asyncio.gather(*(storage.make_room(window) for window in windows))
    await storage.make_room(windows[0])
    assert await months(bare_engine, "cost_points") == ["2026_08", "2026_09", "2026_10"]


async def test_room_is_made_while_somebody_is_writing(bare_engine: AsyncEngine) -> None:
    storage = PostgresStorage(bare_engine)
    await storage.make_room(Window(utc(2026, 11), utc(2026, 12)))
    async with bare_engine.begin() as writing, asyncio.timeout(10):
        await PostgresFacts(writing).replace_cost(stamp(), [day_of(date(2026, 11, 3), {ALPHA: "1"})])
        await storage.make_room(Window(utc(2026, 12), utc(2027, 1)))
    assert await months(bare_engine, "cost_points") == ["2026_11", "2026_12"]


async def test_both_ends_of_a_month_find_their_room(bare_engine: AsyncEngine) -> None:
    await PostgresStorage(bare_engine).make_room(Window(utc(2026, 2), utc(2026, 3)))
    hours = [hour_of(utc(2026, 2), used(1, "1")), hour_of(utc(2026, 2, 28, 23), used(2, "2"))]
    async with facts_of(bare_engine) as facts:
        assert (await facts.replace_usage(stamp(utc(2026, 3)), Width.HOUR, hours)).added == 2


async def test_retention_drops_whole_months_and_keeps_the_month_of_its_limit(bare_engine: AsyncEngine) -> None:
    storage = PostgresStorage(bare_engine)
    await storage.make_room(Window(utc(2025, 11), utc(2026, 3)))
    for month in ("2025-12", "2026-01", "2026-02"):
        first = datetime.fromisoformat(f"{month}-01").replace(tzinfo=UTC)
        async with facts_of(bare_engine) as facts:
            await facts.replace_cost(stamp(first), [day_of(first.date(), {ALPHA: "1"})])
            hour = hour_of(first, used(1, "1"))
            await facts.replace_usage(stamp(first + timedelta(hours=1)), Width.HOUR, [hour])
    await storage.forget(facts_before=date(2026, 1, 20), minutes_before=utc(2025, 1))
    for table in PARTITIONED:
        assert await months(bare_engine, table.name) == ["2026_01", "2026_02"]
    async with bare_engine.connect() as connection:
        for table, left in ((cost_points, 2), (usage_hours, 2), (revisions, 4), (known_buckets, 4)):
            assert await connection.scalar(select(func.count()).select_from(table)) == left, table.name


async def test_what_was_known_of_days_is_forgotten_with_their_facts_and_daily_spend_is_kept(
    engine: AsyncEngine,
) -> None:
    await PostgresStorage(engine).make_room(Window(utc(2025, 12), utc(2026, 3)))
    for first in (utc(2025, 12), utc(2026, 1), utc(2026, 2)):
        await read(
            engine, first + timedelta(hours=1), [day_of(first.date(), {ALPHA: "1"})], [hour_of(first, used(1, "1"))]
        )
    await PostgresStorage(engine).forget(facts_before=date(2026, 1, 20), minutes_before=utc(2025, 1))
    async with engine.connect() as connection:
        for table in (usage_day_profiles, day_versions, spend_day_versions):
            days = (await connection.execute(select(table.c.day).distinct().order_by(table.c.day))).scalars().all()
            assert days == [date(2026, 1, 1), date(2026, 2, 1)], table.name
        assert await connection.scalar(select(func.min(spend_days.c.day))) == date(2025, 12, 1)


async def test_old_minutes_are_forgotten_within_their_month(bare_engine: AsyncEngine) -> None:
    storage = PostgresStorage(bare_engine)
    await storage.make_room(Window(utc(2026, 11), utc(2026, 12)))
    noon, minute = utc(2026, 11, 10, 12), timedelta(minutes=1)
    report = [Bucket(Window(noon + n * minute, noon + (n + 1) * minute), (used(n, "1"),)) for n in range(3)]
    async with facts_of(bare_engine) as facts:
        await facts.replace_usage(stamp(noon), Width.MINUTE, report)
    await storage.forget(facts_before=date(2026, 1, 1), minutes_before=noon + minute)
    async with bare_engine.connect() as connection:
        left = (await connection.execute(select(usage_minutes.c.quantity))).scalars().all()
    assert sorted(left) == [1, 2]


async def test_a_partition_that_somebody_reads_is_left_for_the_next_time(bare_engine: AsyncEngine) -> None:
    storage = PostgresStorage(bare_engine)
    await storage.make_room(Window(utc(2025, 12), utc(2026, 1)))
    with capture_logs() as lines:
        async with bare_engine.begin() as reader:
            await reader.execute(select(func.count()).select_from(cost_points))
            await storage.forget(facts_before=date(2026, 2, 1), minutes_before=utc(2025, 1))
    assert [line["partition"] for line in lines] == ["cost_points_2025_12"]
    assert await months(bare_engine, "cost_points") == ["2025_12"]
    assert await months(bare_engine, "revisions") == []
    await storage.forget(facts_before=date(2026, 2, 1), minutes_before=utc(2025, 1))
    assert await months(bare_engine, "cost_points") == []
