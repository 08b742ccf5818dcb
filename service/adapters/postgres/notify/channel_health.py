"""The state of channels besides their configuration: which fail, how long messages wait, whose turn it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime

from sqlalchemy import ColumnElement, case, delete, func, select, tuple_, type_coerce, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.codec import shallow
from service.adapters.postgres.notify.tables import channel_turns, failing_channels, notifications
from service.domain.notify.channels.traits import Rate
from service.domain.notify.circuits import FailingChannel
from service.domain.notify.notification import LONGEST_RETRY, TAKEN, NotificationState
from service.domain.notify.undelivered import Backlog

_FAILING = [failing_channels.c[field.name] for field in fields(FailingChannel)]
_LAST_OUTCOME = type_coerce(notifications.c.attempts, JSONB)[-1]["outcome"].astext
"""Null of a message that was never tried."""


class PostgresChannelHealth:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def failing(self) -> list[FailingChannel]:
        query = select(*_FAILING).order_by(failing_channels.c.receiver_id, failing_channels.c.channel)
        return [FailingChannel(**row._mapping) for row in await self._connection.execute(query)]

    async def failing_of(self, channels: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        known = failing_channels.c
        place = tuple_(known.receiver_id, known.channel)
        found = await self._connection.execute(
            select(known.receiver_id, known.channel).where(place.in_(list(channels)))
        )
        return {(row.receiver_id, row.channel) for row in found}

    async def lock(self, receiver_id: str, channel: str) -> FailingChannel | None:
        query = select(*_FAILING).where(_is_at(receiver_id, channel)).with_for_update()
        row = (await self._connection.execute(query)).one_or_none()
        return FailingChannel(**row._mapping) if row else None

    async def keep(self, failing: FailingChannel) -> None:
        values = shallow(failing)
        learned = {name: values[name] for name in ("error", "concerns", "refusals", "next_try", "probing_until")}
        await self._connection.execute(
            upsert(failing_channels)
            .values(values)
            .on_conflict_do_update(constraint=failing_channels.primary_key, set_=learned)
        )

    async def note_dead(self, receiver_id: str, channel: str, error: str, *, at: datetime) -> None:
        first = upsert(failing_channels).values(
            receiver_id=receiver_id, channel=channel, failing_since=at, error=error, dead=1
        )
        known = failing_channels.c
        why = case((known.next_try.is_(None), first.excluded.error), else_=known.error)
        await self._connection.execute(
            first.on_conflict_do_update(
                constraint=failing_channels.primary_key, set_={"dead": known.dead + 1, "error": why}
            )
        )

    async def note_well(self, receiver_id: str, channel: str, *, at: datetime) -> bool:
        return await self._close(_is_at(receiver_id, channel), at)

    async def forget(self, receiver_id: str, *, at: datetime) -> bool:
        return await self._close(failing_channels.c.receiver_id == receiver_id, at)

    async def _close(self, which: ColumnElement[bool], at: datetime) -> bool:
        known = failing_channels.c
        closed = await self._connection.execute(
            delete(failing_channels).where(which).returning(known.receiver_id, known.channel, known.next_try)
        )
        places = [(row.receiver_id, row.channel) for row in closed if row.next_try is not None]
        return bool(places) and await self._hurry(places, at)

    async def _hurry(self, places: Sequence[tuple[str, str]], at: datetime) -> bool:
        """Makes due what was tried or rested. What another transaction holds is on its way already: nobody waits."""
        waits = (
            select(notifications.c.id)
            .where(
                tuple_(notifications.c.receiver_id, notifications.c.channel).in_(places),
                notifications.c.state == NotificationState.QUEUED,
                notifications.c.due_at > at,
                type_coerce(notifications.c.attempts, JSONB) != [],
            )
            .with_for_update(skip_locked=True)
        )
        due = await self._connection.execute(
            update(notifications).where(notifications.c.id.in_(waits)).values(due_at=at).returning(notifications.c.id)
        )
        return bool(due.all())

    async def waiting(self, written_before: datetime) -> list[Backlog]:
        """With the reason of the newest attempt at the oldest message.

        What was never tried blames no channel, and what the channel has taken waits for none.
        """
        rows = await self._connection.execute(
            select(
                notifications.c.receiver_id,
                notifications.c.channel,
                func.min(notifications.c.created_at).label("since"),
                func.count().label("count"),
            )
            .where(
                notifications.c.state == NotificationState.QUEUED,
                notifications.c.created_at <= written_before,
                _LAST_OUTCOME != TAKEN,
            )
            .group_by(notifications.c.receiver_id, notifications.c.channel)
        )
        return [Backlog(**row._mapping, error=await self._last_error(row.receiver_id, row.channel)) for row in rows]

    async def _last_error(self, receiver_id: str, channel: str) -> str:
        oldest = (
            select(notifications.c.attempts)
            .where(
                notifications.c.receiver_id == receiver_id,
                notifications.c.channel == channel,
                notifications.c.state == NotificationState.QUEUED,
                _LAST_OUTCOME != TAKEN,
            )
            .order_by(notifications.c.created_at, notifications.c.id)
            .limit(1)
        )
        attempts = await self._connection.scalar(oldest)
        return str(attempts[-1].detail) if attempts else ""

    async def take_turn(self, channel: str, rate: Rate, wanted: int, now: datetime) -> tuple[int, datetime]:
        """Locks the channel's turn until the transaction ends: workers ask one after the other."""
        begin = upsert(channel_turns).values(channel=channel, ends_at=now, sent=0)
        await self._connection.execute(begin.on_conflict_do_nothing())
        turn = channel_turns.c
        row = (
            await self._connection.execute(
                select(turn.ends_at, turn.sent).where(turn.channel == channel).with_for_update()
            )
        ).one()
        # A turn that ends later than any turn could was begun before the clock was set back.
        begins_again = row.ends_at <= now or row.ends_at > now + rate.turn
        ends_at, sent = (_end_of_turn(now, rate), 0) if begins_again else (row.ends_at, row.sent)
        granted = max(0, min(wanted, rate.messages - sent))
        await self._connection.execute(
            update(channel_turns).where(turn.channel == channel).values(ends_at=ends_at, sent=sent + granted)
        )
        return granted, ends_at

    async def hold(self, channel: str, *, now: datetime, until: datetime) -> None:
        asked = upsert(channel_turns).values(channel=channel, ends_at=now, sent=0, held_until=until)
        await self._connection.execute(
            asked.on_conflict_do_update(constraint=channel_turns.primary_key, set_={"held_until": until})
        )

    async def held(self, channels: Collection[str], now: datetime) -> dict[str, datetime]:
        """Tells a hold that ends later than any could: it was asked for before the clock was set back."""
        turn = channel_turns.c
        rows = await self._connection.execute(
            select(turn.channel, turn.held_until).where(
                turn.channel.in_(channels), turn.held_until > now, turn.held_until <= now + LONGEST_RETRY
            )
        )
        return {channel: until for channel, until in rows}

    async def dead_and_oldest(self) -> tuple[int, datetime | None]:
        dead = await self._connection.scalar(
            select(func.count()).where(notifications.c.state == NotificationState.DEAD)
        )
        untried = type_coerce(notifications.c.attempts, JSONB) == []
        collected = notifications.c.group_key.is_not(None) & untried  # what waits for its group is not late
        waits_since = case((collected, notifications.c.due_at), else_=notifications.c.created_at)
        oldest: datetime | None = await self._connection.scalar(
            select(func.min(waits_since)).where(notifications.c.state == NotificationState.QUEUED)
        )
        return int(dead or 0), oldest


def _is_at(receiver_id: str, channel: str) -> ColumnElement[bool]:
    return (failing_channels.c.receiver_id == receiver_id) & (failing_channels.c.channel == channel)


def _end_of_turn(now: datetime, rate: Rate) -> datetime:
    """Turns begin with whole seconds, so that one job serves all channels whose next turn comes."""
    return now.replace(microsecond=0) + rate.turn
