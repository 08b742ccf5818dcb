"""Polling a source: which reports are due, and the outcome of the poll."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from service.domain.sources.poll import Poll, PollKind, PollState, ReportOutcome
from service.domain.sources.pricing import PriceBook
from service.domain.sources.source import (
    CLOCK_SKEW,
    ReportName,
    Source,
    SourceState,
    after_begin,
    after_failure,
    after_success,
    due_after_bill,
    retry_delay,
)
from service.domain.spend.lateness import MINUTES_READ, USUAL_PATIENCE, hours_from, is_deep, read_from
from service.domain.spend.rows import Width
from service.domain.values.errors import NotFound
from service.domain.values.periods import Window
from service.domain.values.resources import Resource, new_id
from service.domain.values.utc import DAY, HOUR, MINUTE, day_start, hour_start
from service.workflows.ports.sources import FenceLost, SourceError
from service.workflows.ports.spans import identified
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.sources.defects import defects_refuse
from service.workflows.sources.failed_backfills import continue_failed_backfills
from service.workflows.sources.report_reading import (
    RunningPoll,
    opened,
    read_cost,
    read_usage,
    run_directory,
    run_report,
)

log = structlog.get_logger(__name__)

DIRECTORY_EVERY = timedelta(hours=1)
MOST_CRASHED = 20
LOST_AFTER = timedelta(minutes=15)


async def request_poll(uow: UnitOfWork, source_id: str, kind: PollKind, now: datetime) -> Poll:
    """Queues a poll in the caller's transaction."""
    poll = Poll(new_id("poll", now), source_id, kind, PollState.QUEUED, created_at=now)
    await uow.polls.add(poll)
    await uow.jobs.poll(source_id, poll.id)
    return poll


async def run_due_polls(ports: Ports) -> int:
    """Queues a poll of every source that is due. Several workers may do this at once; each source is queued once.

    A source whose last poll still waits keeps its due time. One that has waited for long, or since a time that is still
    to come, counts as lost: going blind is worse.
    """
    now = ports.clock()
    async with ports.uow() as uow:
        waiting = await uow.polls.waited_for(now - LOST_AFTER, now + CLOCK_SKEW)
        due = await uow.polling_states.claim_due(now, besides=waiting)
        for source_id in due:
            await request_poll(uow, source_id, PollKind.SCHEDULED, now)
    return len(due)


async def run_ingest(ports: Ports, source_id: str, poll_id: str) -> None:
    """Polls a source once: every report that is due, each with its own outcome on the poll, then an evaluation.

    A failed report leaves the others alone. A poll that another one has overtaken stops without writing. Whatever else
    is thrown ends the poll as failed, and is the source's last error.
    """
    with identified(ports.spans, "poll", {"poll_id": poll_id, "source_id": source_id}):
        await _run_poll(ports, source_id, poll_id)


async def _run_poll(ports: Ports, source_id: str, poll_id: str) -> None:
    try:
        with defects_refuse("poll"):
            begun = await run_begin(ports, source_id, poll_id)
            if begun is not None:
                await _run_reports(ports, begun, poll_id)
    except FenceLost:
        await run_give_up(ports, poll_id)
    except SourceError as error:
        await run_note_defect(ports, source_id, poll_id, str(error))


async def _run_reports(ports: Ports, begun: Begun, poll_id: str) -> None:
    async with opened(ports, begun.source.spec) as reader:
        running = RunningPoll(ports, begun.source, reader, begun.prices, poll_id, begun.fence)
        outcomes = await _read_due_reports(running, begun.state, begun.at)
    await run_close(ports, running, outcomes, started=begun.at)


@dataclass(frozen=True, slots=True)
class Begun:
    source: Resource[Source]
    state: SourceState
    prices: PriceBook
    fence: int
    at: datetime


async def run_begin(ports: Ports, source_id: str, poll_id: str) -> Begun | None:
    """Takes the fence and writes down that the poll runs; None where its source has been deleted."""
    now = ports.clock()
    async with ports.uow() as uow:
        source = await polled_source(uow, source_id, poll_id, now)
        if source is None:
            return None
        fence = await uow.polling_states.take_fence(source_id)
        await uow.fingerprints.follow(source_id, fence)
        state = await uow.polling_states.get(source_id)
        if state.polling_since is not None:
            await _fail_crashed(uow, source_id, now)
        state = after_begin(state, now)
        await uow.polling_states.save(state)
        prices = ports.price_book([price.spec for price in await uow.prices.all()])
        await _mark(uow, poll_id, PollState.RUNNING, now)
    return Begun(source, state, prices, fence, now)


async def polled_source(uow: UnitOfWork, source_id: str, poll_id: str, now: datetime) -> Resource[Source] | None:
    """None where it has been deleted since the poll was queued: that ends the poll, and nothing is wrong."""
    try:
        return await uow.sources.get(source_id)
    except NotFound:
        await _mark(uow, poll_id, PollState.FAILED, now)
        return None


async def _fail_crashed(uow: UnitOfWork, source_id: str, now: datetime) -> None:
    """Polls of a source run one after the other: what still says that it runs has crashed or was killed."""
    newest = await uow.polls.page(source_id, limit=MOST_CRASHED, cursor=None)
    for poll in newest.items:
        if poll.state is PollState.RUNNING and poll.kind is not PollKind.BACKFILL:
            await _mark(uow, poll.id, PollState.FAILED, now)


async def run_close(
    ports: Ports, running: RunningPoll, outcomes: Sequence[ReportOutcome], *, started: datetime
) -> None:
    """Writes the outcome of a poll: on the poll, and on the source's state."""
    now = ports.clock()
    source = running.source
    async with ports.uow() as uow:
        await uow.polling_states.hold_fence(source.id, running.fence)
        state = await uow.polling_states.get(source.id)
        after = _state_after(state, source.spec, outcomes, started=started, now=now)
        await uow.polling_states.save(replace(after, evaluation_due_at=now))
        await uow.jobs.evaluate(source.id)
        await continue_failed_backfills(uow, state, after, now)
        failed = any(outcome.error for outcome in outcomes)
        await _mark(uow, running.poll_id, PollState.FAILED if failed else PollState.DONE, now)
    log_end(failed=failed, outcomes=outcomes)
    if not failed:
        ports.outages.worked(f"source {source.name}")


def log_end(*, failed: bool, outcomes: Sequence[ReportOutcome] = ()) -> None:
    """Says how a poll, or a part of a backfill, ended, and what it changed; the lines' ids say which."""
    log.info(
        "poll_ended",
        state=(PollState.FAILED if failed else PollState.DONE).value,
        added=sum(one.added for one in outcomes),
        changed=sum(one.changed for one in outcomes),
        gone=sum(one.gone for one in outcomes),
    )


async def run_note_defect(ports: Ports, source_id: str, poll_id: str, error: str) -> None:
    """Ends a poll that threw outside its reports: it has failed, and so has the source."""
    now = ports.clock()
    async with ports.uow() as uow:
        source = await polled_source(uow, source_id, poll_id, now)
        if source is None:
            return
        began = (await uow.polls.get(poll_id)).started_at or now
        state = after_failure(await uow.polling_states.hold(source_id), began)
        backed_off = began + retry_delay(source.spec.poll_interval, state.failures)
        next_poll_at = max(state.next_poll_at, backed_off)
        failed = replace(state, last_error=error, next_poll_at=next_poll_at, evaluation_due_at=now)
        await uow.polling_states.save(failed)
        await uow.jobs.evaluate(source_id)
        await _mark(uow, poll_id, PollState.FAILED, now)
    log_end(failed=True)


async def run_give_up(ports: Ports, poll_id: str) -> None:
    async with ports.uow() as uow:
        await _mark(uow, poll_id, PollState.FAILED, ports.clock())
    log.info("poll_overtaken")


async def _read_due_reports(running: RunningPoll, state: SourceState, now: datetime) -> list[ReportOutcome]:
    days = Window(read_from(state, now), day_start(now) + DAY)
    hours = Window(hours_from(state, now), hour_start(now) + HOUR)
    minute = now.replace(second=0, microsecond=0)
    minutes = Window(minute - MINUTES_READ, minute + MINUTE)
    outcomes = []
    # Names come first, so that the very first message can use them; the bill comes before what it outweighs.
    if not state.is_identified or _is_directory_due(state, now):
        outcome, identified = await run_directory(running)
        outcomes.append(outcome)
        if not identified:
            return outcomes
    reports = (
        (ReportName.COST, lambda: read_cost(running, days)),
        (ReportName.USAGE_HOURS, lambda: read_usage(running, hours, Width.HOUR)),
        (ReportName.USAGE_MINUTES, lambda: read_usage(running, minutes, Width.MINUTE)),
    )
    return outcomes + [await run_report(running, name, read) for name, read in reports]


def _is_directory_due(state: SourceState, now: datetime) -> bool:
    return state.directory_read_at is None or now - state.directory_read_at >= DIRECTORY_EVERY


def _state_after(
    state: SourceState,
    source: Source,
    outcomes: Sequence[ReportOutcome],
    *,
    started: datetime,
    now: datetime,
) -> SourceState:
    """The source's state after a poll. Without a bill budgets go stale, without usage rules do: either is a failure."""
    errors = {outcome.report: outcome.error for outcome in outcomes}
    read = {report for report, error in errors.items() if error is None}
    state = replace(
        state,
        last_error=next((error for error in errors.values() if error), None),
        last_success_at=state.last_success_at if any(errors.values()) else now,
        usage_read_at=now if ReportName.USAGE_HOURS in read else state.usage_read_at,
        minutes_read_at=now if ReportName.USAGE_MINUTES in read else state.minutes_read_at,
        directory_read_at=now if ReportName.DIRECTORY in read else state.directory_read_at,
    )
    wait = max((one.wait for one in outcomes if one.wait is not None), default=timedelta())
    if ReportName.COST not in read:
        state = after_failure(state, started)
        backed_off = started + retry_delay(source.poll_interval, state.failures)
        return replace(state, next_poll_at=max(state.next_poll_at, backed_off, now + wait))
    if is_deep(state, started):
        state = replace(state, deep_read_at=started)
    due_at = due_after_bill(state, started, source.poll_interval)
    if ReportName.USAGE_HOURS not in read:
        state = replace(state, next_poll_at=max(due_at, now + wait))
        return replace(after_failure(state, started), cost_read_at=now)
    # No alert tells of a source that rests in good health: it rests no longer than one may fail without an alert.
    state = replace(state, next_poll_at=max(due_at, now + min(wait, USUAL_PATIENCE.after)))
    return after_success(state, now)


async def _mark(uow: UnitOfWork, poll_id: str, state: PollState, now: datetime) -> None:
    poll = await uow.polls.get(poll_id)
    started_at = poll.started_at or now
    finished_at = None if state is PollState.RUNNING else now
    await uow.polls.save(replace(poll, state=state, started_at=started_at, finished_at=finished_at))
