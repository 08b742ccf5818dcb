"""The minute evaluates what time alone may have changed, and leaves the rest alone."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from service.domain.rules.kinds.change import Against, Change
from service.domain.rules.rule import Gates, Rule
from service.domain.sources.poll import Poll, PollKind, PollState
from service.domain.sources.source import ReportName
from service.domain.values.money import Money
from service.domain.values.scopes import Scope
from service.workflows.configuration.rules import Rules
from service.workflows.operation import upkeep
from service.workflows.operation.upkeep import run_minute
from service.workflows.ports.sources import SourceError
from tests.adapters.postgres.queue.queue_runs import until
from tests.workflows.yard import DAY, HOUR, MINUTE, Yard, billed

QUARTER = timedelta(minutes=15)


async def waiting(yard: Yard) -> list[str]:
    """The sources whose evaluation waits in the queue."""
    query = "SELECT args ->> 'source_id' FROM procrastinate_jobs WHERE task_name = 'evaluate' AND status = 'todo'"
    async with yard.engine.connect() as connection:
        return sorted(await connection.scalars(text(query)))


async def after(yard: Yard, passed: timedelta) -> list[str]:
    """The sources that are evaluated so much later."""
    yard.clock.advance(passed)
    await run_minute(yard.ports)
    return await waiting(yard)


async def evaluated_at(yard: Yard) -> datetime | None:
    return (await yard.state()).evaluated_at


async def test_a_source_that_is_well_is_evaluated_again_when_a_quarter_begins(yard: Yard) -> None:
    await yard.poll()
    await yard.settle()
    assert await after(yard, MINUTE) == []
    assert await evaluated_at(yard) == yard.clock(), "the answer is as good as new"
    assert await after(yard, 13 * MINUTE) == []
    assert await after(yard, MINUTE) == [yard.source.id]


async def test_a_poll_makes_the_evaluation_due_whatever_becomes_of_its_job(yard: Yard) -> None:
    await yard.poll()
    await yard.settle()
    yard.clock.advance(MINUTE)
    await yard.poll()
    async with yard.engine.begin() as connection:
        await connection.execute(text("DELETE FROM procrastinate_jobs"))
    assert await after(yard, MINUTE) == [yard.source.id]


async def test_a_source_that_fails_is_evaluated_every_minute(yard: Yard) -> None:
    yard.reader.refusals[ReportName.COST] = SourceError("unavailable", retryable=True)
    await yard.poll()
    await yard.settle()
    assert await after(yard, MINUTE) == [yard.source.id]


async def test_while_a_rules_gate_counts_minutes_its_source_is_evaluated_every_minute(yard: Yard) -> None:
    gates = Gates(Money.of("20.00"), Money.of("30").usd, min_active_days=3, pending_for=HOUR)
    kind = Change(against=Against.PREVIOUS_DAY)
    spec: Rule[object] = Rule(yard.source.id, "change", kind, Scope(), gates=gates)
    await yard.create(Rules(), "jump", spec)
    today = yard.clock().date()
    for ago in range(10, 0, -1):
        yard.reader.bill(today - ago * DAY, billed("100.00"))
    await yard.poll()
    await yard.settle()
    assert await after(yard, MINUTE) == [], "it objects to nothing"
    yard.reader.bill(today, billed("400.00"))
    await yard.poll()
    await yard.settle()
    assert await after(yard, MINUTE) == [yard.source.id]


async def test_a_clock_that_was_set_back_evaluates_at_once(yard: Yard) -> None:
    await yard.poll()
    await yard.settle()
    yard.clock.move_to(yard.clock() - HOUR)
    assert await after(yard, MINUTE) == [yard.source.id]


async def test_many_sources_are_queued_slice_by_slice(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "SLICE", 2)
    others = [(await yard.add_source(f"other {number}"))[0].id for number in range(4)]
    await run_minute(yard.ports)
    assert await waiting(yard) == sorted([yard.source.id, *others])


async def test_a_minute_that_meets_a_poll_waits_for_it_and_holds_nothing_that_it_needs(yard: Yard) -> None:
    """Deadlocks: a poll holds its source and then queues the evaluation, while a poll of it that was lost is ended."""
    await yard.poll()
    await yard.settle()
    lost = Poll("poll_lost", yard.source.id, PollKind.SCHEDULED, PollState.RUNNING, created_at=yard.clock())
    async with yard.ports.uow() as uow:
        await uow.polls.add(lost)
    yard.clock.advance(QUARTER)
    async with yard.ports.uow() as uow:
        await uow.polling_states.hold(yard.source.id)
        minute = asyncio.create_task(run_minute(yard.ports))
        await until(lambda: _waits(yard))
        await uow.jobs.evaluate(yard.source.id)
    await minute
    assert await waiting(yard) == [yard.source.id]
    assert (await yard.see(lost)).state is PollState.FAILED


async def _waits(yard: Yard) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with yard.engine.connect() as connection:
        return bool(await connection.scalar(text(waiting)))
