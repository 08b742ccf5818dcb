"""Running jobs: in order, once, to their end, and through the loss of connections."""

import asyncio
from datetime import timedelta

import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from service.adapters.postgres.addresses import libpq_url
from service.adapters.postgres.queue.queue import LONGEST_STATEMENT, Queue, _app, _connector
from service.domain.notify.escalation import PlannedStep
from service.workflows.ports.unit_of_work import UowFactory
from tests.adapters.postgres.queue.queue_runs import Recorder, jobs, until, worker
from tests.factories import utc

NOW = utc("2026-11-16T12:00")


async def test_the_server_ends_a_statement_of_the_queue_that_takes_too_long(database_url: str) -> None:
    async with _app(_connector(database_url, None), Recorder()).open_async() as app:
        row = await app.connector.execute_query_one_async(
            "SELECT current_setting('statement_timeout')::interval AS bound"
        )
    assert row["bound"] == LONGEST_STATEMENT


async def test_a_worker_runs_every_kind_of_job_and_keeps_none(
    uow: UowFactory, engine: AsyncEngine, database_url: str
) -> None:
    recorder = Recorder()
    async with uow() as unit:
        await unit.jobs.backfill("src_1", "poll_1")
        await unit.jobs.poll("src_2", "poll_2")
        await unit.jobs.evaluate("src_1")
        await unit.jobs.deliver(NOW)
        await unit.jobs.wake("alert_1", NOW)
        await unit.jobs.steps([(PlannedStep("alert_1", "esc_1", chain=3, round=1, step=2), NOW)])
    async with worker(database_url, recorder):
        await until(lambda: len(recorder.done) == 6)
    assert sorted(recorder.done) == [
        "backfill src_1 poll_1",
        "deliver",
        "evaluate src_1",
        "poll src_2 poll_2",
        "step alert_1 esc_1 3 1 2",
        "wake alert_1",
    ]
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


async def test_a_job_that_fails_again_and_again_has_few_tracebacks(uow: UowFactory, database_url: str) -> None:
    async def fail(job: str) -> None:
        recorder.done.append(job)
        raise ZeroDivisionError

    recorder = Recorder(before=fail)
    with capture_logs() as lines:
        async with worker(database_url, recorder):
            for number in range(9):
                async with uow() as unit:
                    await unit.jobs.poll("src_1", f"poll_{number}")
            async with uow() as unit:
                await unit.jobs.evaluate("src_1")
            await until(lambda: len(recorder.done) == 10)
    failed = [(line["task"], line["failures"]) for line in lines if line["event"] == "job_failed"]
    assert sorted(failed) == [("evaluate", 1), ("poll", 1), ("poll", 8)]


async def test_a_wake_up_a_step_or_a_backtest_that_raises_is_tried_again(
    uow: UowFactory, engine: AsyncEngine, database_url: str
) -> None:
    failed: set[str] = set()

    async def fail_once(job: str) -> None:
        if job not in failed:
            failed.add(job)
            raise ZeroDivisionError

    recorder = Recorder(before=fail_once)
    async with uow() as unit:
        await unit.jobs.wake("alert_1", NOW)
        await unit.jobs.steps([(PlannedStep("alert_1", "esc_1", chain=1, round=0, step=1), NOW)])
        await unit.jobs.backtest("bt_1")
    async with worker(database_url, recorder):
        await until(lambda: len(failed) == 3)
    assert sorted(await jobs(engine)) == ["backtest todo", "step todo", "wake todo"]
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now()"))
    async with worker(database_url, recorder):
        await until(lambda: len(recorder.done) == 3)
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
