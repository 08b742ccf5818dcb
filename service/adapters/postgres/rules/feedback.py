"""People's answers to rules' alerts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.codec import shallow
from service.adapters.postgres.cursors import read_page
from service.adapters.postgres.rules.tables import feedback
from service.domain.rules.feedback import Feedback, GivenFeedback
from service.domain.values.errors import Conflict, NotFound
from service.domain.values.resources import Page


class PostgresFeedback:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, given: GivenFeedback) -> None:
        values = shallow(given)
        said = values.pop("feedback")
        await self._connection.execute(insert(feedback).values(values | shallow(said)))

    async def of_rules(self, rule_ids: Iterable[str]) -> list[GivenFeedback]:
        return await self._read(select(feedback).where(feedback.c.rule_id.in_(list(rule_ids))))

    async def of_alert(self, alert_id: str) -> list[GivenFeedback]:
        return await self._read(select(feedback).where(feedback.c.alert_id == alert_id))

    async def get(self, feedback_id: str) -> GivenFeedback:
        found = await self._read(select(feedback).where(feedback.c.id == feedback_id))
        if not found:
            raise NotFound(f"there is no feedback {feedback_id!r}")
        return found[0]

    async def withdraw(self, feedback_id: str, by: str, at: datetime) -> None:
        withdrawn = await self._connection.execute(
            update(feedback)
            .where(feedback.c.id == feedback_id, feedback.c.withdrawn_at.is_(None))
            .values(withdrawn_at=at, withdrawn_by=by)
            .returning(feedback.c.id)
        )
        if withdrawn.one_or_none() is None:
            await self.get(feedback_id)
            raise Conflict("this feedback was withdrawn already")

    async def page(self, source_ids: Sequence[str], *, limit: int, cursor: str | None) -> Page[GivenFeedback]:
        query = select(feedback)
        if source_ids:
            query = query.where(feedback.c.source_id.in_(source_ids))
        return await read_page(self._connection, query, feedback, _given, limit=limit, cursor=cursor, newest_first=True)

    async def _read(self, query: Select[Any]) -> list[GivenFeedback]:
        return [_given(row) for row in await self._connection.execute(query.order_by(feedback.c.id))]


def _given(row: Row[Any]) -> GivenFeedback:
    values = dict(row._mapping)
    said = Feedback(**{name: values.pop(name) for name in ("scope", "kind", "first_day", "last_day", "given_at")})
    return GivenFeedback(feedback=said, **values)
