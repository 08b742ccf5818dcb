"""Kept verdicts of rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.codec import shallow
from service.adapters.postgres.rules.tables import rule_verdicts
from service.adapters.postgres.sets import insert_rows
from service.domain.rules.memory import KeptVerdict

_KEY = tuple(column.name for column in rule_verdicts.primary_key.columns)
_UPDATED = [column.name for column in rule_verdicts.columns if column.name not in (*_KEY, "first_at")]


class PostgresVerdicts:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def keep(self, verdicts: Sequence[KeptVerdict]) -> None:
        if not verdicts:
            return
        records = {tuple(map(row.get, _KEY)): row for row in map(shallow, verdicts)}
        new = insert_rows(rule_verdicts, list(records.values()))
        newer = {name: new.excluded[name] for name in _UPDATED}
        await self._connection.execute(new.on_conflict_do_update(index_elements=_KEY, set_=newer))

    async def seen(self, rule_id: str, since: datetime, until: datetime) -> list[KeptVerdict]:
        seen = (rule_verdicts.c.first_at <= until) & (rule_verdicts.c.last_at >= since)
        query = select(rule_verdicts).where(rule_verdicts.c.rule_id == rule_id, seen)
        rows = await self._connection.execute(query.order_by(rule_verdicts.c.day, rule_verdicts.c.scope))
        return [KeptVerdict(**row._mapping) for row in rows]

    async def forget(self, before: date) -> None:
        await self._connection.execute(delete(rule_verdicts).where(rule_verdicts.c.day < before))
