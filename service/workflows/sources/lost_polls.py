"""Polls without an end: their job is gone from the queue, and nobody is left to say what became of them.

A poll writes its own end. Where the database is away in that very moment it cannot, and would run for ever.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from service.domain.sources.poll import Poll, PollKind, PollState, ReportOutcome
from service.domain.sources.source import SHORTEST_INTERVAL, ReportName, SourceState, after_failure, retry_delay
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

LOST = "The poll was cut short, as by a database that went away, and could not write down how it ended."


async def run_end_lost_polls(ports: Ports) -> None:
    """Ends as failed what is queued or running without a job; the source is soon due again.

    Backfills go on by themselves. A source's state is held before its polls are written, as a poll does.
    """
    now = ports.clock()
    async with ports.uow() as uow:
        sources = await uow.polls.jobless()
    for source_id in sources:
        async with ports.uow() as uow:
            await _end_lost_polls(uow, await uow.polling_states.hold(source_id), now)


async def _end_lost_polls(uow: UnitOfWork, state: SourceState, now: datetime) -> None:
    polls = [poll for poll in await uow.polls.unfinished(state.source_id) if poll.kind is not PollKind.BACKFILL]
    lost = [poll for poll in polls if not await uow.jobs.has_poll(poll.id)]
    for poll in lost:
        await uow.polls.record(poll.id, ReportOutcome(ReportName.COST, error=LOST))
        await uow.polls.save(replace(poll, state=PollState.FAILED, finished_at=now))
    if _running(lost) and not _running([poll for poll in polls if poll not in lost]):
        await _note_failure(uow, state, now)


def _running(polls: list[Poll]) -> bool:
    return any(poll.state is PollState.RUNNING for poll in polls)


async def _note_failure(uow: UnitOfWork, state: SourceState, now: datetime) -> None:
    if state.polling_since is None:
        return
    failed = after_failure(state, state.polling_since)
    again = now + retry_delay(SHORTEST_INTERVAL, failed.failures)
    due = min(failed.next_poll_at, again)
    await uow.polling_states.save(replace(failed, last_error=LOST, next_poll_at=due, evaluation_due_at=now))
