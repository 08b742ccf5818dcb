"""Which channels were notified of an alert, and from which a notification is held back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, any_, case, func, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.alerts.events import EVENT_COLUMNS, read_event
from service.adapters.postgres.notify.rows import NOTIFICATION_COLUMNS, STEPS, cause_before, notification_of
from service.adapters.postgres.notify.tables import notifications, posts
from service.adapters.postgres.sets import array_of, as_rows
from service.adapters.postgres.tables import alert_events, alerts
from service.domain.alerts.alert import AlertState
from service.domain.notify.notification import (
    FIRING_ACTIONS,
    Attempt,
    Notification,
    NotificationCause,
    NotificationState,
)
from service.domain.notify.routing.repeats import Latest
from service.workflows.ports.notify import ChannelCall, LatestSent


class PostgresNotifiedChannels:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, alert_ids: Collection[str]) -> dict[str, list[tuple[str, str]]]:
        columns = notifications.c.alert_id, notifications.c.receiver_id, notifications.c.channel
        # Also who heard of an answer alone: a call that was left out for that may have been taken.
        heard = notifications.c.state != NotificationState.SUPPRESSED
        query = select(*columns).where(_is_of(alert_ids), heard).distinct().order_by(*columns)
        found: dict[str, list[tuple[str, str]]] = {id: [] for id in alert_ids}
        for alert_id, receiver_id, channel in await self._connection.execute(query):
            found[alert_id].append((receiver_id, channel))
        return found

    async def calls(self, alert_ids: Collection[str]) -> dict[str, set[ChannelCall]]:
        columns = [notifications.c[name] for name in ("alert_id", "channel", "level", "cause", "step", "round")]
        found: dict[str, set[ChannelCall]] = {id: set() for id in alert_ids}
        for row in await self._connection.execute(select(*columns).where(_is_of(alert_ids), _notifies()).distinct()):
            call = row.level, row.cause or cause_before(row.step, row.round), max(row.step, 0), row.round
            found[row.alert_id].add((row.channel, call))
        return found

    async def called_at(self, alert_id: str, level: str, round: int, step: int) -> datetime | None:
        known = notifications.c
        call = (known.level == level) & (known.round == round) & (known.step == step)
        calls = known.action.in_(FIRING_ACTIONS)  # also one that another policy had just made in its place
        query = select(func.min(known.created_at)).where(known.alert_id == alert_id, call, calls)
        called_at: datetime | None = await self._connection.scalar(query)
        return called_at

    async def newest(self, alert_id: str) -> list[Latest]:
        """Counts repeats by their step: the previous release has no column for the cause."""
        of_level = notifications.c.channel, notifications.c.level
        repeated = func.max(notifications.c.round).filter(notifications.c.step == STEPS[NotificationCause.REPEAT])
        query = (
            select(*NOTIFICATION_COLUMNS, func.coalesce(repeated.over(partition_by=of_level), 0).label("repeats"))
            .ext(distinct_on(notifications.c.channel))
            .where(notifications.c.alert_id == alert_id, _notifies())
            .order_by(notifications.c.channel, notifications.c.created_at.desc(), notifications.c.id.desc())
        )
        return [Latest(notification_of(row), row.repeats) for row in await self._connection.execute(query)]

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

    async def held_back(self, alert_ids: Collection[str]) -> dict[str, list[Notification]]:
        query = select(*NOTIFICATION_COLUMNS).where(_is_of(alert_ids), _is_held_back())
        found: dict[str, list[Notification]] = {id: [] for id in alert_ids}
        for one in await self._read(query.order_by(notifications.c.alert_version, notifications.c.id)):
            found[one.alert_id].append(one)
        return found

    async def settle(self, channels: Mapping[str, Collection[str]], now: datetime) -> None:
        """Leaves out what was settled: that has an attempt on record."""
        key = notifications.c.alert_id, notifications.c.channel
        settled = [{"alert_id": id, "channel": channel} for id, of_alert in channels.items() for channel in of_alert]
        if not settled:
            return
        given = as_rows(key, settled)
        done = (Attempt(now, "settled", "nothing holds it back any more"),)
        await self._connection.execute(
            update(notifications)
            .where(key[0] == given.c.alert_id, key[1] == given.c.channel, _is_held_back())
            .values(attempts=done)
        )

    async def _read(self, query: Select[Any]) -> list[Notification]:
        return [notification_of(row) for row in await self._connection.execute(query)]


def _is_of(alert_ids: Collection[str]) -> ColumnElement[bool]:
    return notifications.c.alert_id == any_(array_of(alert_ids))


def _notifies() -> ColumnElement[bool]:
    return notifications.c.action.in_(FIRING_ACTIONS) & (notifications.c.state != NotificationState.SUPPRESSED)


def _is_held_back() -> ColumnElement[bool]:
    return (notifications.c.state == NotificationState.SUPPRESSED) & (notifications.c.attempts == ())
