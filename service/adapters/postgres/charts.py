"""Counts of pictures that could not be drawn."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Integer, Table, Text, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.column_types import Instant
from service.adapters.postgres.metadata import metadata

chart_failures = Table(
    "chart_failures",
    metadata,
    Column("about", Text, primary_key=True, comment="An alert's kind, or digest"),
    Column("count", Integer, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("error", Text, nullable=False, comment="The last one"),
    comment="How often no picture could be drawn, by what it was to show",
)


class PostgresChartFailures:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def note(self, about: str, error: str, at: datetime) -> None:
        new = insert(chart_failures).values(about=about, count=1, last_at=at, error=error)
        again = {"count": chart_failures.c.count + 1, "last_at": at, "error": error}
        await self._connection.execute(new.on_conflict_do_update(index_elements=["about"], set_=again))

    async def count(self) -> int:
        found: int = await self._connection.scalar(select(func.coalesce(func.sum(chart_failures.c.count), 0))) or 0
        return found
