"""How thresholds on forecast stand, from one evaluation to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Column, Date, Table, Text, and_, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.codec import shallow
from service.adapters.postgres.column_types import Instant, ScopeText, Word
from service.adapters.postgres.metadata import metadata
from service.adapters.postgres.sets import as_rows, insert_rows
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
        gone = [shallow(key) for key in before.keys() - after.keys()]
        if gone:
            given = as_rows(_KEY, gone)
            same = and_(*(column == given.c[column.name] for column in _KEY))
            await self._connection.execute(delete(forecast_watches).where(same))
        stands = [shallow(key) | shallow(watch) for key, watch in after.items() if before.get(key) != watch]
        if stands:
            statement = insert_rows(forecast_watches, stands)
            new = {"stand": statement.excluded.stand, "since": statement.excluded.since}
            await self._connection.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=new))

    async def forget_orphans(self) -> None:
        gone = forecast_watches.c.budget_id.not_in(select(resources.c.id))
        await self._connection.execute(delete(forecast_watches).where(gone))
