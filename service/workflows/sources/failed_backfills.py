"""Backfills that failed go on by themselves: until then whatever looks back counts less than was spent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from service.domain.sources.poll import PollState, left_over, merged
from service.domain.sources.source import SourceState
from service.workflows.ports.unit_of_work import UnitOfWork

TRIED_HOURLY_FOR = timedelta(days=1)
"""Most are refused for some minutes: a year in many parts is the longest that the API is asked without a pause."""
TRIED_FOR = timedelta(days=35)
"""After that a person has to ask again: what was refused so often stays refused."""


async def continue_failed_backfills(uow: UnitOfWork, before: SourceState, after: SourceState, now: datetime) -> None:
    """Queues the rests again, each day of them once, after a poll that has read the bill; not after each of them.

    `before` and `after` it: names are read once an hour, and deeply is read once a day.
    """
    if after.deep_read_at != before.deep_read_at:
        tried_for = TRIED_FOR
    elif after.directory_read_at != before.directory_read_at and after.cost_read_at != before.cost_read_at:
        tried_for = TRIED_HOURLY_FOR
    else:
        return
    source_id = after.source_id
    failed = left_over(await uow.polls.backfills(source_id))
    for poll in merged(one for one in failed if now - one.created_at <= tried_for):
        await uow.polls.save(replace(poll, state=PollState.QUEUED, finished_at=None))
        await uow.jobs.backfill(source_id, poll.id)
