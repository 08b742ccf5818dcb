"""Fingerprints of stored buckets: kept for complete ones, forgotten when somebody else may have written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.spend.fingerprints import PostgresBucketFingerprints
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.domain.spend.rows import Width
from service.domain.values.periods import Window
from service.domain.values.utc import HOUR, utc_day
from tests.adapters.postgres.feeding import read
from tests.adapters.postgres.reports import ALPHA, DAY, SOURCE, day_of, hour_of, make_room, used
from tests.factories import utc

LATER = utc("2026-11-13")
WHOLE = Window(utc("2026-11-01"), utc("2026-12-01"))
BILLED = utc_day(DAY)


@pytest.fixture(autouse=True)
async def _stored(engine: AsyncEngine) -> None:
    await make_room(engine)
    await read(engine, LATER, [day_of(DAY, {ALPHA: "1"})])


async def keep(
    engine: AsyncEngine, fingerprint: bytes | None, window: Window = BILLED, width: Width = Width.DAY
) -> None:
    async with engine.begin() as connection:
        await PostgresBucketFingerprints(connection).keep(SOURCE, width, {window: fingerprint})


async def follow(engine: AsyncEngine, fence: int) -> None:
    async with engine.begin() as connection:
        await PostgresBucketFingerprints(connection).follow(SOURCE, fence)


async def stored(engine: AsyncEngine, width: Width = Width.DAY) -> dict[Window, bytes]:
    async with engine.begin() as connection:
        return await PostgresBucketFingerprints(connection).stored(SOURCE, width, WHOLE)


async def test_a_complete_bucket_s_fingerprint_is_kept_and_replaced(engine: AsyncEngine) -> None:
    await keep(engine, b"one")
    await keep(engine, b"two")
    assert await stored(engine) == {BILLED: b"two"}
    await keep(engine, None)
    assert await stored(engine) == {}


async def test_an_hour_that_still_ran_when_it_was_read_has_none(engine: AsyncEngine) -> None:
    """Its amounts have no revisions yet: they get them when it is read once more, with the same bytes perhaps."""
    nine = utc("2026-11-10T09:00")
    hour = Window(nine, nine + HOUR)
    await read(engine, nine + HOUR / 2, hours=[hour_of(nine, used(10, "1"))])
    await keep(engine, b"half", hour, Width.HOUR)
    assert await stored(engine, Width.HOUR) == {}
    await read(engine, nine + HOUR, hours=[hour_of(nine, used(10, "1"))])
    await keep(engine, b"whole", hour, Width.HOUR)
    assert await stored(engine, Width.HOUR) == {hour: b"whole"}


async def test_polls_in_a_row_keep_them_and_one_in_between_that_kept_none_ends_them(engine: AsyncEngine) -> None:
    await follow(engine, 7)
    await keep(engine, b"one")
    await follow(engine, 8)
    assert await stored(engine) == {BILLED: b"one"}
    await follow(engine, 10)  # 9 was a poll of the previous release, which may have stored other amounts
    assert await stored(engine) == {}


async def test_fingerprints_of_unknown_origin_do_not_count(engine: AsyncEngine) -> None:
    await keep(engine, b"one")
    await follow(engine, 1)
    assert await stored(engine) == {}


async def test_another_source_s_polls_change_nothing(engine: AsyncEngine) -> None:
    await follow(engine, 7)
    await keep(engine, b"one")
    async with engine.begin() as connection:
        await PostgresBucketFingerprints(connection).follow("src_other", 3)
    assert await stored(engine) == {BILLED: b"one"}


async def test_what_retention_drops_loses_its_fingerprint_too(engine: AsyncEngine) -> None:
    """Else the same bytes, read once more by a backfill, would be taken for stored."""
    await keep(engine, b"one")
    december = WHOLE.end + timedelta(days=1)
    await PostgresStorage(engine).forget(facts_before=december.date(), minutes_before=december)
    assert await stored(engine) == {}
