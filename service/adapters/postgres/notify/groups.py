"""Groups of alerts: when their next message leaves, and which alerts it lists."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, FromClause, any_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.alerts.events import EVENT_COLUMNS, read_event
from service.adapters.postgres.alerts.reasons import reason_columns
from service.adapters.postgres.notify.tables import alert_groups, notifications
from service.adapters.postgres.sets import Record, array_of, as_rows, insert_rows
from service.adapters.postgres.tables import alert_events, alerts
from service.domain.alerts.alert import AlertEvent
from service.domain.notify.notification import FIRING_ACTIONS, Action, Notification, NotificationState
from service.domain.notify.routing.groups import Group, next_departure
from service.workflows.ports.notify import SummaryListing


class PostgresGroups:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def join(self, groups: Collection[Group], now: datetime) -> dict[str, datetime]:
        """Locks the groups until the transaction ends: whoever joins at the same time comes after us.

        All take them in the order of their keys, so that two never wait for each other.
        """
        if not groups:
            return {}
        by_key = {group.key: group for group in sorted(groups, key=lambda group: group.key)}
        first = {key: next_departure(None, group, now) for key, group in by_key.items()}
        begin = insert_rows(alert_groups, _departures(first)).on_conflict_do_nothing().returning(alert_groups.c.key)
        begun = set(await self._connection.scalars(begin))
        due = {key: at for key, at in first.items() if key in begun}
        return due | await self._join_running({key: by_key[key] for key in by_key.keys() - begun}, now)

    async def _join_running(self, groups: Mapping[str, Group], now: datetime) -> dict[str, datetime]:
        if not groups:
            return {}
        are_ours = alert_groups.c.key == any_(array_of(groups))
        last = select(alert_groups.c.key, alert_groups.c.due_at).where(are_ours).order_by(alert_groups.c.key)
        rows = await self._connection.execute(last.with_for_update())
        due = {row.key: next_departure(row.due_at, groups[row.key], now) for row in rows}
        new = as_rows(alert_groups.c, _departures(due))
        await self._connection.execute(
            update(alert_groups).where(alert_groups.c.key == new.c.key).values(due_at=new.c.due_at)
        )
        return due

    async def listings(self, alert_ids: Collection[str]) -> dict[str, list[SummaryListing]]:
        waits = notifications.c.state == NotificationState.QUEUED
        columns = notifications.c.alert_id, notifications.c.receiver_id, notifications.c.channel
        query = (
            select(*columns, notified_alone(notifications))
            .where(
                notifications.c.alert_id == any_(array_of(alert_ids)),
                notifications.c.action == Action.OPEN,
                notifications.c.group_key.is_not(None),
                or_(waits, notifications.c.sent_with.is_not(None)),
            )
            .distinct()
        )
        found: dict[str, list[SummaryListing]] = {id: [] for id in alert_ids}
        for alert_id, receiver_id, channel, alone in await self._connection.execute(query):
            found[alert_id].append(SummaryListing(receiver_id, channel, alone))
        return found

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


def _departures(due: Mapping[str, datetime]) -> list[Record]:
    return [{"key": key, "due_at": at} for key, at in due.items()]


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
