"""The outbox: what is to be said in which channel, claimed by whoever delivers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, func, literal, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.codec import shallow
from service.adapters.postgres.cursors import read_page
from service.adapters.postgres.record_tables import alert_events, notifications, posts
from service.domain.alerts import AlertEvent
from service.domain.errors import NotFound
from service.domain.notifications import Action, Notification, NotificationState
from service.domain.resources import Page
from service.workflows.ports import Claimed, NotificationFilter

_COLUMNS = [column for column in notifications.c if column.name != "leased_until"]
_REAL_NOW = func.clock_timestamp()
"""Leases are the database's time: business time may run faster, and every host's clock errs on its own."""


class PostgresNotifications:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, notification: Notification) -> bool:
        statement = (
            upsert(notifications)
            .values(shallow(notification))
            .on_conflict_do_nothing(index_elements=["alert_id", "level", "channel", "action", "step", "round"])
            .returning(notifications.c.id)
        )
        added = (await self._connection.execute(statement)).one_or_none() is not None
        if added and notification.action is Action.RAISE:
            await self._hurry(notification)
        return added

    async def _hurry(self, raised: Notification) -> None:
        """A raise never waits: what it has to wait for in its channel is tried now."""
        await self._connection.execute(
            update(notifications)
            .where(
                notifications.c.alert_id == raised.alert_id,
                notifications.c.channel == raised.channel,
                notifications.c.state == NotificationState.QUEUED,
                notifications.c.due_at > raised.due_at,
            )
            .values(due_at=raised.due_at)
        )

    async def claim(self, *, now: datetime, limit: int, lease: timedelta) -> list[Claimed]:
        """What another claim holds locked is passed over and what it took is leased: claims never overlap."""
        due = (
            select(notifications.c.id)
            .where(_is_head(), notifications.c.due_at <= now, _is_free())
            .order_by(notifications.c.due_at, notifications.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        ids = list(await self._connection.scalars(due))
        if not ids:
            return []
        await self._connection.execute(
            update(notifications).where(notifications.c.id.in_(ids)).values(leased_until=_REAL_NOW + literal(lease))
        )
        return await self._with_events(ids)

    async def save(self, notification: Notification, *, post: str | None) -> None:
        """Sent is final: a slow worker's failure after its lease ran out does not undo it. Raises NotFound."""
        await self._connection.execute(
            update(notifications)
            .where(notifications.c.id == notification.id, notifications.c.state != NotificationState.SENT)
            .values(**shallow(notification), leased_until=None)
        )
        stored = await self.get(notification.id)
        if post is not None:
            statement = upsert(posts).values(alert_id=stored.alert_id, channel=stored.channel, post=post)
            await self._connection.execute(
                statement.on_conflict_do_update(constraint=posts.primary_key, set_={"post": post})
            )

    async def get(self, notification_id: str) -> Notification:
        """Raises NotFound."""
        found = await self._connection.execute(select(*_COLUMNS).where(notifications.c.id == notification_id))
        row = found.one_or_none()
        if row is None:
            raise NotFound(f"there is no notification {notification_id!r}")
        return _notification(row)

    async def told(self, alert_id: str) -> list[tuple[str, str]]:
        rung = notifications.c.action.in_([Action.OPEN, Action.RAISE])
        rows = await self._connection.execute(
            select(notifications.c.receiver_id, notifications.c.channel)
            .where(notifications.c.alert_id == alert_id, rung, notifications.c.state != NotificationState.SUPPRESSED)
            .distinct()
            .order_by(notifications.c.receiver_id, notifications.c.channel)
        )
        return [(receiver_id, channel) for receiver_id, channel in rows]

    async def next_due(self) -> datetime | None:
        """From when on a claim finds something, in business time; not what is leased or waits behind that."""
        due: datetime | None = await self._connection.scalar(
            select(func.min(notifications.c.due_at)).where(_is_head(), _is_free())
        )
        return due

    async def page(self, where: NotificationFilter, *, limit: int, cursor: str | None) -> Page[Notification]:
        """Newest first."""
        wanted = {notifications.c.alert_id: where.alert_id, notifications.c.state: where.state}
        query = select(*_COLUMNS).where(*(column == value for column, value in wanted.items() if value is not None))
        return await read_page(
            self._connection,
            query,
            notifications.c.id,
            _notification,
            limit=limit,
            cursor=cursor,
            newest_first=True,
        )

    async def _with_events(self, ids: list[str]) -> list[Claimed]:
        query = (
            select(
                *_COLUMNS,
                *(alert_events.c[name].label(f"event_{name}") for name in _EVENT_FIELDS),
                posts.c.post,
            )
            .join(
                alert_events,
                (alert_events.c.alert_id == notifications.c.alert_id)
                & (alert_events.c.version == notifications.c.alert_version),
            )
            .outerjoin(
                posts,
                (posts.c.alert_id == notifications.c.alert_id) & (posts.c.channel == notifications.c.channel),
            )
            .where(notifications.c.id.in_(ids))
            .order_by(notifications.c.due_at, notifications.c.id)
        )
        return [_claimed(row) for row in await self._connection.execute(query)]


_EVENT_FIELDS = ("alert", "at", "command", "actor", "reason", "note")


def _is_head() -> ColumnElement[bool]:
    """Undelivered, and no older one waits in its channel: an alert's messages never overtake each other."""
    older = notifications.alias("older")
    waits = NotificationState.QUEUED
    return (notifications.c.state == waits) & ~(
        select(older.c.id)
        .where(
            older.c.state == waits,
            older.c.alert_id == notifications.c.alert_id,
            older.c.channel == notifications.c.channel,
            tuple_(older.c.alert_version, older.c.id) < tuple_(notifications.c.alert_version, notifications.c.id),
        )
        .exists()
    )


def _is_free() -> ColumnElement[bool]:
    return or_(notifications.c.leased_until.is_(None), notifications.c.leased_until <= _REAL_NOW)


def _notification(row: Row[*tuple[Any, ...]]) -> Notification:
    return Notification(**{column.name: row._mapping[column.name] for column in _COLUMNS})


def _claimed(row: Row[*tuple[Any, ...]]) -> Claimed:
    event = AlertEvent(**{name: row._mapping[f"event_{name}"] for name in _EVENT_FIELDS})
    return Claimed(_notification(row), event, row.post)
