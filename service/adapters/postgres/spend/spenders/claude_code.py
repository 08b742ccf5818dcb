"""People's use of Claude Code, a UTC day in one row: it is read, shown and erased as a whole."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Date, Table, Text, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.column_types import Encoded, Instant
from service.adapters.postgres.metadata import metadata
from service.domain.spend.claude_code import ClaudeCodeDay, ClaudeCodeRecord
from service.domain.values.periods import Window

claude_code_days = Table(
    "claude_code_days",
    metadata,
    Column("source_id", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("records", Encoded(tuple[ClaudeCodeRecord, ...]), nullable=False),
    Column("read_at", Instant, nullable=False),
    comment="Use of Claude Code by UTC day; estimates that are on the bill already",
)


class PostgresClaudeCode:
    """A ClaudeCodeStore on one connection; the caller commits."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def replace(self, source_id: str, day: ClaudeCodeDay, now: datetime) -> None:
        added = insert(claude_code_days).values(source_id=source_id, day=day.day, records=day.records, read_at=now)
        await self._connection.execute(
            added.on_conflict_do_update(
                index_elements=list(claude_code_days.primary_key.columns),
                set_={name: added.excluded[name] for name in ("records", "read_at")},
            )
        )

    async def days(self, source_id: str, window: Window) -> list[ClaudeCodeDay]:
        column = claude_code_days.c
        rows = await self._connection.execute(
            select(column.day, column.records)
            .where(column.source_id == source_id, column.day >= window.start.date(), column.day < window.end.date())
            .order_by(column.day)
        )
        return [ClaudeCodeDay(day, records) for day, records in rows]

    async def forget(self, source_id: str) -> None:
        await self._connection.execute(delete(claude_code_days).where(claude_code_days.c.source_id == source_id))
