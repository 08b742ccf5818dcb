"""Which channels were notified of an alert, and from which a notification is held back."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.alerts.events import EVENT_COLUMNS, read_event
from service.adapters.postgres.notify.rows import NOTIFICATION_COLUMNS, notification_of
from service.adapters.postgres.notify.tables import notifications, posts
from service.adapters.postgres.tables import alert_events, alerts
from service.domain.alerts.alert import AlertState
from service.domain.notify.notification import FIRING_ACTIONS, Attempt, Notification, NotificationState
from service.workflows.ports.notify import LatestSent


class PostgresNotifiedChannels:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, alert_id: str) -> list[tuple[str, str]]:
        rows = await self._connection.execute(
            select(notifications.c.receiver_id, notifications.c.channel)
            .where(notifications.c.alert_id == alert_id, _notifies())
            .distinct()
            .order_by(notifications.c.receiver_id, notifications.c.channel)
        )
        return [(receiver_id, channel) for receiver_id, channel in rows]

    async def newest(self, alert_id: str) -> list[Notification]:
        query = (
            select(*NOTIFICATION_COLUMNS)
            .ext(distinct_on(notifications.c.channel))
            .where(notifications.c.alert_id == alert_id, _notifies())
            .order_by(notifications.c.channel, notifications.c.created_at.desc(), notifications.c.id.desc())
        )
        return await self._read(query)

    async def latest_sent(self, kind: str, *, resolved_after: datetime) -> list[LatestSent]:
        is_over = alerts.c.state == AlertState.RESOLVED
        version = case((is_over, alerts.c.version), else_=notifications.c.alert_version)
        of_alert, of_channel = notifications.c.alert_id, notifications.c.channel
        query = (
            select(*NOTIFICATION_COLUMNS, *EVENT_COLUMNS, posts.c.post)
            .ext(distinct_on(of_alert, of_channel))
            .join_from(notifications, alerts, alerts.c.id == of_alert)
            .join(posts, (posts.c.alert_id == of_alert) & (posts.c.channel == of_channel))
            .join(alert_events, (alert_events.c.alert_id == of_alert) & (alert_events.c.version == version))
            .where(notifications.c.state == NotificationState.SENT, of_channel.startswith(f"{kind}:"))
            .where(~is_over | (alerts.c.changed_at > resolved_after))
            .order_by(of_alert, of_channel, notifications.c.alert_version.desc(), notifications.c.id.desc())
        )
        rows = await self._connection.execute(query)
        return [LatestSent(notification_of(row), read_event(row), row.post) for row in rows]

    async def alerts_held_back(self) -> list[str]:
        query = (
            select(notifications.c.alert_id)
            .join(alerts, alerts.c.id == notifications.c.alert_id)
            .where(alerts.c.state == AlertState.FIRING, _is_held_back())
            .distinct()
            .order_by(notifications.c.alert_id)
        )
        return list(await self._connection.scalars(query))

    async def held_back(self, alert_id: str) -> list[Notification]:
        query = select(*NOTIFICATION_COLUMNS).where(notifications.c.alert_id == alert_id, _is_held_back())
        return await self._read(query.order_by(notifications.c.alert_version, notifications.c.id))

    async def settle(self, alert_id: str, channels: Collection[str], now: datetime) -> None:
        """Leaves out what was settled: that has an attempt on record."""
        done = (Attempt(now, "settled", "nothing holds it back any more"),)
        await self._connection.execute(
            update(notifications)
            .where(notifications.c.alert_id == alert_id, notifications.c.channel.in_(channels), _is_held_back())
            .values(attempts=done)
        )

    async def _read(self, query: Select[Any]) -> list[Notification]:
        return [notification_of(row) for row in await self._connection.execute(query)]


def _notifies() -> ColumnElement[bool]:
    return notifications.c.action.in_(FIRING_ACTIONS) & (notifications.c.state != NotificationState.SUPPRESSED)


def _is_held_back() -> ColumnElement[bool]:
    return (notifications.c.state == NotificationState.SUPPRESSED) & (notifications.c.attempts == ())
