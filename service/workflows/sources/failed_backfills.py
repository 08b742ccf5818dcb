"""Backfills that failed go on by themselves: until then whatever looks back counts less than was spent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from service.domain.sources.poll import PollState, left_over, merged
from service.workflows.ports.unit_of_work import UnitOfWork

TRIED_FOR = timedelta(days=35)
"""After that a person has to ask again: what was refused so often stays refused."""


async def continue_failed_backfills(uow: UnitOfWork, source_id: str, now: datetime) -> None:
    """Queues the rests again, each day of them once. Called where a source can be read, and seldom."""
    failed = left_over(await uow.polls.backfills(source_id))
    for poll in merged(one for one in failed if now - one.created_at <= TRIED_FOR):
        await uow.polls.save(replace(poll, state=PollState.QUEUED, finished_at=None))
        await uow.jobs.backfill(source_id, poll.id)
