"""Rings that were held back, and the last one of each channel."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.record_tables import alert_events, alerts, notifications, posts
from service.domain.alerts.alert import Alert, AlertEvent, AlertState
from service.domain.notify.notification import Action, Attempt, Notification, NotificationState
from service.domain.values.errors import NotFound
from service.workflows.ports.notify import Firing, LastTold

_COLUMNS = [column for column in notifications.c if column.name != "leased_until"]
_EVENT_FIELDS = ("alert", "at", "command", "actor", "reason", "note")
_RINGS = (Action.OPEN, Action.RAISE)


class PostgresRings:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self, alert_id: str) -> Alert:
        # Not against `posts` that refer to it: who stores one holds a notification, which we may be about to change.
        query = select(alerts).where(alerts.c.id == alert_id).with_for_update(key_share=True)
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound(f"there is no alert {alert_id!r}")
        return Alert(**row._mapping)

    async def alerts_firing(self) -> list[Firing]:
        columns = alerts.c.id, alerts.c.kind, alerts.c.severity
        query = select(*columns).where(alerts.c.state == AlertState.FIRING).order_by(alerts.c.id)
        return [Firing(**row._mapping) for row in await self._connection.execute(query)]

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

    async def standing(self, kind: str, *, resolved_after: datetime) -> list[LastTold]:
        is_over = alerts.c.state == AlertState.RESOLVED
        version = case((is_over, alerts.c.version), else_=notifications.c.alert_version)
        of_alert, of_channel = notifications.c.alert_id, notifications.c.channel
        query = (
            select(*_COLUMNS, *(alert_events.c[name].label(f"event_{name}") for name in _EVENT_FIELDS), posts.c.post)
            .ext(distinct_on(of_alert, of_channel))
            .join_from(notifications, alerts, alerts.c.id == of_alert)
            .join(posts, (posts.c.alert_id == of_alert) & (posts.c.channel == of_channel))
            .join(alert_events, (alert_events.c.alert_id == of_alert) & (alert_events.c.version == version))
            .where(notifications.c.state == NotificationState.SENT, of_channel.startswith(f"{kind}:"))
            .where(~is_over | (alerts.c.changed_at > resolved_after))
            .order_by(of_alert, of_channel, notifications.c.alert_version.desc(), notifications.c.id.desc())
        )
        return [_last_told(row) for row in await self._connection.execute(query)]

    async def _read(self, query: Select[Any]) -> list[Notification]:
        return [_notification(row) for row in await self._connection.execute(query)]


def _waits() -> ColumnElement[bool]:
    return (notifications.c.state == NotificationState.SUPPRESSED) & (notifications.c.attempts == ())


def _notification(row: Row[*tuple[Any, ...]]) -> Notification:
    return Notification(**{column.name: row._mapping[column.name] for column in _COLUMNS})


def _last_told(row: Row[*tuple[Any, ...]]) -> LastTold:
    event = AlertEvent(**{name: row._mapping[f"event_{name}"] for name in _EVENT_FIELDS})
    return LastTold(_notification(row), event, row.post)
