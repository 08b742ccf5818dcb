"""Puts jobs into the queue, inside the transaction whose commit they follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.codec import Json, encode, shallow
from service.adapters.postgres.queue.traces import FORGET, KEEP, LONGEST, Carried
from service.domain.notify.escalation import PlannedStep
from service.workflows.ports.unit_of_work import DueJobs

ToReal = Callable[[datetime], datetime]
"""From business time to the database's real time; the same instant unless TOCSIN_CLOCK says otherwise."""

QUEUE = "tocsin"
POLL, BACKFILL, EVALUATE, DELIVER, BACKTEST = "poll", "backfill", "evaluate", "deliver", "backtest"
WAKE, STEP, DIGEST = "wake", "step", "digest"


_AT_ONCE = "at once"

KINDS = (POLL, BACKFILL, EVALUATE, DELIVER, BACKTEST, WAKE, STEP, DIGEST)

_DUE = text(
    """
    WITH waiting AS (
        SELECT task_name, count(*) AS jobs, min(scheduled_at) AS due, min(id) FILTER (WHERE scheduled_at IS NULL) AS id
        FROM procrastinate_jobs
        WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())
        GROUP BY task_name
    )
    SELECT task_name, jobs AS waiting, extract(epoch FROM now() - least(due, made.at)) AS seconds
    FROM waiting
    LEFT JOIN LATERAL (
        SELECT min(at) AS at FROM procrastinate_events WHERE job_id = waiting.id AND type = 'deferred'
    ) AS made ON true
    """
)
"""Jobs are numbered as they are made: only the first one's making is looked up."""


_HOLD = text(
    "SELECT queueing_lock FROM procrastinate_jobs WHERE queueing_lock = ANY(:locks) AND status = 'todo'"
    " ORDER BY queueing_lock FOR SHARE"
)
_STEPS_BEFORE = text(
    """
    SELECT DISTINCT (args ->> 'round')::int AS round, (args ->> 'step')::int AS step
    FROM procrastinate_jobs
    WHERE task_name = :task AND status IN ('todo', 'doing') AND attempts = 0
        AND args @> :chain AND ((args ->> 'round')::int, (args ->> 'step')::int) < (:round, :step)
    """
).bindparams(bindparam("chain", type_=JSONB))
_DEFER = text(
    "SELECT procrastinate_defer_jobs_v1(array_agg(job))"
    " FROM jsonb_populate_recordset(CAST(NULL AS procrastinate_job_to_defer_v1), :jobs) AS job"
).bindparams(bindparam("jobs", type_=JSONB))
"""The library's own function. Its Python escapes every job character by character."""


class Priority(IntEnum):
    """Notifying people comes before reading more, and the newest days come before the past.

    Jobs of one lock run in this order, too, and those of one priority in the order of their making.
    """

    REPLAY = -10
    READ_PAST = -5
    READ = 0
    EVALUATE = 10
    DELIVER = 20


@dataclass(frozen=True, slots=True)
class _Ticket:
    task: str
    priority: Priority
    arguments: Mapping[str, str | int]
    lock: str | None = None
    queueing_lock: str | None = None
    at: datetime | None = None


class PostgresJobs:
    """The queue as a transaction sees it: its jobs exist when it commits, and do not when it rolls back."""

    def __init__(self, connection: AsyncConnection, to_real: ToReal, carried: Carried) -> None:
        self._connection = connection
        self._to_real = to_real
        self._carried = carried
        self._ours: set[str] = set()
        """The queueing locks whose job this transaction has made or holds: they wait until it ends."""

    async def due(self) -> list[DueJobs]:
        found = {row.task_name: row for row in await self._connection.execute(_DUE)}
        return [
            DueJobs(kind, found[kind].waiting, timedelta(seconds=float(found[kind].seconds or 0)))
            if kind in found
            else DueJobs(kind, 0, timedelta())
            for kind in KINDS
        ]

    async def poll(self, source_id: str, poll_id: str) -> None:
        """Polls and backfills of a source run one after the other, polls first."""
        arguments = {"source_id": source_id, "poll_id": poll_id}
        await self._insert(_Ticket(POLL, Priority.READ, arguments, lock=source_id))

    async def backfill(self, source_id: str, poll_id: str) -> None:
        arguments = {"source_id": source_id, "poll_id": poll_id}
        lock = f"backfill:{poll_id}"
        ticket = _Ticket(BACKFILL, Priority.READ_PAST, arguments, lock=source_id, queueing_lock=lock)
        await self._insert_once(ticket)

    async def has_poll(self, poll_id: str) -> bool:
        found = await self._connection.execute(
            text(
                "SELECT 1 FROM procrastinate_jobs WHERE task_name = :task AND status IN ('todo', 'doing')"
                " AND args ->> 'poll_id' = :poll_id LIMIT 1"
            ),
            {"task": POLL, "poll_id": poll_id},
        )
        return found.one_or_none() is not None

    async def evaluate(self, *source_ids: str) -> None:
        locks = {source_id: f"evaluate:{source_id}" for source_id in source_ids}
        await self._insert_once(
            *(_Ticket(EVALUATE, Priority.EVALUATE, {"source_id": id}, lock, lock) for id, lock in locks.items())
        )

    async def deliver(self, at: datetime | None = None) -> None:
        """`at` is business time. Jobs that wait for the same second of real time are one."""
        due = self._due(at)
        queueing_lock = f"deliver:{_AT_ONCE if due is None else int(due.timestamp())}"
        await self._insert_once(_Ticket(DELIVER, Priority.DELIVER, {}, None, queueing_lock, due))

    async def backtest(self, backtest_id: str) -> None:
        """Backtests run one after the other: each takes a processor for seconds."""
        arguments = {"backtest_id": backtest_id}
        await self._insert(_Ticket(BACKTEST, Priority.REPLAY, arguments, lock=BACKTEST))

    async def wake(self, alert_id: str, at: datetime | None = None) -> None:
        queueing_lock = f"wake:{alert_id}:{_instant(at)}"
        arguments = {"alert_id": alert_id}
        await self._insert_once(_Ticket(WAKE, Priority.DELIVER, arguments, None, queueing_lock, self._due(at)))

    async def steps(self, planned: Iterable[tuple[PlannedStep, datetime]]) -> None:
        await self._insert(
            *(_Ticket(STEP, Priority.DELIVER, shallow(one), at=self._to_real(at)) for one, at in planned)
        )

    async def steps_before(self, planned: PlannedStep) -> set[tuple[int, int]]:
        arguments = shallow(planned)
        number = {name: arguments.pop(name) for name in ("round", "step")}
        found = await self._connection.execute(_STEPS_BEFORE, {"task": STEP, "chain": arguments, **number})
        return {(row.round, row.step) for row in found}

    async def digest(self, run_id: str, at: datetime | None = None) -> None:
        queueing_lock = f"digest:{run_id}:{_instant(at)}"
        arguments = {"run_id": run_id}
        await self._insert_once(_Ticket(DIGEST, Priority.DELIVER, arguments, None, queueing_lock, self._due(at)))

    def _due(self, at: datetime | None) -> datetime | None:
        return None if at is None else self._to_real(at)

    async def _insert_once(self, *tickets: _Ticket) -> None:
        """Inserts each unless an equal job waits, and then keeps that one waiting until our own commit.

        Without the row lock a worker could take the waiting job at once, look before our rows are committed,
        find nothing, and nobody would look again. All callers take the locks in one order.
        """
        missing = sorted((one for one in tickets if _queueing_lock(one) not in self._ours), key=_queueing_lock)
        self._ours |= {_queueing_lock(one) for one in missing}
        while missing and (missing := await self._not_waiting(missing)):
            try:
                async with self._connection.begin_nested():
                    await self._insert(*missing)
            except IntegrityError:  # somebody else has just queued one of them
                continue
            return

    async def _not_waiting(self, tickets: Sequence[_Ticket]) -> list[_Ticket]:
        """Those of which no equal job waits; the others' jobs are held."""
        held = set(await self._connection.scalars(_HOLD, {"locks": [one.queueing_lock for one in tickets]}))
        return [one for one in tickets if one.queueing_lock not in held]

    async def _insert(self, *tickets: _Ticket) -> None:
        if not tickets:
            return
        made = await self._connection.scalar(_DEFER, {"jobs": [_row(one) for one in tickets]})
        carried = self._carried()
        if carried is not None and len(carried) <= LONGEST:
            await self._connection.execute(KEEP, {"jobs": made, "carried": carried})

    async def forget_traces(self) -> None:
        await self._connection.execute(FORGET)


def _instant(at: datetime | None) -> str:
    return _AT_ONCE if at is None else at.isoformat()


def _queueing_lock(ticket: _Ticket) -> str:
    return ticket.queueing_lock or ""


def _row(ticket: _Ticket) -> dict[str, Json]:
    """A job as the queue library's type for new ones has it."""
    return {
        "queue_name": QUEUE,
        "task_name": ticket.task,
        "priority": ticket.priority.value,
        "lock": ticket.lock,
        "queueing_lock": ticket.queueing_lock,
        "args": dict(ticket.arguments),
        "scheduled_at": encode(ticket.at),
    }
