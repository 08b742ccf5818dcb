"""Usage reports, by hour and by minute, against the fact tables."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.spend.tables import revisions, usage_hours, usage_minutes
from service.domain.spend.rows import Bucket, UsageFact, Width
from service.domain.values.periods import Window
from service.workflows.ports.spend import Changes
from tests.adapters.postgres.reports import (
    DAY,
    NOON,
    SETTLED,
    amounts,
    facts_of,
    hour_of,
    make_room,
    stamp,
    told,
    used,
)

DURING = stamp(NOON + timedelta(minutes=30))
AFTER = stamp(NOON + timedelta(minutes=60), poll_id="poll_2")
LATER = stamp(NOON + timedelta(minutes=65), poll_id="poll_3")


@pytest.fixture(autouse=True)
async def _room(engine: AsyncEngine) -> None:
    await make_room(engine)


async def test_a_running_hour_has_no_revisions_and_gets_all_of_them_once_it_is_over(engine: AsyncEngine) -> None:
    hour = hour_of(NOON, used(100, "1"), used(5, "2", workspace="wrkspc_b"))
    async with facts_of(engine) as facts:
        await facts.replace_usage(DURING, Width.HOUR, [hour])
    assert await told(engine) == []
    async with facts_of(engine) as facts:
        assert await facts.replace_usage(AFTER, Width.HOUR, [hour]) == Changes()
        assert await facts.replace_usage(LATER, Width.HOUR, [hour]) == Changes()
    assert sorted(await told(engine)) == [
        ("wrkspc_a", AFTER.known_at, False, Decimal(1), 100, "poll_2"),
        ("wrkspc_b", AFTER.known_at, False, Decimal(2), 5, "poll_2"),
    ]


async def test_a_closed_hour_is_revised_for_what_changes(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        await facts.replace_usage(
            AFTER, Width.HOUR, [hour_of(NOON, used(100, "1"), used(5, "2", workspace="wrkspc_b"))]
        )
        changes = await facts.replace_usage(LATER, Width.HOUR, [hour_of(NOON, used(110, "1.1"))])
    assert changes == Changes(changed=1, gone=1, days=frozenset({DAY}))
    assert sorted((await told(engine))[2:]) == [
        ("wrkspc_a", LATER.known_at, False, Decimal("1.1"), 110, "poll_3"),
        ("wrkspc_b", LATER.known_at, False, Decimal(0), 0, "poll_3"),
    ]
    assert await amounts(engine, usage_hours, "cost") == {(DAY, "wrkspc_a"): "1.1", (DAY, "wrkspc_b"): "0"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("1", "2", id="a new price"),
        pytest.param(None, "2", id="a first price"),
        pytest.param("1", None, id="no price any more"),
    ],
)
async def test_pricing_the_same_tokens_differently_is_a_change(
    engine: AsyncEngine, before: str | None, after: str | None
) -> None:
    async with facts_of(engine) as facts:
        await facts.replace_usage(AFTER, Width.HOUR, [hour_of(NOON, used(100, before))])
        changes = await facts.replace_usage(LATER, Width.HOUR, [hour_of(NOON, used(100, after))])
    assert changes == Changes(changed=1, days=frozenset({DAY}))
    assert [row[3] for row in await told(engine)] == [
        None if cost is None else Decimal(cost) for cost in (before, after)
    ]


async def test_an_unpriced_hour_read_again_is_no_change(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        await facts.replace_usage(AFTER, Width.HOUR, [hour_of(NOON, used(100, None))])
        assert await facts.replace_usage(LATER, Width.HOUR, [hour_of(NOON, used(100, None))]) == Changes()


async def test_equal_dimensions_are_summed_and_one_unpriced_part_makes_the_sum_unpriced(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        await facts.replace_usage(
            AFTER,
            Width.HOUR,
            [
                hour_of(NOON, used(1, "1"), used(2, "0.5")),
                hour_of(NOON, used(4, "1", workspace="wrkspc_b"), used(8, None, workspace="wrkspc_b")),
            ],
        )
    async with engine.connect() as connection:
        columns = (usage_hours.c.quantity, usage_hours.c.cost)
        rows = (await connection.execute(select(*columns).order_by(usage_hours.c.quantity))).all()
    assert rows == [(3, Decimal("1.5")), (12, None)]


async def test_a_backfilled_hour_is_assumed_known_a_day_after_its_end(engine: AsyncEngine) -> None:
    backfill = stamp(SETTLED + timedelta(days=5))
    async with facts_of(engine) as facts:
        await facts.replace_usage(backfill, Width.HOUR, [hour_of(NOON, used(100, "1"))])
    assert [row[1:3] for row in await told(engine)] == [(NOON + timedelta(hours=25), True)]


async def test_minutes_have_no_revisions_and_move_no_day(engine: AsyncEngine) -> None:
    minute = Bucket(Window(NOON, NOON + timedelta(minutes=1)), (used(100, "1"),))
    async with facts_of(engine) as facts:
        assert await facts.replace_usage(LATER, Width.MINUTE, [minute]) == Changes(added=1)
        empty: Bucket[UsageFact] = Bucket(minute.window, ())
        assert await facts.replace_usage(LATER, Width.MINUTE, [empty]) == Changes(gone=1)
        assert await facts.estimated_until("src_1") is None
    assert await told(engine) == []
    assert await amounts(engine, usage_minutes, "cost") == {(DAY, "wrkspc_a"): "0"}


async def test_usage_by_day_is_refused(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        with pytest.raises(ValueError, match="1d"):
            await facts.replace_usage(AFTER, Width.DAY, [])


async def test_revisions_are_append_only(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        await facts.replace_usage(AFTER, Width.HOUR, [hour_of(NOON, used(100, "1"))])
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError, match="append-only"):
            await connection.execute(update(revisions).values(amount=0))
