"""Polls of each source, with the outcome of every report."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Row, Table, Text, delete, func, insert, select, text, type_coerce, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.codec import encode, shallow
from service.adapters.postgres.column_types import Encoded, Instant, Word
from service.adapters.postgres.cursors import read_page
from service.adapters.postgres.metadata import metadata
from service.adapters.postgres.tables import resources
from service.domain.sources.poll import Poll, PollKind, PollState, ReportOutcome
from service.domain.values.errors import NotFound
from service.domain.values.periods import Window
from service.domain.values.resources import Page

polls = Table(
    "polls",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source_id", Text, nullable=False),
    Column("kind", Word(PollKind), nullable=False),
    Column("state", Word(PollState), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("window", Encoded(Window)),
    Column("done_until", Instant),
    Column("reports", Encoded(tuple[ReportOutcome, ...]), nullable=False),
    Index("ix_polls_source_id_id", "source_id", "id"),
    Index("ix_polls_unfinished", "source_id", postgresql_where=text("finished_at IS NULL")),
)

_MOST_FORGOTTEN = 5000
_UNFINISHED = polls.c.finished_at.is_(None)
"""The condition of `ix_polls_unfinished`: of what is queued or running."""
_HAS_NO_JOB = text(
    "NOT EXISTS (SELECT FROM procrastinate_jobs WHERE task_name = 'poll' AND status IN ('todo', 'doing')"
    " AND args ->> 'poll_id' = polls.id)"
)


class PostgresPolls:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, poll: Poll) -> None:
        await self._connection.execute(insert(polls).values(shallow(poll)))

    async def get(self, poll_id: str) -> Poll:
        """Raises NotFound."""
        row = (await self._connection.execute(select(polls).where(polls.c.id == poll_id))).one_or_none()
        if row is None:
            raise _not_found(poll_id)
        return _poll(row)

    async def save(self, poll: Poll) -> None:
        """Stores everything but the reports, which only `record` adds to. Raises NotFound."""
        values = shallow(poll)
        del values["id"], values["reports"]
        await self._update(poll.id, values)

    async def record(self, poll_id: str, outcome: ReportOutcome) -> None:
        """Adds one report's outcome; a poll that was begun twice shows both attempts. Raises NotFound."""
        appended = type_coerce(polls.c.reports, JSONB).op("||")(type_coerce([encode(outcome)], JSONB))
        await self._update(poll_id, {"reports": appended})

    async def page(self, source_id: str, *, limit: int, cursor: str | None) -> Page[Poll]:
        """Newest first."""
        query = select(polls).where(polls.c.source_id == source_id)
        return await read_page(self._connection, query, polls, _poll, limit=limit, cursor=cursor, newest_first=True)

    async def unfinished(self, source_id: str) -> list[Poll]:
        query = select(polls).where(polls.c.source_id == source_id, _UNFINISHED).order_by(polls.c.id)
        return [_poll(row) for row in await self._connection.execute(query)]

    async def running_backfills(self) -> list[Poll]:
        running = (polls.c.kind == PollKind.BACKFILL) & (polls.c.state == PollState.RUNNING)
        query = select(polls).join(resources, resources.c.id == polls.c.source_id)
        query = query.where(_UNFINISHED, running).order_by(polls.c.id)
        return [_poll(row) for row in await self._connection.execute(query)]

    async def backfills(self, source_id: str) -> list[Poll]:
        own = (polls.c.source_id == source_id) & (polls.c.kind == PollKind.BACKFILL)
        return [_poll(row) for row in await self._connection.execute(select(polls).where(own).order_by(polls.c.id))]

    async def jobless(self) -> list[str]:
        query = select(polls.c.source_id).where(_UNFINISHED, polls.c.kind != PollKind.BACKFILL, _HAS_NO_JOB).distinct()
        return list(await self._connection.scalars(query.order_by(polls.c.source_id)))

    async def waited_for(self, since: datetime, until: datetime) -> set[str]:
        waiting = (polls.c.state == PollState.QUEUED) & (polls.c.kind != PollKind.BACKFILL)
        recent = (polls.c.created_at > since) & (polls.c.created_at <= until)
        query = select(polls.c.source_id).where(_UNFINISHED, waiting, recent)
        return set(await self._connection.scalars(query))

    async def forget(self, before: datetime) -> bool:
        """Ids begin with the time: the oldest are found by the primary key."""
        oldest = select(polls.c.id, polls.c.finished_at).order_by(polls.c.id).limit(_MOST_FORGOTTEN).subquery()
        over = select(oldest.c.id).where(oldest.c.finished_at < before)
        gone = await self._connection.scalars(delete(polls).where(polls.c.id.in_(over)).returning(polls.c.id))
        return len(gone.all()) == _MOST_FORGOTTEN

    async def newest_finished(self, source_id: str) -> str | None:
        ended = (polls.c.source_id == source_id) & polls.c.finished_at.is_not(None)
        newest: str | None = await self._connection.scalar(
            select(polls.c.id).where(ended).order_by(polls.c.id.desc()).limit(1)
        )
        return newest

    async def last_finished(self, source_id: str, until: datetime) -> datetime | None:
        ended = (polls.c.source_id == source_id) & (polls.c.finished_at <= until)
        newest: datetime | None = await self._connection.scalar(select(func.max(polls.c.finished_at)).where(ended))
        return newest

    async def _update(self, poll_id: str, values: dict[str, Any]) -> None:
        statement = update(polls).where(polls.c.id == poll_id).values(values).returning(polls.c.id)
        if (await self._connection.execute(statement)).one_or_none() is None:
            raise _not_found(poll_id)


def _poll(row: Row[Any]) -> Poll:
    return Poll(**row._mapping)


def _not_found(poll_id: str) -> NotFound:
    return NotFound(f"there is no poll {poll_id!r}")
