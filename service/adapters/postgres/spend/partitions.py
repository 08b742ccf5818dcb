"""Month partitions of the fact tables: made before they are written to, dropped whole when too old."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime

from sqlalchemy import func, literal, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.adapters.postgres.losses import losses_are_unavailability
from service.adapters.postgres.spend.retention import Slices, drop_partition, forget_slices
from service.adapters.postgres.spend.spenders.claude_code import claude_code_days
from service.adapters.postgres.spend.tables import (
    PARTITIONED,
    day_versions,
    known_buckets,
    spend_day_versions,
    usage_day_profiles,
    usage_minutes,
)
from service.domain.values.periods import Window
from service.domain.values.utc import DAY, HOUR

_TURN = 0x70617274
"""The advisory lock under which partitions come and go."""
_BY_DAY = (usage_day_profiles, day_versions, spend_day_versions, claude_code_days)
"""Versions and profiles of days: of use only as long as the facts are there."""

MINUTES_AT_ONCE = 6 * HOUR
"""How much usage by minute one transaction forgets."""


class PostgresStorage:
    """Upkeep of the fact tables, in short transactions of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def make_room(self, window: Window) -> None:
        """Makes the month partitions that a write of this range needs and that are missing."""
        months = list(_months(window))
        async with self._transaction() as connection:
            if not await _missing(connection, months):
                return
            await _take_turn(connection)
            for table, month in await _missing(connection, months):
                await _create(connection, table, month)

    async def forget(self, *, facts_before: date, minutes_before: datetime) -> None:
        """Drops the months that end by `facts_before` with all that follows but daily spend, and old minutes.

        By many short transactions: what is cut short goes on at the next call.
        """
        months_end = datetime(facts_before.year, facts_before.month, 1, tzinfo=UTC)
        async with self._transaction() as connection:
            old = await _partitions_before(connection, months_end.date())
        for partition in old:
            await drop_partition(self._transaction, partition)
        slices = [
            Slices(known_buckets, known_buckets.c.bucket, months_end, DAY),
            *(Slices(table, table.c.day, months_end.date(), DAY) for table in _BY_DAY),
            Slices(usage_minutes, usage_minutes.c.bucket, minutes_before, MINUTES_AT_ONCE),
        ]
        for each in slices:
            await forget_slices(self._transaction, each)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        """Raises StorageUnavailable."""
        with losses_are_unavailability():
            async with self._engine.begin() as connection:
                yield connection


def partition_name(table: str, month: date) -> str:
    return f"{table}_{month:%Y_%m}"


def _months(window: Window) -> Iterator[date]:
    month = window.start.astimezone(UTC).date().replace(day=1)
    while datetime(month.year, month.month, 1, tzinfo=UTC) < window.end:
        yield month
        month = _next(month)


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


async def _take_turn(connection: AsyncConnection) -> None:
    await connection.execute(select(func.pg_advisory_xact_lock(literal(_TURN))))


async def _missing(connection: AsyncConnection, months: list[date]) -> list[tuple[str, date]]:
    there = await _partitions(connection)
    wanted = [(table.name, month) for table in PARTITIONED for month in months]
    return [(table, month) for table, month in wanted if partition_name(table, month) not in there]


async def _partitions_before(connection: AsyncConnection, month: date) -> list[str]:
    """The names end in year and month, so that text order is time order within a table."""
    limits = {table.name: partition_name(table.name, month) for table in PARTITIONED}
    there = await _partitions(connection)
    return sorted(name for name, parent in there.items() if name < limits[parent])


async def _partitions(connection: AsyncConnection) -> dict[str, str]:
    """Every partition's name and the name of its table."""
    rows = await connection.execute(
        text(
            "SELECT child.relname, parent.relname FROM pg_inherits"
            " JOIN pg_class child ON child.oid = inhrelid JOIN pg_class parent ON parent.oid = inhparent"
            " WHERE inhparent = ANY (CAST(:tables AS regclass[]))"
        ),
        {"tables": [table.name for table in PARTITIONED]},
    )
    return {name: parent for name, parent in rows}


async def _create(connection: AsyncConnection, table: str, month: date) -> None:
    """Made beside the table and then attached: neither waits for the table's readers and writers."""
    name = partition_name(table, month)
    bounds = f"FROM ('{month} 00:00+00') TO ('{_next(month)} 00:00+00')"
    await connection.execute(text(f'CREATE TABLE "{name}" (LIKE "{table}" INCLUDING ALL)'))
    await connection.execute(text(f'ALTER TABLE "{table}" ATTACH PARTITION "{name}" FOR VALUES {bounds}'))


@asynccontextmanager
async def without_nested_loops(connection: AsyncConnection) -> AsyncIterator[None]:
    """For the time of the block. An error leaves it to the rollback.

    A month that was filled a moment ago has no statistics yet: taken for empty, it would be joined row by row with
    every other row, which takes minutes where a hash takes a fraction of a second.
    """
    await connection.execute(text("SET LOCAL enable_nestloop TO off"))
    yield
    await connection.execute(text("SET LOCAL enable_nestloop TO on"))
