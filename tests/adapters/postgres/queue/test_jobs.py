"""Putting jobs into the queue: they are as durable as what caused them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from procrastinate import PsycopgConnector
from procrastinate.manager import JobManager
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.addresses import libpq_url
from service.adapters.postgres.unit_of_work import uow_factory
from service.domain.values.clocks import BusinessClock
from service.workflows.ports.unit_of_work import UnitOfWork, UowFactory
from tests.adapters.postgres.queue.queue_runs import jobs
from tests.factories import utc

NOW = utc("2026-11-16T12:00")


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


async def test_what_is_due_is_counted_by_kind_with_the_age_of_the_oldest(uow: UowFactory, engine: AsyncEngine) -> None:
    async with uow() as unit:
        await unit.jobs.evaluate("src_1")
        await unit.jobs.evaluate("src_2")
        await unit.jobs.deliver(datetime.now(UTC) - timedelta(minutes=5))
        await unit.jobs.wake("alert_1", datetime.now(UTC) + timedelta(hours=1))
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "UPDATE procrastinate_events SET at = at - interval '2 hours' WHERE job_id ="
                " (SELECT id FROM procrastinate_jobs WHERE args ->> 'source_id' = 'src_1')"
            )
        )
    async with uow() as unit:
        due = {one.kind: one for one in await unit.jobs.due()}
    assert {kind: one.count for kind, one in due.items() if one.count} == {"evaluate": 2, "deliver": 1}
    assert due["evaluate"].oldest // timedelta(hours=1) == 2
    assert due["deliver"].oldest // timedelta(minutes=5) == 1
    assert due["wake"].oldest == timedelta()
