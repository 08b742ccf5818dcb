"""Asks a source for a poll now, or for the past, for somebody. Both are on record."""

from __future__ import annotations

from datetime import datetime

from service.domain.sources.poll import Poll, PollKind
from service.domain.sources.source import Source
from service.domain.values.errors import Conflict
from service.domain.values.resources import Resource
from service.workflows.configuration.engine import Author, Difference, record
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.sources.backfill import request_backfill
from service.workflows.sources.ingest import request_poll


async def ask_for_poll(uow: UnitOfWork, source: Resource[Source], author: Author) -> Poll:
    """Queues a poll, also during back-off. Raises Conflict for a disabled source."""
    _require_enabled(source)
    queued = await request_poll(uow, source.id, PollKind.REQUESTED, author.at)
    await record(uow, author, "source.poll", source.id, queued.id, Difference(after={"poll": queued.id}))
    return queued


async def ask_for_backfill(uow: UnitOfWork, source: Resource[Source], since: datetime, author: Author) -> Poll:
    """Queues the reading of all UTC days from `since` on. Raises Conflict for a disabled source, and Invalid."""
    _require_enabled(source)
    queued = await request_backfill(uow, source.id, since, author.at)
    change = Difference(after={"poll": queued.id, "since": since.isoformat()})
    await record(uow, author, "source.backfill", source.id, queued.id, change)
    return queued


def _require_enabled(source: Resource[Source]) -> None:
    if not source.spec.enabled:
        raise Conflict(f"The source {source.name!r} is disabled")
