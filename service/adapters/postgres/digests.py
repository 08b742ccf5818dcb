"""Runs of digests: one row an occurrence, so that replicas and restarts send each once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Row,
    Table,
    Text,
    UniqueConstraint,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.codec import shallow
from service.adapters.postgres.column_types import Encoded, Instant, Word
from service.adapters.postgres.metadata import metadata
from service.domain.digests.runs import DigestFailure, DigestRun, RunState, Sending
from service.domain.values.periods import Window

digest_runs = Table(
    "digest_runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest_id", Text, nullable=False),
    Column("occurrence", Instant, nullable=False),
    Column("window", Encoded(Window), nullable=False),
    Column("before", Encoded(Window), nullable=False),
    Column("asked_by", Text, nullable=False, comment="Empty: the schedule"),
    Column("state", Word(RunState), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("sendings", Encoded(tuple[Sending, ...]), nullable=False),
    Column("detail", Text, nullable=False),
    Column("leased_until", Instant, comment="Of the database's clock; until then a worker sends it"),
    UniqueConstraint("digest_id", "occurrence"),
    comment="Each occurrence of a digest once, and what became of it",
)
Index("ix_digest_runs_due_at", digest_runs.c.due_at, postgresql_where=text("state = 'queued'"))
digest_failures = Table(
    "digest_failures",
    metadata,
    Column("digest_id", Text, primary_key=True),
    Column("since", Instant, nullable=False),
    Column("error", Text, nullable=False),
    comment="Digests whose times could not be told when they were last looked at",
)
RUN_COLUMNS = [column for column in digest_runs.c if column.name != "leased_until"]
_REAL_NOW = func.clock_timestamp()


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    leased_until = digest_runs.c.leased_until
    is_free = or_(leased_until.is_(None), leased_until <= _REAL_NOW)
    return digest_runs.c.state == RunState.QUEUED, digest_runs.c.due_at <= now, is_free


def _leased(now: datetime, lease: timedelta) -> dict[str, object]:
    """The previous release knows no lease: a time that is yet to come keeps it away from the run."""
    return {"leased_until": _REAL_NOW + literal(lease), "due_at": now + lease}


class PostgresDigestRuns:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, run: DigestRun) -> bool:
        statement = upsert(digest_runs).values(shallow(run)).on_conflict_do_nothing().returning(digest_runs.c.id)
        return (await self._connection.execute(statement)).one_or_none() is not None

    async def claim(self, run_id: str, *, now: datetime, lease: timedelta) -> DigestRun | None:
        """Takes a due run for `lease` of real time: business time may run faster.

        Two at once: the second waits for the first one's commit, and then finds that it is taken.
        """
        statement = (
            update(digest_runs)
            .where(digest_runs.c.id == run_id, *_is_due(now))
            .values(_leased(now, lease))
            .returning(*RUN_COLUMNS)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return _run(row) if row is not None else None

    async def keep(self, run: DigestRun, *, now: datetime, lease: timedelta) -> None:
        """Stores what has become of a run so far, and takes it for `lease` again."""
        values = shallow(run) | _leased(now, lease)
        await self._connection.execute(update(digest_runs).where(digest_runs.c.id == run.id).values(values))

    async def save(self, run: DigestRun) -> None:
        values = shallow(run) | {"leased_until": None}
        await self._connection.execute(update(digest_runs).where(digest_runs.c.id == run.id).values(values))

    async def due(self, now: datetime) -> list[DigestRun]:
        query = select(*RUN_COLUMNS).where(*_is_due(now))
        return [_run(row) for row in await self._connection.execute(query.order_by(digest_runs.c.id))]

    async def latest(self, digest_id: str) -> DigestRun | None:
        query = select(*RUN_COLUMNS).where(digest_runs.c.digest_id == digest_id).order_by(digest_runs.c.id.desc())
        row = (await self._connection.execute(query.limit(1))).one_or_none()
        return _run(row) if row is not None else None

    async def find(self, run_id: str) -> DigestRun | None:
        query = select(*RUN_COLUMNS).where(digest_runs.c.id == run_id)
        row = (await self._connection.execute(query)).one_or_none()
        return _run(row) if row is not None else None

    async def note_failing(self, failing: Mapping[str, str], at: datetime) -> None:
        failures = digest_failures.c
        await self._connection.execute(delete(digest_failures).where(failures.digest_id.not_in(failing)))
        if failing:
            rows = [{"digest_id": id, "since": at, "error": error} for id, error in failing.items()]
            new = upsert(digest_failures).values(rows)
            changed = {"error": new.excluded.error}
            await self._connection.execute(new.on_conflict_do_update(index_elements=["digest_id"], set_=changed))

    async def failing(self, digest_id: str) -> DigestFailure | None:
        failures = digest_failures.c
        query = select(failures.since, failures.error).where(failures.digest_id == digest_id)
        row = (await self._connection.execute(query)).one_or_none()
        return DigestFailure(**row._mapping) if row is not None else None

    async def forget(self, before: datetime) -> None:
        """Not the newest that the schedule asked for: without it the schedule would ask for it again."""
        newer = digest_runs.alias("newer")
        by_schedule, newer_by_schedule = digest_runs.c.asked_by == "", newer.c.asked_by == ""
        is_newest = ~exists().where(
            newer.c.digest_id == digest_runs.c.digest_id,
            newer.c.occurrence > digest_runs.c.occurrence,
            newer_by_schedule == by_schedule,
        )
        old = (digest_runs.c.created_at < before) & (digest_runs.c.state != RunState.QUEUED)
        await self._connection.execute(delete(digest_runs).where(old, ~is_newest))


def _run(row: Row[Any]) -> DigestRun:
    return DigestRun(**row._mapping)
