"""No poll runs for ever: what has lost its job is ended by the next minute."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from service.domain.sources.poll import Poll, PollState
from service.domain.sources.source import ReportName
from service.workflows.operation.upkeep import run_minute
from service.workflows.ports.outages import StorageUnavailable
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.sources.backfill import request_backfill
from service.workflows.sources.ingest import run_due_polls, run_ingest
from service.workflows.sources.lost_polls import LOST
from tests.workflows.yard import DAY, Yard


async def lose_job(yard: Yard) -> None:
    """The queue has given the job up, or it was lost with the connection."""
    async with yard.engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM procrastinate_jobs")


async def cut_short(yard: Yard) -> Poll:
    """A poll whose database goes away while its bill is read, and is away when that is to be recorded."""
    poll = await yard.request()
    away: list[ReportName] = []

    def uow() -> AbstractAsyncContextManager[UnitOfWork]:
        if away:
            raise StorageUnavailable("the database cannot be reached")
        return yard.ports.uow()

    async def leave(report: ReportName) -> None:
        if report is ReportName.COST:
            away.append(report)

    yard.reader.meanwhile = leave
    with pytest.raises(StorageUnavailable):
        await run_ingest(replace(yard.ports, uow=uow), yard.source.id, poll.id)
    yard.reader.meanwhile = None
    return poll


async def test_a_poll_that_could_not_record_its_end_is_ended_and_made_up_for(yard: Yard) -> None:
    with capture_logs() as lines:
        poll = await cut_short(yard)
    assert [line for line in lines if "exc_info" in line] == [], "a database that is away is no defect"
    await lose_job(yard)
    assert (await yard.see(poll)).state is PollState.RUNNING
    await run_minute(yard.ports)
    ended, state = await yard.see(poll), await yard.state()
    assert (ended.state, ended.finished_at, ended.reports[-1].error) == (PollState.FAILED, yard.clock(), LOST)
    assert (state.failures, state.polling_since, state.last_error) == (1, None, LOST)
    yard.clock.advance(timedelta(minutes=2))
    assert await run_due_polls(yard.ports) == 1, "its next turn was five minutes away"
    await yard.settle()
    assert (await yard.state()).last_error is None


async def test_a_queued_poll_that_has_lost_its_job_is_ended_and_keeps_none_away(yard: Yard) -> None:
    poll = await yard.request()
    await lose_job(yard)
    assert await run_due_polls(yard.ports) == 0
    await run_minute(yard.ports)
    assert (await yard.see(poll)).state is PollState.FAILED
    assert (await yard.state()).failures == 0, "nothing was tried"
    assert await run_due_polls(yard.ports) == 1


async def test_a_poll_whose_job_is_there_is_left_alone(yard: Yard) -> None:
    """A killed worker's job goes back into the queue, and its poll is done again."""
    poll = await cut_short(yard)
    before = await yard.state()
    await run_minute(yard.ports)
    assert (await yard.see(poll)).state is PollState.RUNNING
    assert (await yard.state()).failures == before.failures
    await yard.settle()
    assert (await yard.see(poll)).state is PollState.DONE


async def test_a_backfill_without_a_job_goes_on(yard: Yard) -> None:
    await yard.poll()
    async with yard.ports.uow() as uow:
        past = await request_backfill(uow, yard.source.id, yard.clock() - 100 * DAY, yard.clock())
        await uow.polls.save(replace(past, state=PollState.RUNNING))
    await lose_job(yard)
    await yard.minute()
    assert (await yard.see(past)).state is PollState.DONE
