"""Forgetting: whole months as partitions, the rest source by source in slices, each in a short transaction.

A month of a large organisation is millions of rows. Deleted at once they would hold their locks for minutes, and a
server that ends long statements would end that one at every attempt.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from psycopg.errors import LockNotAvailable
from sqlalchemy import Column, Table, delete, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

Transaction = Callable[[], AbstractAsyncContextManager[AsyncConnection]]

log = structlog.get_logger(__name__)

PATIENCE = timedelta(seconds=2)
"""How long a drop waits for whoever reads the partition. Everybody who comes after it waits behind it."""


@dataclass(frozen=True, slots=True)
class Slices:
    """The rows of a table, whose key begins with their source, that are older than `before`, by `step` of time."""

    table: Table
    time: Column[Any]
    before: date | datetime
    step: timedelta


async def drop_partition(transaction: Transaction, name: str) -> None:
    """Leaves one that somebody reads for the next time."""
    try:
        async with transaction() as connection:
            await connection.execute(text(f"SET LOCAL lock_timeout = {PATIENCE // timedelta(milliseconds=1)}"))
            await connection.execute(text(f'DROP TABLE IF EXISTS "{name}"'))
    except DBAPIError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
        log.warning("partition_kept", partition=name, reason="somebody reads it; it is dropped at the next retention")


async def forget_slices(transaction: Transaction, old: Slices) -> int:
    """Returns how many transactions it took, each with at most `step` of one source."""
    count = 0
    for source_id in await _source_ids(transaction, old.table):
        until = await _forget_one(transaction, old, source_id, None)
        while until is not None:
            count += 1
            until = await _forget_one(transaction, old, source_id, until)
    return count


async def _forget_one(
    transaction: Transaction, old: Slices, source_id: str, since: date | datetime | None
) -> date | datetime | None:
    """Forgets the oldest slice, and returns its end; None where none was left.

    It looks from `since` on, the end of the one before: what was deleted there is still in the index.
    """
    left = [old.table.c.source_id == source_id, *([old.time >= since] if since is not None else [])]
    async with transaction() as connection:
        first = await connection.scalar(select(func.min(old.time)).where(*left))
        if first is None or first >= old.before:
            return None
        until: date | datetime = min(first + old.step, old.before)
        await connection.execute(delete(old.table).where(*left, old.time < until))
    return until


async def _source_ids(transaction: Transaction, table: Table) -> list[str]:
    """Every source with rows in a table, also one that is deleted: by hops through the index, not by its rows."""
    hops = text(
        f"""
        WITH RECURSIVE hops AS (
            (SELECT source_id FROM {table.name} ORDER BY source_id LIMIT 1)
            UNION ALL
            SELECT (SELECT source_id FROM {table.name} WHERE source_id > hops.source_id ORDER BY source_id LIMIT 1)
            FROM hops WHERE hops.source_id IS NOT NULL
        )
        SELECT source_id FROM hops WHERE source_id IS NOT NULL
        """  # noqa: S608 - the name of a table of ours
    )
    async with transaction() as connection:
        return list(await connection.scalars(hops))
