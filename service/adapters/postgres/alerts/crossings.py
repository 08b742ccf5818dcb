"""Thresholds that have fired, by period."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Column, Table, Text, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.codec import shallow
from service.adapters.postgres.column_types import Dollars, Instant, ScopeText, Word
from service.adapters.postgres.metadata import metadata
from service.domain.alerts.crossings import Crossing, ThresholdBasis

budget_crossings = Table(
    "budget_crossings",
    metadata,
    Column("budget_id", Text, primary_key=True),
    Column("scope", ScopeText, primary_key=True),
    Column("basis", Word(ThresholdBasis), primary_key=True),
    Column("period_start", Instant, primary_key=True),
    Column("threshold", Text, primary_key=True),
    Column("terms", Text, primary_key=True),
    Column("level", Dollars, nullable=False),
    Column("spent", Dollars, nullable=False),
    Column("crossed_at", Instant, nullable=False),
    Column("alert_id", Text, nullable=False),
)


class PostgresCrossings:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, budget_ids: Iterable[str]) -> list[Crossing]:
        """Oldest first."""
        query = (
            select(budget_crossings)
            .where(budget_crossings.c.budget_id.in_(list(budget_ids)))
            .order_by(budget_crossings.c.crossed_at)
        )
        return [Crossing(**row._mapping) for row in await self._connection.execute(query)]

    async def release(self, crossing: Crossing) -> None:
        identity = [column == getattr(crossing, column.name) for column in budget_crossings.primary_key]
        await self._connection.execute(delete(budget_crossings).where(*identity))

    async def release_all(self, alert_id: str) -> None:
        await self._connection.execute(delete(budget_crossings).where(budget_crossings.c.alert_id == alert_id))

    async def add(self, crossing: Crossing) -> bool:
        """False where this crossing was on record already; waits for whoever is just recording it."""
        statement = (
            insert(budget_crossings)
            .values(shallow(crossing))
            .on_conflict_do_nothing()
            .returning(budget_crossings.c.budget_id)
        )
        return (await self._connection.execute(statement)).one_or_none() is not None
