"""How thresholds on forecast stand, from one evaluation to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Column, Date, Table, Text, and_, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.codec import shallow
from service.adapters.postgres.column_types import Instant, ScopeText, Word
from service.adapters.postgres.metadata import metadata
from service.adapters.postgres.tables import resources
from service.domain.forecasts.watch import Stand, Watch, WatchKey

forecast_watches = Table(
    "forecast_watches",
    metadata,
    Column("budget_id", Text, primary_key=True),
    Column("scope", ScopeText, primary_key=True),
    Column("threshold", Text, primary_key=True),
    Column("period_start", Instant, primary_key=True),
    Column("terms", Text, primary_key=True),
    Column("stand", Word(Stand), nullable=False),
    Column("since", Date),
)

_KEY = tuple(forecast_watches.primary_key.columns)


class PostgresWatches:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, budget_ids: Iterable[str]) -> dict[WatchKey, Watch]:
        query = select(forecast_watches).where(forecast_watches.c.budget_id.in_(list(budget_ids)))
        return {
            WatchKey(**{column.name: row._mapping[column.name] for column in _KEY}): Watch(row.stand, row.since)
            for row in await self._connection.execute(query)
        }

    async def replace(self, before: Mapping[WatchKey, Watch], after: Mapping[WatchKey, Watch]) -> None:
        """One statement for each that differs: few do, twice in a threshold's life."""
        for key in before.keys() - after.keys():
            same = and_(*(column == value for column, value in zip(_KEY, shallow(key).values(), strict=True)))
            await self._connection.execute(delete(forecast_watches).where(same))
        for key, watch in after.items():
            if before.get(key) != watch:
                await self._save(key, watch)

    async def forget_orphans(self) -> None:
        gone = forecast_watches.c.budget_id.not_in(select(resources.c.id))
        await self._connection.execute(delete(forecast_watches).where(gone))

    async def _save(self, key: WatchKey, watch: Watch) -> None:
        stands = shallow(watch)
        statement = insert(forecast_watches).values(shallow(key) | stands)
        await self._connection.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=stands))
