"""Thresholds that have fired, by period."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Column, Table, Text, and_, any_, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.codec import shallow
from service.adapters.postgres.column_types import Dollars, Instant, ScopeText, Word
from service.adapters.postgres.metadata import metadata
from service.adapters.postgres.sets import array_of, as_rows, insert_rows
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

    async def release(self, crossings: Sequence[Crossing]) -> None:
        if not crossings:
            return
        gone = as_rows(_KEY, [shallow(crossing) for crossing in crossings])
        same = and_(*(column == gone.c[column.name] for column in _KEY))
        await self._connection.execute(delete(budget_crossings).where(same))

    async def release_all(self, alert_ids: Collection[str]) -> None:
        if alert_ids:
            of_these = budget_crossings.c.alert_id == any_(array_of(alert_ids))
            await self._connection.execute(delete(budget_crossings).where(of_these))

    async def add(self, crossings: Sequence[Crossing]) -> int:
        """Waits for whoever is just recording one of them."""
        if not crossings:
            return 0
        statement = insert_rows(budget_crossings, [shallow(crossing) for crossing in crossings])
        added = await self._connection.scalars(
            statement.on_conflict_do_nothing().returning(budget_crossings.c.budget_id)
        )
        return len(added.all())


_KEY = tuple(budget_crossings.primary_key.columns)
