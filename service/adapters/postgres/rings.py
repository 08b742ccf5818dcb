"""Rings that were held back, and the last one of each channel."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.record_tables import alerts, notifications
from service.domain.alerts import Alert, AlertState
from service.domain.errors import NotFound
from service.domain.notifications import Action, Attempt, Notification, NotificationState

_COLUMNS = [column for column in notifications.c if column.name != "leased_until"]
_RINGS = (Action.OPEN, Action.RAISE)


class PostgresRings:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self, alert_id: str) -> Alert:
        query = select(alerts).where(alerts.c.id == alert_id).with_for_update()
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound(f"there is no alert {alert_id!r}")
        return Alert(**row._mapping)

    async def alerts_firing(self) -> list[str]:
        query = select(alerts.c.id).where(alerts.c.state == AlertState.FIRING).order_by(alerts.c.id)
        return list(await self._connection.scalars(query))

    async def alerts_held_back(self) -> list[str]:
        query = (
            select(notifications.c.alert_id)
            .join(alerts, alerts.c.id == notifications.c.alert_id)
            .where(alerts.c.state == AlertState.FIRING, _waits())
            .distinct()
            .order_by(notifications.c.alert_id)
        )
        return list(await self._connection.scalars(query))

    async def held(self, alert_id: str) -> list[Notification]:
        query = select(*_COLUMNS).where(notifications.c.alert_id == alert_id, _waits())
        return await self._read(query.order_by(notifications.c.alert_version, notifications.c.id))

    async def settle(self, alert_id: str, channels: Collection[str], now: datetime) -> None:
        """What was settled has an attempt on record."""
        done = (Attempt(now, "settled", "nothing holds it back any more"),)
        await self._connection.execute(
            update(notifications)
            .where(notifications.c.alert_id == alert_id, notifications.c.channel.in_(channels), _waits())
            .values(attempts=done)
        )

    async def last(self, alert_id: str) -> list[Notification]:
        rung = notifications.c.action.in_(_RINGS) & (notifications.c.state != NotificationState.SUPPRESSED)
        query = (
            select(*_COLUMNS)
            .ext(distinct_on(notifications.c.channel))
            .where(notifications.c.alert_id == alert_id, rung)
            .order_by(notifications.c.channel, notifications.c.created_at.desc(), notifications.c.id.desc())
        )
        return await self._read(query)

    async def _read(self, query: Select[Any]) -> list[Notification]:
        return [_notification(row) for row in await self._connection.execute(query)]


def _waits() -> ColumnElement[bool]:
    return (notifications.c.state == NotificationState.SUPPRESSED) & (notifications.c.attempts == ())


def _notification(row: Row[Any]) -> Notification:
    return Notification(**{column.name: row._mapping[column.name] for column in _COLUMNS})
