"""Outcomes of many notifications by as many statements as for one: their rows travel as one JSON document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.codec import Json, encode
from service.adapters.postgres.notify.tables import notifications
from service.workflows.ports.notify import Saved

_CHANGED = ("id", "state", "due_at", "attempts", "sent_at", "sent_with", "left_to")
"""The columns that an attempt changes."""

_SAVE = text(
    "UPDATE notifications SET state = saved.state, due_at = saved.due_at, attempts = saved.attempts,"
    " sent_at = saved.sent_at, sent_with = saved.sent_with, left_to = saved.left_to, leased_until = NULL"
    " FROM jsonb_to_recordset(:rows) AS saved(id text, state text, due_at timestamptz, attempts jsonb,"
    " sent_at timestamptz, sent_with text, left_to jsonb)"
    " WHERE notifications.id = saved.id AND notifications.state <> 'sent'"
).bindparams(bindparam("rows", type_=JSONB))

_POSTPONE = text(
    "UPDATE notifications SET due_at = saved.due_at, leased_until = NULL"
    " FROM jsonb_to_recordset(:rows) AS saved(id text, due_at timestamptz)"
    " WHERE notifications.id = saved.id AND notifications.state <> 'sent'"
).bindparams(bindparam("rows", type_=JSONB))

_KEEP_POSTS = text(
    "INSERT INTO posts SELECT * FROM jsonb_to_recordset(:rows) AS kept(alert_id text, channel text, post text)"
    " ON CONFLICT ON CONSTRAINT pk_posts DO UPDATE SET post = excluded.post"
).bindparams(bindparam("rows", type_=JSONB))

_KEEP_SUMMARIES = text(
    "INSERT INTO summaries SELECT * FROM jsonb_to_recordset(:rows) AS kept(id text, post text)"
    " ON CONFLICT ON CONSTRAINT pk_summaries DO UPDATE SET post = excluded.post"
).bindparams(bindparam("rows", type_=JSONB))


async def save_free(connection: AsyncConnection, saved: Sequence[Saved]) -> set[str]:
    """Waits for no row, so that two transactions that change several rows each never wait for each other."""
    wanted = notifications.c.id.in_([one.notification.id for one in saved])
    free = set(await connection.scalars(select(notifications.c.id).where(wanted).with_for_update(skip_locked=True)))
    ours = [one for one in saved if one.notification.id in free]
    if ours:
        await connection.execute(_SAVE, {"rows": [_row(one) for one in ours]})
        await _keep_posts(connection, [one for one in ours if one.post is not None])
    return free


async def postpone(connection: AsyncConnection, due: Mapping[str, datetime]) -> None:
    if due:
        rows = [{"id": id, "due_at": encode(at)} for id, at in due.items()]
        await connection.execute(_POSTPONE, {"rows": rows})


async def _keep_posts(connection: AsyncConnection, saved: Sequence[Saved]) -> None:
    """A statement may not write a row twice: the last post counts."""
    summaries = {one.notification.sent_with: one.post for one in saved if one.notification.sent_with is not None}
    own = [one for one in saved if one.notification.sent_with is None]
    posts = {(one.notification.alert_id, one.notification.channel): one.post for one in own}
    if posts:
        rows = [{"alert_id": alert_id, "channel": channel, "post": post} for (alert_id, channel), post in posts.items()]
        await connection.execute(_KEEP_POSTS, {"rows": rows})
    if summaries:
        await connection.execute(
            _KEEP_SUMMARIES, {"rows": [{"id": id, "post": post} for id, post in summaries.items()]}
        )


def _row(one: Saved) -> Mapping[str, Json]:
    row = {name: encode(getattr(one.notification, name)) for name in _CHANGED}
    return row | {"left_to": row["left_to"] or None}
