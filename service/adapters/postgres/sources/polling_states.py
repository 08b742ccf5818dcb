"""The polling state of each source: when it is due, and which poll may write."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, bindparam, extract, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.codec import decode, shallow
from service.adapters.postgres.tables import resources, source_states
from service.domain.alerts.due_again import LONGEST
from service.domain.sources.source import LONGEST_INTERVAL, Source, SourceState, retry_delay
from service.domain.values.errors import NotFound
from service.workflows.ports.sources import FenceLost

NOTED_EVERY = timedelta(seconds=30)
MOST_CLAIMED = 200
"""Sources claimed at once; the others are due at the next tick, or claimed by another replica meanwhile."""


_OF_REPORTS = ("reports_read", "refreshed_at", "usage_refreshed_at", "remark")
_KEPT_APART = (
    *("source_id", "fence", "evaluation", "assessed_read_at", "rules_assessed_at", "evaluated_at"),
    *_OF_REPORTS,
)

STATE = [source_states.c[field.name] for field in fields(SourceState)]
_REAL_NOW = func.clock_timestamp()
"""Business time may run faster; how long an evaluation takes is real time."""


class PostgresPollingStates:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, source_id: str) -> SourceState:
        """Raises NotFound."""
        found = await self._connection.execute(select(*STATE).where(source_states.c.source_id == source_id))
        row = found.one_or_none()
        if row is None:
            raise _not_found(source_id)
        return SourceState(**row._mapping)

    async def cost_read_at(self, source_ids: Collection[str]) -> dict[str, datetime | None]:
        columns = source_states.c.source_id, source_states.c.cost_read_at
        query = select(*columns).where(source_states.c.source_id.in_(source_ids))
        return {id: at for id, at in await self._connection.execute(query)}

    async def hold(self, source_id: str) -> SourceState:
        state = select(*STATE).where(source_states.c.source_id == source_id).with_for_update()
        row = (await self._connection.execute(state)).one_or_none()
        if row is None:
            raise _not_found(source_id)
        return SourceState(**row._mapping)

    async def add(self, state: SourceState) -> None:
        await self._connection.execute(insert(source_states).values(shallow(state)))

    async def all_ids(self) -> list[str]:
        """In one order for all callers: ticks that queue jobs for all of them then never wait in a circle."""
        ids = select(source_states.c.source_id).order_by(source_states.c.source_id)
        return list(await self._connection.scalars(ids))

    async def save(self, state: SourceState) -> None:
        """Stores everything but what has a method of its own: fence and evaluations. Raises NotFound."""
        values = shallow(state)
        for name in _KEPT_APART:
            del values[name]
        saved = await self._connection.execute(
            update(source_states)
            .where(source_states.c.source_id == state.source_id)
            .values(values)
            .returning(source_states.c.source_id)
        )
        if saved.one_or_none() is None:
            raise _not_found(state.source_id)

    async def note_reports(self, state: SourceState) -> None:
        values = {name: getattr(state, name) for name in _OF_REPORTS}
        await self._connection.execute(
            update(source_states).where(source_states.c.source_id == state.source_id).values(values)
        )

    async def start_over(self, source_id: str, now: datetime) -> None:
        changed = await self._connection.execute(
            update(source_states)
            .where(source_states.c.source_id == source_id)
            .values(failures=0, failing_since=None, polling_since=None, next_poll_at=now)
            .returning(source_states.c.source_id)
        )
        if changed.one_or_none() is None:
            raise _not_found(source_id)

    async def begin_evaluation(self, source_id: str) -> SourceState:
        begin = update(source_states).where(source_states.c.source_id == source_id)
        counted = {"evaluation": source_states.c.evaluation + 1, "evaluation_began_at": _REAL_NOW}
        begun = begin.values(counted).returning(*STATE)
        row = (await self._connection.execute(begun)).one_or_none()
        if row is None:
            raise _not_found(source_id)
        return SourceState(**row._mapping)

    async def holds_evaluation(self, state: SourceState) -> bool:
        newest = await self._connection.scalar(
            select(source_states.c.evaluation).where(source_states.c.source_id == state.source_id).with_for_update()
        )
        return newest == state.evaluation

    async def end_evaluation(
        self, state: SourceState, *, rules_assessed_at: datetime | None, now: datetime, due_at: datetime
    ) -> None:
        ended = {"rules_assessed_at": rules_assessed_at, "evaluated_at": now, "evaluation_due_at": due_at}
        await self._connection.execute(
            update(source_states)
            .where(source_states.c.source_id == state.source_id)
            .values(
                assessed_read_at=state.cost_read_at,
                evaluation_seconds=extract("epoch", _REAL_NOW - source_states.c.evaluation_began_at),
                **ended,
            )
        )

    async def due_evaluations(self, now: datetime, *, after: str, limit: int) -> list[str]:
        due_at = source_states.c.evaluation_due_at
        # Beyond the longest wait lies no appointment: the clock was set back since it was made.
        is_due = or_(due_at.is_(None), due_at <= now, due_at > now + LONGEST)
        ids = select(source_states.c.source_id).where(is_due, source_states.c.source_id > after)
        return list(await self._connection.scalars(ids.order_by(source_states.c.source_id).limit(limit)))

    async def note_still_evaluated(self, now: datetime) -> None:
        due_at, evaluated_at = source_states.c.evaluation_due_at, source_states.c.evaluated_at
        holds = (due_at > now) & (due_at <= now + LONGEST) & (evaluated_at <= now - NOTED_EVERY)
        free = select(source_states.c.source_id).where(holds).with_for_update(skip_locked=True)
        await self._connection.execute(
            update(source_states).where(source_states.c.source_id.in_(free)).values(evaluated_at=now)
        )

    async def ahead(self, now: datetime) -> list[str]:
        state, spec = source_states.c, resources.c.spec
        interval = spec["poll_interval"].astext.cast(BigInteger) * literal(timedelta(microseconds=1))
        newest = func.greatest(state.last_success_at, state.cost_read_at, state.usage_read_at)
        found = (
            select(state.source_id)
            .join(resources, resources.c.id == state.source_id)
            .where(resources.c.kind == "source", spec["enabled"].as_boolean())
            .where(or_(newest > now, state.next_poll_at > now + interval))
        )
        return list(await self._connection.scalars(found.order_by(state.source_id)))

    async def take_fence(self, source_id: str) -> int:
        """Raises NotFound."""
        fence: int | None = await self._connection.scalar(
            update(source_states)
            .where(source_states.c.source_id == source_id)
            .values(fence=source_states.c.fence + 1)
            .returning(source_states.c.fence)
        )
        if fence is None:
            raise _not_found(source_id)
        return fence

    async def hold_fence(self, source_id: str, fence: int) -> None:
        newest = await self._connection.scalar(
            select(source_states.c.fence).where(source_states.c.source_id == source_id).with_for_update()
        )
        if newest != fence:
            raise FenceLost(f"{source_id}: fence {fence} is lost, the newest is {newest}")

    async def claim_due(self, now: datetime, besides: Collection[str] = ()) -> list[str]:
        """The longest due first. The next poll is counted from now: missed ones are not made up for."""
        due = (
            select(source_states.c.source_id, source_states.c.failures, resources.c.spec)
            .join(resources, resources.c.id == source_states.c.source_id)
            .where(
                resources.c.kind == "source",
                resources.c.spec["enabled"].as_boolean(),
                # Beyond the longest wait lies no appointment: the clock was set back since it was made.
                or_(source_states.c.next_poll_at <= now, source_states.c.next_poll_at > now + LONGEST_INTERVAL),
                source_states.c.source_id.not_in(besides),
            )
            .order_by(source_states.c.next_poll_at)
            .limit(MOST_CLAIMED)
            .with_for_update(of=source_states, skip_locked=True)
        )
        rows = (await self._connection.execute(due)).all()
        moves = [
            {
                "source": row.source_id,
                "next": now + retry_delay(decode(Source, row.spec).poll_interval, row.failures),
            }
            for row in rows
        ]
        if moves:
            await self._connection.execute(
                update(source_states)
                .where(source_states.c.source_id == bindparam("source"))
                .values(next_poll_at=bindparam("next")),
                moves,
            )
        return [row.source_id for row in rows]


def _not_found(source_id: str) -> NotFound:
    return NotFound(f"there is no polling state of source {source_id!r}")
