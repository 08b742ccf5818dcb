"""The past of a backtest in a real database."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from backtesting.numbers import DAYS, FIRST_READ, NOW, READ_AGAIN, SOURCE, DrawnDay, drawn_days, midnight_of
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.domain.sources.source import Source, SourceKind, SourceState
from service.domain.spend.rows import Width
from service.domain.values.periods import Window
from service.domain.values.resources import Resource, Sealed
from service.workflows.ports.spend import Stamp
from service.workflows.ports.unit_of_work import UnitOfWork, UowFactory


async def furnish(uow: UowFactory, engine: AsyncEngine) -> None:
    """Stores the drawn days as if they had been read one by one."""
    await PostgresStorage(engine).make_room(Window(midnight_of(0), NOW))
    secret = Sealed("not a real ciphertext", "...fake", "0123456789abcdef")
    spec = Source(SourceKind.CLAUDE_ADMIN, "http://127.0.0.1:1", secret)
    async with uow() as unit:
        await unit.sources.add(Resource(SOURCE, SOURCE, 1, NOW, NOW, {}, spec))
        await unit.polling_states.add(SourceState(SOURCE, fence=0, next_poll_at=NOW))
    for one in drawn_days():
        at = midnight_of(one.number + 1) - timedelta(hours=1)
        async with uow() as unit:
            await unit.facts.store_days(Stamp(SOURCE, "poll", at), one.known)
            await use(unit, one)
    async with engine.begin() as connection:
        await connection.execute(text("SET LOCAL session_replication_role TO replica"))  # revisions refuse changes
        for statement in READ_BY_THE_HOUR:
            told = {"first": FIRST_READ, "again": READ_AGAIN, "hour": Width.HOUR.value}
            changed = await connection.execute(text(statement), told)
            assert changed.rowcount > DAYS
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("VACUUM (FULL, ANALYZE) revisions, known_buckets"))
        await connection.execute(text("VACUUM ANALYZE"))


READ_BY_THE_HOUR = (
    """UPDATE known_buckets SET known_at = bucket + interval '1 hour' + :first,
       complete_at = bucket + interval '1 hour' + :first WHERE width = :hour""",
    """UPDATE revisions SET known_at = bucket + interval '1 hour'
       + CASE poll_id WHEN 'again' THEN :again ELSE :first END WHERE width = :hour""",
)
"""The days were loaded whole: what was read when is put right afterwards. That leaves an old copy of each row, which no
past has that was read hour by hour.
"""


async def use(unit: UnitOfWork, day: DrawnDay) -> None:
    at = midnight_of(day.number + 1)
    await unit.facts.replace_usage(Stamp(SOURCE, "first", at + FIRST_READ), Width.HOUR, day.hours)
    await unit.facts.replace_usage(Stamp(SOURCE, "again", at + READ_AGAIN), Width.HOUR, day.again)
