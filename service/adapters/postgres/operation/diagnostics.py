"""Answers what `tocsin doctor` asks of the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import column, func, select, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.access import audit_events
from service.adapters.postgres.notify.tables import notifications
from service.domain.notify.notification import NotificationState

RECEIVER_TEST = "receiver.test"


class PostgresDiagnostics:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def real_now(self) -> datetime:
        now: datetime = (await self._connection.execute(select(func.clock_timestamp()))).scalar_one()
        return now

    async def deliveries(self) -> dict[tuple[str, str], datetime]:
        channel = notifications.c.receiver_id, notifications.c.channel
        is_sent = notifications.c.state == NotificationState.SENT
        sent = select(*channel, func.max(notifications.c.sent_at)).where(is_sent).group_by(*channel)
        tests = func.jsonb_array_elements(audit_events.c.after["tests"])
        tried = tests.table_valued(column("value", JSONB), name="tried")
        tested = (
            select(audit_events.c.subject, tried.c.value["channel"].astext, audit_events.c.at)
            .join_from(audit_events, tried, true())
            .where(audit_events.c.action == RECEIVER_TEST, tried.c.value["error"].astext.is_(None))
        )
        found: dict[tuple[str, str], datetime] = {}
        for query in (sent, tested):
            for receiver_id, key, at in await self._connection.execute(query):
                found[receiver_id, key] = max(at, found.get((receiver_id, key), at))
        return found
