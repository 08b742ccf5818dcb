"""Workers killed in the middle of a job: nothing is lost with them, and nothing waits for them."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.queue.queue import Queue
from service.workflows.ports.unit_of_work import UowFactory
from tests.adapters.postgres.queue.queue_runs import Recorder, jobs, until, worker

AT_ONCE = timedelta(0)
"""For a sweep while no worker lives: every heartbeat is too old."""

DOOMED = """
import asyncio, sys
from service.adapters.postgres.queue.queue import Queue

class Hang:
    async def poll(self, **arguments):
        print("started", flush=True)
        await asyncio.Event().wait()
    backfill = evaluate = deliver = backtest = wake = step = digest = poll

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
