"""Cost reports against the fact tables."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.spend.facts import PostgresFacts
from service.adapters.postgres.spend.tables import cost_points, known_buckets, revisions, series
from service.domain.spend.rows import Bucket, CostRow, Dimensions
from service.domain.values.money import Money
from service.domain.values.utc import utc_day
from service.workflows.ports.spend import Changes
from tests.adapters.postgres.reports import (
    ALPHA,
    BETA,
    DAY,
    NOON,
    SETTLED,
    SOURCE,
    amounts,
    day_of,
    facts_of,
    make_room,
    stamp,
    told,
)

NEXT_DAY = DAY + timedelta(days=1)


@pytest.fixture(autouse=True)
async def _room(engine: AsyncEngine) -> None:
    await make_room(engine)


async def test_a_report_is_stored_with_a_revision_for_every_amount(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        changes = await facts.replace_cost(stamp(), [day_of(DAY, {ALPHA: "1.5", BETA: "2"})])
    assert changes == Changes(added=2, days=frozenset({DAY}))
    assert await amounts(engine, cost_points) == {(DAY, "wrkspc_a"): "1.5", (DAY, "wrkspc_b"): "2"}
    assert sorted(told_row[0] for told_row in await told(engine)) == ["wrkspc_a", "wrkspc_b"]


async def test_amounts_are_exact_to_twelve_places(engine: AsyncEngine) -> None:
    exact = "123456789.123456789012"
    async with facts_of(engine) as facts:
        await facts.replace_cost(stamp(), [day_of(DAY, {ALPHA: exact})])
    assert await amounts(engine, cost_points) == {(DAY, "wrkspc_a"): exact}


async def test_a_changed_a_new_and_a_vanished_row_each_leave_one_revision(engine: AsyncEngine) -> None:
    gamma = replace(ALPHA, workspace="wrkspc_c")
    async with facts_of(engine) as facts:
        await facts.replace_cost(stamp(), [day_of(DAY, {ALPHA: "1", BETA: "2"})])
    later = stamp(NOON + timedelta(minutes=5), poll_id="poll_2")
    async with facts_of(engine) as facts:
        changes = await facts.replace_cost(later, [day_of(DAY, {ALPHA: "3", gamma: "4"})])
    assert changes == Changes(added=1, changed=1, gone=1, days=frozenset({DAY}))
    assert await amounts(engine, cost_points) == {
        (DAY, "wrkspc_a"): "3",
        (DAY, "wrkspc_b"): "0",
        (DAY, "wrkspc_c"): "4",
    }
    assert sorted((await told(engine))[2:]) == [
        ("wrkspc_a", later.known_at, False, Decimal(3), None, "poll_2"),
        ("wrkspc_b", later.known_at, False, Decimal(0), None, "poll_2"),
        ("wrkspc_c", later.known_at, False, Decimal(4), None, "poll_2"),
    ]


async def test_a_present_and_empty_day_is_zero_and_an_absent_day_is_untouched(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        await facts.replace_cost(stamp(), [day_of(DAY, {ALPHA: "1"}), day_of(NEXT_DAY, {ALPHA: "2"})])
        changes = await facts.replace_cost(stamp(), [day_of(DAY, {})])
    assert changes == Changes(gone=1, days=frozenset({DAY}))
    assert await amounts(engine, cost_points) == {(DAY, "wrkspc_a"): "0", (NEXT_DAY, "wrkspc_a"): "2"}


async def test_a_row_that_is_gone_already_is_not_gone_again(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        await facts.replace_cost(stamp(), [day_of(DAY, {ALPHA: "1"})])
        await facts.replace_cost(stamp(), [day_of(DAY, {})])
        assert await facts.replace_cost(stamp(), [day_of(DAY, {})]) == Changes()
    assert len(await told(engine)) == 2


async def test_equal_dimensions_inside_a_day_are_summed(engine: AsyncEngine) -> None:
    rows = (CostRow(ALPHA, Money.of("1")), CostRow(ALPHA, Money.of("2.5")))
    async with facts_of(engine) as facts:
        assert (await facts.replace_cost(stamp(), [Bucket(utc_day(DAY), rows)])).added == 1
    assert await amounts(engine, cost_points) == {(DAY, "wrkspc_a"): "3.5"}


async def test_dimensions_that_differ_in_anything_are_different_series(engine: AsyncEngine) -> None:
    rows: dict[Dimensions, str] = {
        ALPHA: "1",
        replace(ALPHA, inference_geo="us"): "2",
        replace(ALPHA, description="x" * 5000): "3",
        replace(ALPHA, description="x" * 5001): "4",
        replace(ALPHA, extra=(("speed", "fast"),)): "5",
    }
    async with facts_of(engine) as facts:
        assert (await facts.replace_cost(stamp(), [day_of(DAY, rows)])).added == len(rows)
    async with engine.connect() as connection:
        assert await connection.scalar(select(func.sum(cost_points.c.amount))) == Decimal(15)
        extras = (await connection.execute(select(series.c.extra).order_by(series.c.id))).scalars().all()
    assert {"speed": "fast"} in extras


async def test_an_unchanged_report_writes_no_row(engine: AsyncEngine) -> None:
    report = [day_of(DAY, {ALPHA: "1", BETA: "2"}), day_of(NEXT_DAY, {})]
    async with facts_of(engine) as facts:
        await facts.replace_cost(stamp(), report)
    before = await row_versions(engine)
    async with facts_of(engine) as facts:
        assert await facts.replace_cost(stamp(NOON + timedelta(minutes=5)), report) == Changes()
    assert await row_versions(engine) == before
    assert len(before) == 2 + 2 + 2 + 2, "points, revisions, days and series"


async def row_versions(engine: AsyncEngine) -> list[tuple[str, ...]]:
    """Where every row lies, who wrote it, and who last locked it."""
    tables = (cost_points, revisions, known_buckets, series)
    parts = (f"SELECT tableoid::regclass::text, ctid::text, xmin::text, xmax::text FROM {t.name}" for t in tables)
    async with engine.connect() as connection:
        rows = await connection.execute(text(" UNION ALL ".join(parts) + " ORDER BY 1, 2"))
        return [tuple(row) for row in rows]


async def test_a_day_is_news_when_first_read_and_when_settled_and_stays_settled(engine: AsyncEngine) -> None:
    report = [day_of(DAY, {})]
    settled: list[bool] = []
    news: list[frozenset[object]] = []
    for known_at in (NOON, SETTLED - timedelta(seconds=1), SETTLED, SETTLED + timedelta(hours=1), NOON):
        async with facts_of(engine) as facts:
            news.append((await facts.replace_cost(stamp(known_at), report)).days)
            settled.append((await facts.day_inputs(SOURCE, [DAY]))[DAY].settled)
    assert settled == [False, False, True, True, True]
    assert news == [{DAY}, set(), {DAY}, set(), set()]


async def test_a_backfilled_day_is_assumed_known_a_day_after_its_end(engine: AsyncEngine) -> None:
    backfill = SETTLED + timedelta(days=2, seconds=1)
    async with facts_of(engine) as facts:
        await facts.replace_cost(stamp(backfill), [day_of(DAY, {ALPHA: "1"})])
        await facts.replace_cost(stamp(backfill + timedelta(hours=1)), [day_of(DAY, {ALPHA: "2"})])
    assert await told(engine) == [
        ("wrkspc_a", SETTLED, True, Decimal(1), None, "poll_1"),
        ("wrkspc_a", backfill + timedelta(hours=1), False, Decimal(2), None, "poll_1"),
    ]


async def test_a_day_first_seen_within_three_days_was_merely_late(engine: AsyncEngine) -> None:
    late = SETTLED + timedelta(days=2)
    async with facts_of(engine) as facts:
        await facts.replace_cost(stamp(late), [day_of(DAY, {ALPHA: "1"})])
    assert [row[1:3] for row in await told(engine)] == [(late, False)]


async def test_late_cost_of_a_day_that_was_read_empty_is_not_taken_for_a_backfill(engine: AsyncEngine) -> None:
    late = SETTLED + timedelta(days=9)
    async with facts_of(engine) as facts:
        await facts.replace_cost(stamp(NOON), [day_of(DAY, {})])
        await facts.replace_cost(stamp(late), [day_of(DAY, {ALPHA: "1"})])
    assert [row[1:3] for row in await told(engine)] == [(late, False)]


async def test_sources_do_not_see_each_other(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        await facts.replace_cost(stamp(), [day_of(DAY, {ALPHA: "1"})])
        other = stamp(source_id="src_2")
        assert await facts.replace_cost(other, [day_of(DAY, {})]) == Changes(days=frozenset({DAY}))
        bill = (await facts.day_inputs(SOURCE, [DAY]))[DAY].bill
    assert [day.tokens for day in bill.values()] == [Money.of("1")]


async def test_a_report_that_fails_halfway_leaves_the_day_as_it_was(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        await facts.replace_cost(stamp(), [day_of(DAY, {ALPHA: "1"})])
    outside = DAY.replace(year=2100)
    with pytest.raises(IntegrityError, match="no partition of relation"):
        async with facts_of(engine) as facts:
            await facts.replace_cost(stamp(), [day_of(DAY, {ALPHA: "2"}), day_of(outside, {ALPHA: "3"})])
    assert await amounts(engine, cost_points) == {(DAY, "wrkspc_a"): "1"}


async def test_two_transactions_that_meet_the_same_new_series_share_it(engine: AsyncEngine) -> None:
    """The second one waits for the first inside `replace_cost`; both are of one source, days apart."""
    async with engine.connect() as one, engine.connect() as two:
        await PostgresFacts(one).replace_cost(stamp(), [day_of(DAY, {ALPHA: "1", BETA: "1"})])
        waiting = asyncio.create_task(
            PostgresFacts(two).replace_cost(stamp(), [day_of(NEXT_DAY, {BETA: "2", ALPHA: "2"})])
        )
        await is_waiting_for_a_lock(engine)
        await one.commit()
        await waiting
        await two.commit()
    async with engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(series)) == 2
    assert len(await amounts(engine, cost_points)) == 4


async def is_waiting_for_a_lock(engine: AsyncEngine) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(10), engine.connect() as connection:
        while not await connection.scalar(waiting):
            await connection.rollback()  # a transaction sees the activity as it was at its first look


async def test_the_same_report_in_many_polls_of_one_connection(engine: AsyncEngine) -> None:
    """More often than it takes psycopg to prepare the statements, whose temporary tables come and go."""
    async with engine.connect() as connection:
        for poll in range(8):
            facts = PostgresFacts(connection)
            await facts.replace_cost(stamp(), [day_of(DAY, {ALPHA: f"{poll}.5"})])
            await connection.commit()
    assert await amounts(engine, cost_points) == {(DAY, "wrkspc_a"): "7.5"}
    assert len(await told(engine)) == 8
