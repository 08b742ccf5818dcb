"""Whatever reports come: the facts are the last word on every bucket, and so are the last revisions."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.spend.tables import cost_points, revisions, series, usage_hours
from service.domain.spend.rows import Dimensions, Width
from service.domain.values.utc import DAY, HOUR
from tests.adapters.postgres.reports import DAY as TODAY
from tests.adapters.postgres.reports import NOON, day_of, facts_of, hour_of, make_room, stamp, used

Rows = dict[str, int]
"""Dollars by workspace."""
Report = dict[int, Rows]
"""What one poll read of some buckets, by their offset."""
Known = dict[tuple[datetime, str], Decimal]

rows = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(0, 2), max_size=3)
reports = st.lists(st.dictionaries(st.integers(0, 2), rows, max_size=3), min_size=1, max_size=6)
few_examples = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
sources = (f"src_property_{number}" for number in count())
"""An example of its own source does not see the examples before it."""


@few_examples
@given(reports)
async def test_cost_ends_at_the_last_report_of_every_day(engine: AsyncEngine, polls: list[Report]) -> None:
    await make_room(engine)
    source_id, expected = next(sources), Known()
    for number, report in enumerate(polls):
        buckets = [
            day_of(TODAY + day * DAY, {Dimensions(workspace): str(usd) for workspace, usd in amounts.items()})
            for day, amounts in report.items()
        ]
        async with facts_of(engine) as facts:
            await facts.replace_cost(stamp(NOON + number * HOUR, source_id=source_id), buckets)
        for bucket, amounts in zip(buckets, report.values(), strict=True):
            replace_bucket(expected, bucket.window.start, amounts)
    assert await stored(engine, cost_points, "amount", source_id) == expected
    assert await last_told(engine, source_id) == expected


@few_examples
@given(reports)
async def test_usage_ends_at_the_last_report_of_every_hour(engine: AsyncEngine, polls: list[Report]) -> None:
    """A poll every half hour, so that hours are read while they run, at their end, and afterwards."""
    await make_room(engine)
    source_id, expected, closed = next(sources), Known(), Known()
    for number, report in enumerate(polls):
        now = NOON + number * timedelta(minutes=30)
        buckets = [
            hour_of(NOON + hour * HOUR, *(used(usd, str(usd), workspace=name) for name, usd in amounts.items()))
            for hour, amounts in report.items()
        ]
        async with facts_of(engine) as facts:
            await facts.replace_usage(stamp(now, source_id=source_id), Width.HOUR, buckets)
        for bucket, amounts in zip(buckets, report.values(), strict=True):
            replace_bucket(expected, bucket.window.start, amounts)
            if bucket.window.end <= now:
                closed |= {place: usd for place, usd in expected.items() if place[0] == bucket.window.start}
    assert await stored(engine, usage_hours, "cost", source_id) == expected
    assert await last_told(engine, source_id) == closed


def replace_bucket(known: Known, bucket: datetime, amounts: Rows) -> None:
    for place in known:
        if place[0] == bucket:
            known[place] = Decimal(0)
    known |= {(bucket, workspace): Decimal(usd) for workspace, usd in amounts.items()}


async def stored(engine: AsyncEngine, table: Table, value: str, source_id: str) -> Known:
    query = select(table.c.bucket, series.c.workspace, table.c[value])
    query = query.join_from(table, series, series.c.id == table.c.series_id)
    async with engine.connect() as connection:
        found = await connection.execute(query.where(table.c.source_id == source_id))
        return {(bucket, workspace): amount for bucket, workspace, amount in found}


async def last_told(engine: AsyncEngine, source_id: str) -> Known:
    query = select(revisions.c.bucket, series.c.workspace, revisions.c.amount)
    query = query.join_from(revisions, series, series.c.id == revisions.c.series_id)
    async with engine.connect() as connection:
        found = await connection.execute(query.where(revisions.c.source_id == source_id).order_by(revisions.c.id))
        return {(bucket, workspace): amount for bucket, workspace, amount in found}
