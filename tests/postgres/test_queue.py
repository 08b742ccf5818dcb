"""The queue: jobs as durable as what caused them, and no job lost with its worker."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
import pytest
from procrastinate import PsycopgConnector
from procrastinate.manager import JobManager
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.engine import libpq_url
from service.adapters.postgres.queue import Handlers, Queue
from service.adapters.postgres.unit_of_work import uow_factory
from service.domain.clocks import BusinessClock
from service.workflows.ports import UnitOfWork, UowFactory
from tests.factories import utc

NOW = utc("2026-11-16T12:00")
AT_ONCE = timedelta(0)
"""For a sweep while no worker lives: every heartbeat is too old."""


@dataclass
class Recorder:
    """Handlers that note what they were called with; one that is told to fails or waits first."""

    done: list[str] = field(default_factory=list)
    before: Callable[[str], Awaitable[None]] | None = None

    async def poll(self, source_id: str, poll_id: str) -> None:
        await self._note(f"poll {source_id} {poll_id}")

    async def backfill(self, source_id: str, poll_id: str) -> None:
        await self._note(f"backfill {source_id} {poll_id}")

    async def evaluate(self, source_id: str) -> None:
        await self._note(f"evaluate {source_id}")

    async def deliver(self) -> None:
        await self._note("deliver")

    async def _note(self, job: str) -> None:
        if self.before is not None:
            await self.before(job)
        self.done.append(job)


@asynccontextmanager
async def worker(url: str, handlers: Handlers, grace: timedelta = timedelta(seconds=20)) -> AsyncIterator[Queue]:
    stop = asyncio.Event()
    async with Queue.open(url, handlers) as queue:
        running = asyncio.create_task(queue.run(stop, grace=grace))
        try:
            yield queue
        finally:
            stop.set()
            await running


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while True:
            answer = condition()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.02)


async def jobs(engine: AsyncEngine) -> list[str]:
    """Task and status of every job there is, in the order of their making."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT task_name || ' ' || status::text FROM procrastinate_jobs ORDER BY id")
        )
        return list(rows.scalars())


# ------------------------------------------------------------------------------------------- putting jobs in


async def test_a_commit_leaves_one_job_and_a_rollback_none(uow: UowFactory, engine: AsyncEngine) -> None:
    async def fail() -> None:
        async with uow() as unit:
            await unit.jobs.poll("src_1", "poll_1")
            await unit.jobs.evaluate("src_1")
            await unit.jobs.deliver(NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await jobs(engine) == []
    async with uow() as unit:
        await unit.jobs.poll("src_1", "poll_1")
        assert await jobs(engine) == []
    assert await jobs(engine) == ["poll todo"]


async def test_one_evaluation_waits_per_source(uow: UowFactory, engine: AsyncEngine) -> None:
    for _ in range(2):
        async with uow() as unit:
            await unit.jobs.evaluate("src_1")
            await unit.jobs.evaluate("src_1")
            await unit.jobs.evaluate("src_2")
    assert await jobs(engine) == ["evaluate todo", "evaluate todo"]


async def test_evaluations_queued_at_once_become_one_and_spoil_no_transaction(
    uow: UowFactory, engine: AsyncEngine
) -> None:
    async def evaluate(number: int) -> None:
        async with uow() as unit:
            await unit.jobs.evaluate("src_1")
            await unit.jobs.poll("src_1", f"poll_{number}")

    await asyncio.gather(*(evaluate(number) for number in range(5)))
    assert sorted(await jobs(engine)) == ["evaluate todo", *["poll todo"] * 5]


async def test_deliveries_within_a_second_are_one(uow: UowFactory, engine: AsyncEngine) -> None:
    async with uow() as unit:
        await unit.jobs.deliver(NOW)
        await unit.jobs.deliver(NOW + timedelta(milliseconds=999))
        await unit.jobs.deliver(NOW + timedelta(seconds=1))
    assert await jobs(engine) == ["deliver todo", "deliver todo"]


async def test_a_delivery_is_due_in_real_time_when_business_time_will_have_come(
    engine: AsyncEngine,
) -> None:
    clock = BusinessClock(real=NOW, business=utc("2030-01-01"), speed=60)
    async with uow_factory(engine, to_real=clock.real_at)() as unit:
        await unit.jobs.deliver(utc("2030-01-01T01:00"))
    async with engine.connect() as connection:
        due = await connection.scalar(text("SELECT scheduled_at FROM procrastinate_jobs"))
    assert due == NOW + timedelta(minutes=1)


Defer = Callable[[UnitOfWork], Awaitable[None]]


@pytest.mark.parametrize("defer", [lambda unit: unit.jobs.evaluate("src_1"), lambda unit: unit.jobs.deliver(NOW)])
async def test_a_waiting_job_that_a_transaction_counts_on_starts_only_after_its_commit(
    uow: UowFactory, database_url: str, defer: Defer
) -> None:
    async with uow() as unit:
        await defer(unit)
    connector = PsycopgConnector(conninfo=libpq_url(database_url))
    await connector.open_async()
    manager = JobManager(connector)
    worker_id = await manager.register_worker()
    async with uow() as unit:
        await defer(unit)
        assert await manager.fetch_job(queues=None, worker_id=worker_id) is None
    assert await manager.fetch_job(queues=None, worker_id=worker_id) is not None
    await connector.close_async()


# ------------------------------------------------------------------------------------------- running them


async def test_a_worker_runs_every_kind_of_job_and_keeps_none(
    uow: UowFactory, engine: AsyncEngine, database_url: str
) -> None:
    recorder = Recorder()
    async with uow() as unit:
        await unit.jobs.backfill("src_1", "poll_1")
        await unit.jobs.poll("src_2", "poll_2")
        await unit.jobs.evaluate("src_1")
        await unit.jobs.deliver(NOW)
    async with worker(database_url, recorder):
        await until(lambda: len(recorder.done) == 4)
    assert sorted(recorder.done) == ["backfill src_1 poll_1", "deliver", "evaluate src_1", "poll src_2 poll_2"]
    assert await jobs(engine) == []


async def test_polls_of_one_source_run_one_after_the_other_in_their_order(uow: UowFactory, database_url: str) -> None:
    running, most_at_once = 0, 0

    async def count(job: str) -> None:
        nonlocal running, most_at_once
        running += 1
        most_at_once = max(most_at_once, running)
        await asyncio.sleep(0)
        running -= 1

    recorder = Recorder(before=count)
    async with uow() as unit:
        for number in range(5):
            await unit.jobs.poll("src_1", f"poll_{number}")
    async with worker(database_url, recorder):
        await until(lambda: len(recorder.done) == 5)
    assert recorder.done == [f"poll src_1 poll_{number}" for number in range(5)]
    assert most_at_once == 1


async def test_a_job_that_raises_is_gone_and_the_next_one_runs(
    uow: UowFactory, engine: AsyncEngine, database_url: str
) -> None:
    async def fail_first(job: str) -> None:
        if job.endswith("poll_1"):
            raise ZeroDivisionError

    recorder = Recorder(before=fail_first)
    async with uow() as unit:
        await unit.jobs.poll("src_1", "poll_1")
        await unit.jobs.poll("src_1", "poll_2")
    async with worker(database_url, recorder):
        await until(lambda: recorder.done == ["poll src_1 poll_2"])
    assert await jobs(engine) == []


async def test_a_stop_lets_running_jobs_end(uow: UowFactory, engine: AsyncEngine, database_url: str) -> None:
    started, may_end = asyncio.Event(), asyncio.Event()

    async def wait(job: str) -> None:
        started.set()
        await may_end.wait()

    recorder, stop = Recorder(before=wait), asyncio.Event()
    async with uow() as unit:
        await unit.jobs.evaluate("src_1")
    async with Queue.open(database_url, recorder) as queue:
        running = asyncio.create_task(queue.run(stop))
        await started.wait()
        stop.set()
        _, still_running = await asyncio.wait({running}, timeout=0.2)
        assert still_running
        may_end.set()
        await running
    assert recorder.done == ["evaluate src_1"]
    assert await jobs(engine) == []


async def test_a_job_that_a_stop_cuts_short_goes_back_into_the_queue(
    uow: UowFactory, engine: AsyncEngine, database_url: str
) -> None:
    started = asyncio.Event()

    async def hang(job: str) -> None:
        started.set()
        await asyncio.Event().wait()

    async with uow() as unit:
        await unit.jobs.evaluate("src_1")
    async with worker(database_url, Recorder(before=hang), grace=timedelta(milliseconds=50)):
        await started.wait()
    assert await jobs(engine) == ["evaluate todo"]


async def test_a_worker_survives_the_loss_of_all_its_connections(
    uow: UowFactory, engine: AsyncEngine, database_url: str
) -> None:
    recorder = Recorder()
    async with worker(database_url, recorder):
        await queue_poll(uow, "before")
        await until(lambda: nothing_left(engine))
        disconnect(database_url, "query NOT LIKE '%replica%' AND query NOT LIKE 'DELETE%'")
        await queue_poll(uow, "after")
        await until(lambda: recorder.done == ["poll src_1 before", "poll src_1 after"])


async def test_a_job_whose_end_was_lost_with_the_connection_does_not_block_the_next_one(
    uow: UowFactory, engine: AsyncEngine, database_url: str
) -> None:
    recorder = Recorder()
    async with engine.connect() as other:

        async def hold_the_job(job: str) -> None:
            await other.execute(text("SELECT 1 FROM procrastinate_jobs FOR UPDATE"))

        recorder.before = hold_the_job
        await queue_poll(uow, "ends unheard")
        async with worker(database_url, recorder) as queue:
            await until(lambda: disconnect(database_url, "wait_event_type = 'Lock'") == 1)
            recorder.before = None
            await other.rollback()
            await queue_poll(uow, "next")
            await until(lambda: nothing_running_here(recorder))
            assert await jobs(engine) == ["poll doing", "poll todo"]
            await queue.sweep()
            assert await jobs(engine) == ["poll doing", "poll todo"], "it may still be about to end"
            await queue.sweep()
            await until(lambda: recorder.done == ["poll src_1 ends unheard", "poll src_1 next"])
            await until(lambda: nothing_left(engine))


async def queue_poll(uow: UowFactory, poll_id: str) -> None:
    async with uow() as unit:
        await unit.jobs.poll("src_1", poll_id)


def nothing_running_here(recorder: Recorder) -> bool:
    return recorder.done == ["poll src_1 ends unheard"]


async def nothing_left(engine: AsyncEngine) -> bool:
    return await jobs(engine) == []


def disconnect(url: str, which: str) -> int:
    """Ends sessions of the database, as a failing network would; gives their number."""
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = current_database() AND pid <> pg_backend_pid() AND {which}"
        )
        return len(ended.fetchall())


# ------------------------------------------------------------------------------------------- dead workers

DOOMED = """
import asyncio, sys
from service.adapters.postgres.queue import Queue

class Hang:
    async def poll(self, source_id, poll_id):
        print("started", flush=True)
        await asyncio.Event().wait()
    async def backfill(self, source_id, poll_id): await self.poll(source_id, poll_id)
    async def evaluate(self, source_id): await self.poll(source_id, "")
    async def deliver(self): await self.poll("", "")

async def main():
    async with Queue.open(sys.argv[1], Hang()) as queue:
        await queue.run(asyncio.Event())

asyncio.run(main())
"""


@asynccontextmanager
async def killed_worker(url: str) -> AsyncIterator[None]:
    """A worker in a process of its own that is in the middle of a job inside the block, and SIGKILLed after it."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", DOOMED, url, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            assert await process.stdout.readline() == b"started\n"
        yield
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_after_a_kill_both_the_dead_poll_and_the_one_that_waited_for_it_run(
    uow: UowFactory, engine: AsyncEngine, database_url: str
) -> None:
    async with uow() as unit:
        await unit.jobs.poll("src_1", "poll_1")
    async with killed_worker(database_url), uow() as unit:
        await unit.jobs.poll("src_1", "poll_2")
    assert await jobs(engine) == ["poll doing", "poll todo"]
    recorder = Recorder()
    async with Queue.open(database_url, recorder) as queue:
        await queue.sweep(stalled_after=AT_ONCE)
    assert await jobs(engine) == ["poll todo", "poll todo"]
    async with worker(database_url, recorder):
        await until(lambda: len(recorder.done) == 2)
    assert recorder.done == ["poll src_1 poll_1", "poll src_1 poll_2"]
    assert await jobs(engine) == []


async def test_after_a_kill_the_evaluation_that_waits_takes_the_place_of_the_dead_one(
    uow: UowFactory, engine: AsyncEngine, database_url: str
) -> None:
    async with uow() as unit:
        await unit.jobs.evaluate("src_1")
    async with killed_worker(database_url), uow() as unit:
        await unit.jobs.evaluate("src_1")
    assert await jobs(engine) == ["evaluate doing", "evaluate todo"]
    recorder = Recorder()
    async with Queue.open(database_url, recorder) as queue:
        await queue.sweep(stalled_after=AT_ONCE)
    async with worker(database_url, recorder):
        await until(lambda: recorder.done == ["evaluate src_1"])
    assert await jobs(engine) == []


async def test_the_job_of_a_worker_that_lives_is_left_alone(
    uow: UowFactory, engine: AsyncEngine, database_url: str
) -> None:
    async with uow() as unit:
        await unit.jobs.evaluate("src_1")
    async with killed_worker(database_url), Queue.open(database_url, Recorder()) as queue:
        await queue.sweep()
        assert await jobs(engine) == ["evaluate doing"]


async def test_two_sweeps_at_once_take_turns(uow: UowFactory, engine: AsyncEngine, database_url: str) -> None:
    async with uow() as unit:
        await unit.jobs.evaluate("src_1")
    async with killed_worker(database_url):
        pass
    async with Queue.open(database_url, Recorder()) as queue, engine.connect() as other:
        await other.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": 0x70C5_0002})
        await queue.sweep(stalled_after=AT_ONCE)
        assert await jobs(engine) == ["evaluate doing"]
        await other.rollback()
        await queue.sweep(stalled_after=AT_ONCE)
    assert await jobs(engine) == ["evaluate todo"]
