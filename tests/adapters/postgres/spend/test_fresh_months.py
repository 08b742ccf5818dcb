"""A month that was filled a moment ago, of which the planner knows nothing yet."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.spend.facts import PostgresFacts
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.domain.spend.rows import Width
from service.domain.values.periods import Window
from service.domain.values.utc import HOUR
from tests.adapters.postgres.reports import hour_of, stamp, used

START = datetime(2031, 5, 10, tzinfo=UTC)
"""In a month that no other test writes to."""


async def test_reading_it_again_at_once_does_not_compare_every_row_with_every_other(engine: AsyncEngine) -> None:
    """20,000 rows: 400 million pairs take far longer than the deadline, one look at each row a fraction of it."""
    facts = [used(n + 1, "0.01", api_key=f"apikey_{n}") for n in range(400)]
    hours = [hour_of(START + number * HOUR, *facts) for number in range(50)]
    await PostgresStorage(engine).make_room(Window(START, START + HOUR))
    for expected in (20_000, 0):
        async with engine.begin() as connection:
            await connection.execute(text("SET LOCAL statement_timeout TO '15s'"))
            changes = await PostgresFacts(connection).replace_usage(stamp(START + 60 * HOUR), Width.HOUR, hours)
        assert (changes.added, changes.changed, changes.gone) == (expected, 0, 0)
