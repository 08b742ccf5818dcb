"""The outbox: the notifications that each channel is to get, claimed by whoever delivers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Row, Update, func, literal, or_, select, true, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.alerts.events import EVENT_COLUMNS, read_event
from service.adapters.postgres.alerts.reasons import reason_columns
from service.adapters.postgres.codec import shallow
from service.adapters.postgres.cursors import read_page
from service.adapters.postgres.notify.groups import notified_alone
from service.adapters.postgres.notify.outcomes import postpone, save_free
from service.adapters.postgres.notify.rows import (
    NOTIFICATION_COLUMNS,
    notification_of,
    values_of,
)
from service.adapters.postgres.notify.tables import notifications, posts, summaries
from service.adapters.postgres.sets import as_rows, insert_rows
from service.adapters.postgres.tables import alert_events
from service.domain.alerts.alert import Reason
from service.domain.notify.notification import Action, Attempt, Notification, NotificationState
from service.domain.values.errors import NotFound
from service.domain.values.resources import Page
from service.workflows.ports.notify import DueNotification, NotificationFilter, Saved, Summary

_REAL_NOW = func.clock_timestamp()
"""Leases are the database's time: business time may run faster, and every host's clock errs on its own."""

# Every delivery asks for these. Built once, they make a look for due messages half as costly.
_OLDER, _OTHER = notifications.alias("older"), notifications.alias("other")
_FIRST, _RAISED, _OPENING = notifications.alias("first"), notifications.alias("raised"), notifications.alias("opening")


def _is_free(table: FromClause) -> ColumnElement[bool]:
    return or_(table.c.leased_until.is_(None), table.c.leased_until <= _REAL_NOW)


IS_HEAD = (notifications.c.state == NotificationState.QUEUED) & ~(
    select(_OLDER.c.id)
    .where(
        _OLDER.c.state == NotificationState.QUEUED,
        _OLDER.c.left_to.is_(None),
        _OLDER.c.alert_id == notifications.c.alert_id,
        _OLDER.c.channel == notifications.c.channel,
        tuple_(_OLDER.c.alert_version, _OLDER.c.id) < tuple_(notifications.c.alert_version, notifications.c.id),
    )
    .exists()
)
"""Queued, and no older one of its alert waits in its channel: messages never overtake each other.

One that is left to some addresses alone holds up nobody.
"""

_SUMMARY = (
    select(_OPENING.c.sent_with.label("summary_id"), summaries.c.post.label("summary_post"))
    .outerjoin_from(_OPENING, summaries, summaries.c.id == _OPENING.c.sent_with)
    .where(
        _OPENING.c.alert_id == notifications.c.alert_id,
        _OPENING.c.channel == notifications.c.channel,
        _OPENING.c.action == Action.OPEN,
        _OPENING.c.sent_with.is_not(None),
    )
    .order_by(_OPENING.c.id.desc())
    .limit(1)
    .lateral("summary")
)
"""The newest message about several alerts that notified a notification's channel of its alert."""

_WITH_EVENTS = (
    select(
        *NOTIFICATION_COLUMNS,
        *EVENT_COLUMNS,
        posts.c.post,
        _SUMMARY.c.summary_id,
        _SUMMARY.c.summary_post,
        notified_alone(notifications),
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
    .outerjoin(_SUMMARY, true())
    .order_by(notifications.c.due_at, notifications.c.id)
)

_NEXT_DUE = (
    select(notifications.c.due_at)
    .where(IS_HEAD, _is_free(notifications))
    .order_by(notifications.c.due_at, notifications.c.id)
    .limit(1)
)
"""No minimum: PostgreSQL would look at all that waits, and not at the first that it finds in the index."""


class PostgresNotifications:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, notification: Notification) -> bool:
        return bool(await self.add_all([notification]))

    async def add_all(self, new: Sequence[Notification]) -> set[str]:
        if not new:
            return set()
        statement = insert_rows(notifications, [values_of(one) for one in new]).on_conflict_do_nothing(
            index_elements=["alert_id", "level", "channel", "action", "step", "round"]
        )
        added = set(await self._connection.scalars(statement.returning(notifications.c.id)))
        await self._hurry([one for one in new if one.id in added and one.action is Action.RAISE])
        return added

    async def _hurry(self, raised: Sequence[Notification]) -> None:
        """A raise never waits: what is before it in its channel is tried now, and outside its group unless it was
        claimed already."""
        if not raised:
            return
        key = notifications.c.alert_id, notifications.c.channel, notifications.c.due_at
        given = as_rows(key, [shallow(one) for one in raised])
        waits = (
            (notifications.c.alert_id == given.c.alert_id)
            & (notifications.c.channel == given.c.channel)
            & (notifications.c.state == NotificationState.QUEUED)
        )
        await self._connection.execute(
            update(notifications).where(waits, notifications.c.due_at > given.c.due_at).values(due_at=given.c.due_at)
        )
        await self._connection.execute(
            update(notifications)
            .where(waits, notifications.c.leased_until.is_(None), notifications.c.group_key.is_not(None))
            .values(group_key=None)
        )

    async def claim(
        self, *, now: datetime, limit: int, lease: timedelta, besides: Collection[str] = ()
    ) -> list[DueNotification]:
        """Claims never overlap: what another one holds locked is passed over, and what it took is leased.

        A group is taken by whoever takes its first notification: two workers cannot each have a part of it.
        """
        due = (
            select(notifications.c.id, notifications.c.leased_until, notifications.c.group_key)
            .where(IS_HEAD, notifications.c.due_at <= now, _is_free(notifications), _leads_its_group(now))
            .where(notifications.c.channel.not_in(besides))
            .order_by(notifications.c.due_at, notifications.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        found = (await self._connection.execute(due)).all()
        taken: dict[str, datetime | None] = {row.id: row.leased_until for row in found}
        if not taken:
            return []
        if any(row.group_key is not None for row in found):
            taken |= await self._rest_of_groups(list(taken), now)
        await self._connection.execute(
            update(notifications).where(notifications.c.id.in_(taken)).values(leased_until=_REAL_NOW + literal(lease))
        )
        return [replace(one, retaken=taken[one.notification.id] is not None) for one in await self._with_events(taken)]

    async def _rest_of_groups(self, leading: list[str], now: datetime) -> dict[str, datetime | None]:
        """The other due notifications of the groups that these lead, with the leases that have run out."""
        same = (
            (_FIRST.c.group_key == notifications.c.group_key)
            & (_FIRST.c.channel == notifications.c.channel)
            & (_FIRST.c.receiver_id == notifications.c.receiver_id)
        )
        rest = (
            select(notifications.c.id, notifications.c.leased_until)
            .where(
                notifications.c.state == NotificationState.QUEUED,
                notifications.c.due_at <= now,
                notifications.c.id.not_in(leading),
                _is_free(notifications),
                select(_FIRST.c.id).where(_FIRST.c.id.in_(leading), same).exists(),
            )
            .with_for_update(skip_locked=True)
        )
        return dict(tuple(row) for row in await self._connection.execute(rest))

    async def urged(self, ids: Collection[str]) -> set[str]:
        untried = (_RAISED.c.action == Action.RAISE) & (_RAISED.c.attempts == ())
        behind = (_RAISED.c.alert_id == notifications.c.alert_id) & (_RAISED.c.channel == notifications.c.channel)
        waits = select(_RAISED.c.id).where(behind, _RAISED.c.state == NotificationState.QUEUED, untried).exists()
        return set(await self._connection.scalars(select(notifications.c.id).where(notifications.c.id.in_(ids), waits)))

    async def save(self, notification: Notification, *, post: str | None) -> None:
        """Sent is final: a slow worker's failure after its lease ran out does not undo it. Raises NotFound."""
        await self._connection.execute(_unless_sent(notification).values(**values_of(notification), leased_until=None))
        await self._keep_post(notification, post)

    async def save_free(self, saved: Sequence[Saved]) -> set[str]:
        return await save_free(self._connection, saved)

    async def postpone(self, due: Mapping[str, datetime]) -> None:
        await postpone(self._connection, due)

    async def last_word(self, alert_id: str, channel: str, actions: Collection[Action]) -> Notification | None:
        query = (
            select(*NOTIFICATION_COLUMNS)
            .where(*_waits_whole(alert_id, channel), notifications.c.action.in_(actions))
            .order_by(notifications.c.alert_version.desc(), notifications.c.id.desc())
            .limit(1)
        )
        row = (await self._connection.execute(query)).one_or_none()
        return notification_of(row) if row is not None else None

    async def settle_before(self, last_word: Notification, reason: Reason, settled: Attempt) -> None:
        place = tuple_(notifications.c.alert_version, notifications.c.id)
        earlier = place < tuple_(literal(last_word.alert_version), literal(last_word.id))
        said = {"state": NotificationState.SUPPRESSED, "attempts": (settled,), "leased_until": None}
        waits = _waits_whole(last_word.alert_id, last_word.channel)
        await self._connection.execute(
            update(notifications).where(*waits, earlier).values(**said, **reason_columns(reason))
        )

    async def keep(self, notification: Notification, *, post: str | None) -> None:
        await self._connection.execute(_unless_sent(notification).values(values_of(notification)))
        await self._keep_post(notification, post)

    async def _keep_post(self, notification: Notification, post: str | None) -> None:
        stored = await self.get(notification.id)
        if post is None:
            return
        if notification.sent_with is not None:
            summary = upsert(summaries).values(id=notification.sent_with, post=post)
            await self._connection.execute(
                summary.on_conflict_do_update(constraint=summaries.primary_key, set_={"post": post})
            )
            return
        own = upsert(posts).values(alert_id=stored.alert_id, channel=stored.channel, post=post)
        await self._connection.execute(own.on_conflict_do_update(constraint=posts.primary_key, set_={"post": post}))

    async def get(self, notification_id: str) -> Notification:
        """Raises NotFound."""
        found = await self._connection.execute(
            select(*NOTIFICATION_COLUMNS).where(notifications.c.id == notification_id)
        )
        row = found.one_or_none()
        if row is None:
            raise NotFound(f"there is no notification {notification_id!r}")
        return notification_of(row)

    async def some(self, ids: Collection[str]) -> dict[str, Notification]:
        query = select(*NOTIFICATION_COLUMNS).where(notifications.c.id.in_(ids))
        return {row.id: notification_of(row) for row in await self._connection.execute(query)}

    async def next_due(self) -> datetime | None:
        """The business time from which a claim finds something; what is leased or waits behind that is left out."""
        due: datetime | None = await self._connection.scalar(_NEXT_DUE)
        return due

    async def page(self, where: NotificationFilter, *, limit: int, cursor: str | None) -> Page[Notification]:
        """Newest first."""
        wanted: dict[ColumnElement[Any], tuple[object, ...]] = {
            notifications.c.alert_id: where.alert_ids,
            notifications.c.state: where.states,
        }
        query = select(*NOTIFICATION_COLUMNS).where(
            *(column.in_(values) for column, values in wanted.items() if values)
        )
        return await read_page(
            self._connection,
            query,
            notifications,
            notification_of,
            limit=limit,
            cursor=cursor,
            newest_first=True,
        )

    async def _with_events(self, ids: Iterable[str]) -> list[DueNotification]:
        query = _WITH_EVENTS.where(notifications.c.id.in_(ids))
        return [_due(row) for row in await self._connection.execute(query)]


def _unless_sent(notification: Notification) -> Update:
    return update(notifications).where(
        notifications.c.id == notification.id, notifications.c.state != NotificationState.SENT
    )


def _waits_whole(alert_id: str, channel: str) -> tuple[ColumnElement[bool], ...]:
    """Waits for all addresses of its channel."""
    return (
        notifications.c.alert_id == alert_id,
        notifications.c.channel == channel,
        notifications.c.state == NotificationState.QUEUED,
        notifications.c.left_to.is_(None),
    )


def _leads_its_group(now: datetime) -> ColumnElement[bool]:
    """Not collected, or the first that may leave of its group in its channel."""
    return notifications.c.group_key.is_(None) | ~(
        select(_OTHER.c.id)
        .where(
            _OTHER.c.state == NotificationState.QUEUED,
            _OTHER.c.group_key == notifications.c.group_key,
            _OTHER.c.channel == notifications.c.channel,
            _OTHER.c.receiver_id == notifications.c.receiver_id,
            _OTHER.c.due_at <= now,
            _is_free(_OTHER),
            _OTHER.c.id < notifications.c.id,
        )
        .exists()
    )


def _due(row: Row[*tuple[Any, ...]]) -> DueNotification:
    summary = Summary(row.summary_id, row.summary_post) if row.summary_id is not None else None
    return DueNotification(
        notification_of(row), read_event(row), row.post, summary, summary is not None and row.notified_alone
    )
