"""What is late is found with its names and its age, kind by kind, and by as many statements for many as for one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text

from service.domain.sources.source import ReportName, SourceState
from service.workflows.operation.lateness import LIMIT, NAMED, Late, Work, find_late
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.operation import Behind
from service.workflows.ports.sources import SourceError
from service.workflows.sources.ingest import run_due_polls
from tests.factories import claude_source, resource
from tests.statements import counted
from tests.workflows.delivery.sending import announce, raise_it
from tests.workflows.yard import HOUR, MINUTE, Yard

SECOND = timedelta(seconds=1)


async def late(yard: Yard) -> dict[Work, Late]:
    async with yard.ports.uow() as uow:
        return {one.work: one for one in await find_late(uow, yard.clock())}


async def test_nothing_is_late_before_its_limit(yard: Yard) -> None:
    yard.clock.advance(LIMIT - SECOND)
    assert await late(yard) == {}


async def test_a_source_that_nobody_polls_or_evaluates_is_named_with_its_time(yard: Yard) -> None:
    made = yard.clock()
    yard.clock.advance(LIMIT)
    found = await late(yard)
    assert found.keys() == {Work.POLLS, Work.EVALUATIONS}
    assert {one.oldest for one in found.values()} == {Behind("claude", made)}


async def test_a_poll_that_waits_in_the_queue_stays_late(yard: Yard) -> None:
    await yard.request()
    yard.clock.advance(LIMIT)
    await run_due_polls(yard.ports)
    assert Work.POLLS in await late(yard)


async def test_what_workers_do_is_not_late(yard: Yard) -> None:
    for _ in range(4):
        await run_due_polls(yard.ports)
        await yard.minute()
        yard.clock.advance(2 * MINUTE)
    assert await late(yard) == {}


async def test_a_source_that_is_asked_and_fails_is_another_matter(yard: Yard) -> None:
    yard.reader.refusals[ReportName.COST] = SourceError("the key is revoked", retryable=False)
    for _ in range(3):
        await yard.poll()
    await yard.settle()
    found = await late(yard)
    assert found.keys() == {Work.SOURCES}
    assert "last_error" in found[Work.SOURCES].next_step


async def test_a_message_that_nobody_sends_is_late_and_what_waits_behind_it_is_not(yard: Yard) -> None:
    await yard.minute()
    await announce(yard)
    await raise_it(yard)
    opened, *_ = await yard.notifications()
    yard.clock.advance(LIMIT)
    messages = (await late(yard))[Work.NOTIFICATIONS]
    assert messages.arrears.count == 1
    assert messages.oldest == Behind(opened.id, opened.due_at)


async def test_a_message_that_waits_for_its_next_try_is_not_late(yard: Yard) -> None:
    await yard.minute()
    yard.channels.refusals["console"] = DeliveryError("busy", retry_after=HOUR)
    await announce(yard)
    await yard.settle()
    yard.clock.advance(2 * LIMIT)
    assert Work.NOTIFICATIONS not in await late(yard)


async def test_jobs_are_late_by_real_time_and_a_backtest_has_a_day(yard: Yard) -> None:
    async with yard.ports.uow() as uow:
        await uow.jobs.evaluate(yard.source.id)
        await uow.jobs.backtest("bt_1")
    async with yard.engine.begin() as connection:
        await connection.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now() - interval '6 minutes'"))
    jobs = (await late(yard))[Work.JOBS]
    assert [one.name for one in jobs.arrears.first] == ["evaluate"]
    assert jobs.arrears.count == 1


async def test_many_late_sources_are_counted_and_the_latest_are_named_by_as_many_statements(yard: Yard) -> None:
    yard.clock.advance(LIMIT)
    with counted(yard.engine) as for_one:
        await late(yard)
    begun = yard.clock() - HOUR
    async with yard.ports.uow() as uow:
        for number in range(200):
            source = resource(f"src_{number}", claude_source(), name=f"source {number:03}")
            await uow.sources.add(replace(source, created_at=begun))
            await uow.polling_states.add(SourceState(source.id, 0, begun + number * SECOND))
    with counted(yard.engine) as for_many:
        found = await late(yard)
    assert for_many == for_one
    polls = found[Work.POLLS].arrears
    assert polls.count == 201
    assert [one.name for one in polls.first] == [f"source {number:03}" for number in range(NAMED)]
