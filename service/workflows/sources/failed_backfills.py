"""Backfills that failed go on by themselves: until then whatever looks back counts less than was spent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from service.domain.sources.poll import PollState, left_over
from service.workflows.ports.unit_of_work import UnitOfWork

TRIED_FOR = timedelta(days=35)
"""After that a person has to ask again: what was refused so often stays refused."""


async def continue_failed_backfills(uow: UnitOfWork, source_id: str, now: datetime) -> None:
    """Queues the rest of each again. Called where a source can be read, and seldom."""
    for poll in left_over(await uow.polls.backfills(source_id)):
        if now - poll.created_at <= TRIED_FOR:
            await uow.polls.save(replace(poll, state=PollState.QUEUED, finished_at=None))
            await uow.jobs.backfill(source_id, poll.id)
