"""Reading the past, a month at a time. Each part is a job of its own, so that polls go on in between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from service.domain.sources.poll import Notice, Poll, PollKind, PollState, ReportOutcome, left_over
from service.domain.sources.pricing import PriceBook
from service.domain.sources.source import ReportName, Source
from service.domain.spend.lateness import READ_DEEPLY
from service.domain.spend.rows import Width
from service.domain.values.errors import Invalid
from service.domain.values.periods import Window
from service.domain.values.resources import Resource, new_id
from service.domain.values.utc import DAY, day_start
from service.workflows.ports.sources import FenceLost, OutOfReach, SourceError
from service.workflows.ports.spans import identified
from service.workflows.ports.spend import Changes, Stamp
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.sources.defects import bounded, defects_refuse
from service.workflows.sources.identify import run_is_identified
from service.workflows.sources.ingest import log_end, polled_source, request_poll
from service.workflows.sources.report_reading import (
    ReportChange,
    RunningPoll,
    opened,
    read_cost,
    read_usage,
    run_directory,
    run_report,
)

PART = timedelta(days=31)
"""The most days that one page of the cost report holds."""
FARTHEST = timedelta(days=5 * 366)


async def request_backfill(uow: UnitOfWork, source_id: str, since: datetime, now: datetime) -> Poll:
    """Queues the reading of all UTC days from `since` to yesterday, in the caller's transaction.

    A backfill from the same day that has not ended is continued where it stopped. A new source's first poll comes
    before it.
    """
    start, today = day_start(since), day_start(now)
    if not today - FARTHEST <= start < today:
        raise Invalid("must be an earlier day, at most five years back", "/since")
    window = Window(start, today)
    poll = await _unfinished(uow, source_id, start)
    if poll is None:
        poll = Poll(new_id("poll", now), source_id, PollKind.BACKFILL, PollState.QUEUED, created_at=now, window=window)
        await uow.polls.add(poll)
    else:
        poll = replace(poll, state=PollState.QUEUED, window=window, finished_at=None)
        await uow.polls.save(poll)
    await _read_newest_first(uow, source_id, now)
    await uow.jobs.backfill(source_id, poll.id)
    return poll


async def _read_newest_first(uow: UnitOfWork, source_id: str, now: datetime) -> None:
    """Queues the first poll of an enabled source of which nothing has been read or tried yet."""
    state = await uow.polling_states.get(source_id)
    is_new = state.cost_read_at is None and state.failures == 0 and state.polling_since is None
    if not is_new or not (await uow.sources.get(source_id)).spec.enabled:
        return
    if all(poll.kind is PollKind.BACKFILL for poll in await uow.polls.unfinished(source_id)):
        await request_poll(uow, source_id, PollKind.REQUESTED, now)


async def _unfinished(uow: UnitOfWork, source_id: str, start: datetime) -> Poll | None:
    for poll in reversed(await uow.polls.backfills(source_id)):
        if poll.window is not None and poll.window.start == start:
            return poll if poll.state is not PollState.DONE else None
    return None


async def reach_back(uow: UnitOfWork, source_id: str, start: datetime, now: datetime) -> None:
    """Reads the days since `start` that no bill has covered, but those that polls read; a backfill of them goes on."""
    start = day_start(max(start, now - FARTHEST + DAY))
    missing = await uow.facts.unbilled_since(source_id, Window(start, day_start(now) - READ_DEEPLY))
    if missing is not None:
        await request_backfill(uow, source_id, await _begun_before(uow, source_id, missing), now)


async def _begun_before(uow: UnitOfWork, source_id: str, day: datetime) -> datetime:
    """The start of the newest backfill that has still to come to a day; the day itself where there is none."""
    backfills = await uow.polls.backfills(source_id)
    left = [poll for poll in backfills if poll.state in (PollState.QUEUED, PollState.RUNNING)] + left_over(backfills)
    windows = [(poll.window, poll.done_until) for poll in left if poll.window is not None]
    starts = [window.start for window, done_until in windows if (done_until or window.start) <= day < window.end]
    return starts[-1] if starts else day


async def run_backfill(ports: Ports, source_id: str, poll_id: str) -> None:
    """Reads the next part of a backfill and queues the one after it. An interrupted part is simply read again."""
    with identified(ports.spans, "backfill", {"poll_id": poll_id, "source_id": source_id}):
        await _run_next_part(ports, source_id, poll_id)


async def _run_next_part(ports: Ports, source_id: str, poll_id: str) -> None:
    begun = await run_begin_part(ports, source_id, poll_id)
    if begun is None:
        return
    part = begun.part
    try:
        with defects_refuse("backfill"):
            outcomes = await _run_part(ports, begun, poll_id)
    except FenceLost:
        await run_close_part(ports, source_id, poll_id, until=None, failed=False)
        return
    except SourceError as error:
        await run_fail_part(ports, source_id, poll_id, str(error))
        return
    failed = any(outcome.error for outcome in outcomes)
    await run_close_part(ports, source_id, poll_id, until=None if failed else part.end, failed=failed)
    log_end(failed=failed, outcomes=outcomes)


async def _run_part(ports: Ports, begun: PartBegun, poll_id: str) -> list[ReportOutcome]:
    async with opened(ports, begun.source.spec) as reader:
        running = RunningPoll(ports, begun.source, reader, begun.prices, poll_id, begun.fence)
        return await _read_part(running, begun)


async def _read_part(running: RunningPoll, begun: PartBegun) -> list[ReportOutcome]:
    """Reads both reports of a part. A backfill before the first poll asks first whose cost this is."""
    if not await run_is_identified(running.ports, running.source.id):
        outcome, identified = await run_directory(running)
        if not identified:
            return [outcome]
    cost, usage = partial(read_cost, running), partial(read_usage, running, width=Width.HOUR)
    return [
        await run_report(running, ReportName.COST, lambda: _within_reach(begun, cost)),
        await run_report(running, ReportName.USAGE_HOURS, lambda: _within_reach(begun, usage)),
    ]


async def _within_reach(begun: PartBegun, read: Callable[[Window], Awaitable[ReportChange]]) -> ReportChange:
    """Returns what was read; nothing, with a notice, of a part before the days that the key's reports go back to.

    Raises SourceError where the key cannot read the last day either: a part that is left out is not tried again.
    """
    try:
        return await read(begun.part)
    except OutOfReach as error:
        await read(begun.last_day)
        left_out = bounded(f"{begun.part.start:%Y-%m-%d} to {begun.part.end:%Y-%m-%d} is left out. {error}")
        return ReportChange(_write_nothing, notices=(Notice(left_out, 1),))


async def _write_nothing(uow: UnitOfWork, stamp: Stamp) -> Changes:
    return Changes()


@dataclass(frozen=True, slots=True)
class PartBegun:
    source: Resource[Source]
    prices: PriceBook
    fence: int
    part: Window
    last_day: Window


async def run_begin_part(ports: Ports, source_id: str, poll_id: str) -> PartBegun | None:
    """Takes the fence for the next part; None where the backfill is over already, or its source deleted."""
    now = ports.clock()
    async with ports.uow() as uow:
        poll = await uow.polls.get(poll_id)
        if poll.state is PollState.DONE or poll.window is None:
            return None
        source = await polled_source(uow, source_id, poll_id, now)
        if source is None:
            return None
        fence = await uow.polling_states.take_fence(source_id)
        await uow.fingerprints.follow(source_id, fence)
        prices = ports.price_book([price.spec for price in await uow.prices.all()])
        await uow.polls.save(replace(poll, state=PollState.RUNNING, started_at=poll.started_at or now))
    start = poll.done_until or poll.window.start
    part = Window(start, min(start + PART, poll.window.end))
    return PartBegun(source, prices, fence, part, last_day=Window(poll.window.end - DAY, poll.window.end))


async def run_fail_part(ports: Ports, source_id: str, poll_id: str, error: str) -> None:
    """Ends a backfill that threw outside its reports. Its first report shows why."""
    async with ports.uow() as uow:
        await uow.polls.record(poll_id, ReportOutcome(ReportName.COST, error=error))
    await run_close_part(ports, source_id, poll_id, until=None, failed=True)


async def run_close_part(ports: Ports, source_id: str, poll_id: str, *, until: datetime | None, failed: bool) -> None:
    """Notes how far the backfill has come, and queues its next part unless it failed or is done.

    The evaluation comes first, as where a budget is written that goes on with the backfill: else the two could wait for
    each other.
    """
    now = ports.clock()
    async with ports.uow() as uow:
        await uow.jobs.evaluate(source_id)
        poll = await uow.polls.get(poll_id)
        assert poll.window is not None
        done_until = until or poll.done_until
        over = failed or done_until == poll.window.end
        state = PollState.FAILED if failed else PollState.DONE if over else PollState.RUNNING
        await uow.polls.save(replace(poll, state=state, done_until=done_until, finished_at=now if over else None))
        if not over:
            await uow.jobs.backfill(poll.source_id, poll.id)
