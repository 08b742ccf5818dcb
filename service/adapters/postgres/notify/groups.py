"""Groups of alerts: when their next message leaves, and which alerts it lists."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, FromClause, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.alerts.events import EVENT_COLUMNS, read_event
from service.adapters.postgres.alerts.reasons import reason_columns
from service.adapters.postgres.notify.tables import alert_groups, notifications
from service.adapters.postgres.tables import alert_events, alerts
from service.domain.alerts.alert import AlertEvent
from service.domain.notify.notification import FIRING_ACTIONS, Action, Notification, NotificationState
from service.domain.notify.routing.groups import Group, next_departure
from service.workflows.ports.notify import SummaryListing


class PostgresGroups:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def join(self, group: Group, now: datetime) -> datetime:
        """Locks the group until the transaction ends: whoever joins at the same time comes after us."""
        first = next_departure(None, group, now)
        begin = upsert(alert_groups).values(key=group.key, due_at=first).on_conflict_do_nothing()
        if (await self._connection.execute(begin.returning(alert_groups.c.key))).one_or_none() is not None:
            return first
        is_ours = alert_groups.c.key == group.key
        last: datetime | None = await self._connection.scalar(
            select(alert_groups.c.due_at).where(is_ours).with_for_update()
        )
        due = next_departure(last, group, now)
        await self._connection.execute(update(alert_groups).where(is_ours).values(due_at=due))
        return due

    async def listings(self, alert_id: str) -> list[SummaryListing]:
        waits = notifications.c.state == NotificationState.QUEUED
        query = (
            select(notifications.c.receiver_id, notifications.c.channel, notified_alone(notifications))
            .where(
                notifications.c.alert_id == alert_id,
                notifications.c.action == Action.OPEN,
                notifications.c.group_key.is_not(None),
                or_(waits, notifications.c.sent_with.is_not(None)),
            )
            .distinct()
        )
        return [SummaryListing(*row) for row in await self._connection.execute(query)]

    async def members(self, summary_id: str) -> list[str]:
        opened = (notifications.c.sent_with == summary_id) & (notifications.c.action == Action.OPEN)
        query = select(notifications.c.alert_id).where(opened).distinct().order_by(notifications.c.alert_id)
        return list(await self._connection.scalars(query))

    async def present(self, alert_ids: Collection[str]) -> list[AlertEvent]:
        query = (
            select(*EVENT_COLUMNS)
            .join(alerts, (alerts.c.id == alert_events.c.alert_id) & (alerts.c.version == alert_events.c.version))
            .where(alerts.c.id.in_(alert_ids))
            .order_by(alerts.c.id)
        )
        return [read_event(row) for row in await self._connection.execute(query)]

    async def settle_behind(self, said: Notification, *, version: int) -> None:
        behind = (
            (notifications.c.alert_id == said.alert_id)
            & (notifications.c.channel == said.channel)
            & (notifications.c.state == NotificationState.QUEUED)
        )
        raised = select(notifications.c.id).where(behind, notifications.c.action == Action.RAISE)
        if await self._connection.scalar(raised.limit(1)) is not None:
            return
        outcome = {
            "state": said.state,
            "sent_at": said.sent_at,
            "sent_with": said.sent_with,
            "attempts": said.attempts[-1:],
            **(reason_columns(said.reason) if said.state is NotificationState.SUPPRESSED else {}),
        }
        earlier = (notifications.c.id != said.id) & (notifications.c.alert_version <= version)
        await self._connection.execute(update(notifications).where(behind, earlier).values(outcome))

    async def forget(self, due_before: datetime) -> None:
        await self._connection.execute(delete(alert_groups).where(alert_groups.c.due_at < due_before))


def notified_alone(of: FromClause) -> ColumnElement[bool]:
    """Whether the channel is or was notified of the alert by a message of its own, outside any summary."""
    other = notifications.alias("alone")
    return (
        select(other.c.id)
        .where(
            other.c.alert_id == of.c.alert_id,
            other.c.channel == of.c.channel,
            other.c.action.in_(FIRING_ACTIONS),
            other.c.state.in_((NotificationState.QUEUED, NotificationState.SENT)),
            other.c.group_key.is_(None) | ((other.c.state == NotificationState.SENT) & other.c.sent_with.is_(None)),
        )
        .exists()
        .label("notified_alone")
    )
