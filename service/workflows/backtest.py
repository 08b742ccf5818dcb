"""Backtests: a rule or a budget is replayed over stored history, as it was known then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from service.domain.backtest.backtest import Backtest, BacktestState, Progress, Result, Subject
from service.domain.backtest.budgets import replay_budget
from service.domain.backtest.glance import grain_of
from service.domain.backtest.history import Announced, Recorded
from service.domain.backtest.hours import learning_days
from service.domain.backtest.rules import replay_rule
from service.domain.backtest.stretches import ONE_BY_ONE, Hands
from service.domain.budgets.budget import Budget
from service.domain.detectors.hourly.known import HourVersions
from service.domain.messages.people import known_as
from service.domain.rules.evaluation import days_needed, grain_needed, hours_needed
from service.domain.rules.registry import kind_of
from service.domain.rules.rule import Rule
from service.domain.sources.source import SourceKind
from service.domain.spend.lateness import CLOSING_FOR
from service.domain.values.errors import Conflict, Invalid, NotFound
from service.domain.values.periods import Window, live_periods
from service.domain.values.resources import Resource, new_id
from service.domain.values.scopes import EVERYTHING, FINEST, Grain, Scope, tells_spenders
from service.domain.values.utc import DAY, midnight
from service.workflows.configuration.engine import Author, Difference, record
from service.workflows.ports.outages import StorageUnavailable
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.sources.naming import names_of

FARTHEST = 400 * DAY
"""How far back a backtest begins by default, if so much is stored."""
MOST_DAYS = 1100
MOST_AMOUNTS = 20_000_000
"""Amounts of hours held at once, 8 bytes each, and twice: 400 days of 2,000 keys."""
KEPT = 100
NOTE_EVERY = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class BacktestQuestion:
    """The request of a backtest. `since` and `until` are instants, cut to the whole UTC days between them."""

    subject: Subject
    since: datetime | None
    until: datetime | None
    request: Mapping[str, object]


ReplayWith = Callable[[Progress], Result]


class Stopped(Exception):
    """The worker shuts down: the thread that computes has to end, too."""


class Cancelled(Exception):
    """Somebody has cancelled the backtest, or it was dropped: nobody waits for its result."""


class Meter:
    """How far a computation in a thread has come."""

    def __init__(self) -> None:
        self.progress = 0.0
        self.stopped = False

    def note(self, progress: float) -> None:
        """Called by the thread. Raises Stopped."""
        if self.stopped:
            raise Stopped
        self.progress = progress


async def request_backtest(uow: UnitOfWork, question: BacktestQuestion, author: Author) -> Backtest:
    """Queues a backtest in the caller's transaction. Raises Invalid where there is nothing to replay."""
    subject = question.subject
    _require_days(subject.spec)
    first, last = _span(question, await uow.backtests.begins(subject.spec.source_id), author.at)
    backtest = Backtest(
        id=new_id("bt", author.at),
        source_id=subject.spec.source_id,
        subject=subject,
        request=question.request,
        first_day=first,
        last_day=last,
        state=BacktestState.QUEUED,
        created_at=author.at,
        created_by=author.actor,
    )
    await uow.backtests.add(backtest)
    await uow.backtests.keep_newest(KEPT)
    await uow.jobs.backtest(backtest.id)
    detail = f"of {subject.name!r}, {first} to {last}"
    asked = {"rule": subject.name, "first_day": first.isoformat(), "last_day": last.isoformat()}
    await record(uow, author, "backtest.create", backtest.id, detail, Difference(after=asked))
    return backtest


async def cancel_backtest(uow: UnitOfWork, id: str, author: Author) -> Backtest:
    """Ends a backtest that waits or runs; a running one computes up to its next step. Raises NotFound and Conflict.

    It has failed, which every release can read, and says who has cancelled it.
    """
    backtest = await uow.backtests.get(id)
    by = known_as(author.actor, author.name)
    over = replace(backtest, state=BacktestState.FAILED, finished_at=author.at, error=f"cancelled by {by}")
    if not await uow.backtests.save(over):
        raise Conflict("the backtest is over already")
    was, now = ({"state": one.state.value} for one in (backtest, over))
    await record(uow, author, "backtest.cancel", id, f"of {backtest.subject.name!r}", Difference(was, now))
    return over


def _require_days(spec: Rule[object] | Budget) -> None:
    """Raises Invalid for a rule that judges no spend, and for what tells actors or products apart."""
    if isinstance(spec, Rule) and not kind_of(spec).judges_bill:
        what = "how a source was read" if not kind_of(spec).judges_spend else "what Claude Code had reported by then"
        raise Invalid(f"{what} is not kept: there is nothing to replay", "/rule")
    if tells_spenders(spec.grain if isinstance(spec, Budget) else grain_needed([spec])):
        raise Invalid("what each day was known to be is not kept by actor or product", "/rule")


def _span(question: BacktestQuestion, begins: date | None, now: datetime) -> tuple[date, date]:
    """The first and the last UTC day to replay: days that are over, and of which something is known."""
    if begins is None:
        raise Invalid("nothing is stored of this source yet", "/source")
    end = min(question.until or now, now).date()
    if question.since is not None and question.since.date() < begins:
        raise Invalid(f"history begins on {begins}", "/since")
    first = question.since.date() if question.since else max(begins, (now - FARTHEST).date())
    if first >= end:
        if question.since is None and question.until is None:
            raise Invalid(f"history begins on {begins}, and no day of it is over yet", "/since")
        raise Invalid("no whole UTC day lies between since and until", "/since" if question.since else "/until")
    if (end - first).days > MOST_DAYS:
        raise Invalid(f"at most {MOST_DAYS} days can be replayed at once", "/since")
    return first, end - DAY


async def run_backtest(ports: Ports, backtest_id: str) -> None:
    """Replays, outside of any transaction and beside the event loop. Begun twice, it is done twice, with one result.

    A defect ends the backtest as failed, and the job with it. A database that is away is none: the job comes again.
    """
    backtest = await run_begin(ports, backtest_id)
    if backtest is None:
        return
    try:
        stretch = ReplaySpan(backtest.subject.spec, backtest.first_day, backtest.last_day)
        with _hands(ports, stretch) as hands:
            result = await _computed(ports, backtest, await run_read(ports, stretch), hands)
    except StorageUnavailable:
        raise
    except Cancelled:
        return
    except Exception as error:
        await run_close(ports, backtest, error=f"{type(error).__name__}: {error}")
        raise
    await run_close(ports, backtest, result=result)


async def run_begin(ports: Ports, backtest_id: str) -> Backtest | None:
    """Writes down that it runs; None where it is over, or was dropped."""
    now = ports.clock()
    async with ports.uow() as uow:
        try:
            backtest = await uow.backtests.get(backtest_id)
        except NotFound:
            return None
        if backtest.state.is_over:
            return None
        running = replace(backtest, state=BacktestState.RUNNING, started_at=backtest.started_at or now)
        return running if await uow.backtests.save(running) else None


@dataclass(frozen=True, slots=True)
class ReplaySpan:
    """The UTC days that a rule or budget is replayed over, both included."""

    spec: Rule[object] | Budget
    first: date
    last: date


async def run_read(ports: Ports, stretch: ReplaySpan) -> Recorded:
    """All that a replay of these days reads: days and hours at the same time, each in a short transaction."""
    known, hours = await _at_once(_run_read_days(ports, stretch), _run_read_hours(ports, stretch))
    return replace(known, hours=hours)


async def _run_read_days(ports: Ports, stretch: ReplaySpan) -> Recorded:
    async with ports.uow() as uow:
        return await _days(uow, stretch)


async def _run_read_hours(ports: Ports, stretch: ReplaySpan) -> HourVersions | None:
    """Both halves at the same time: most of it is the database's work. If they are too many, the newest in one."""
    window = _hours_window(stretch)
    if window is None:
        return None
    middle = midnight(window.start.date() + (window.end - window.start) // DAY // 2 * DAY)
    earlier, later = await _at_once(
        _run_read_window(ports, stretch, Window(window.start, middle), MOST_AMOUNTS // 2),
        _run_read_window(ports, stretch, Window(middle, window.end), MOST_AMOUNTS // 2),
    )
    if (earlier.first, later.first) == (window.start, middle):
        return earlier.followed_by(later)
    return await _run_read_window(ports, stretch, window, MOST_AMOUNTS)


async def _run_read_window(ports: Ports, stretch: ReplaySpan, window: Window, most: int) -> HourVersions:
    async with ports.uow() as uow:
        return await uow.facts.hour_versions(stretch.spec.source_id, window, most=most)


One = TypeVar("One")
Other = TypeVar("Other")


async def _at_once(one: Coroutine[Any, Any, One], other: Coroutine[Any, Any, Other]) -> tuple[One, Other]:
    """Returns what both read. Raises what the first of them raises; none goes on afterwards."""
    reading = asyncio.create_task(one), asyncio.create_task(other)
    try:
        return await asyncio.gather(*reading)
    finally:
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)


async def _days(uow: UnitOfWork, stretch: ReplaySpan) -> Recorded:
    """Everything but the hours."""
    source = await uow.sources.get(stretch.spec.source_id)
    every = [Announced(one.created_at, one.spec) for one in await uow.planned.readable()]
    planned = [one for one in every if one.activity.source_id == source.id]
    days = _earliest(stretch), stretch.last + DAY
    return Recorded(
        source_id=source.id,
        versions=await uow.facts.day_versions(source.id, *days, *_cells(stretch.spec, planned)),
        names=await names_of(uow, await uow.polling_states.get(source.id)),
        planned=planned,
        simulated=source.spec.kind is SourceKind.SIMULATOR,
        delay=source.spec.poll_interval,
        locality=source.spec.locality,
    )


def _cells(spec: Rule[object] | Budget, planned: Sequence[Announced]) -> tuple[Grain, Scope]:
    """Whose days are read: of what a rule does not tell apart the sums."""
    grain = grain_of(spec, planned) if isinstance(spec, Rule) else None
    return (FINEST, EVERYTHING) if grain is None else (grain, spec.scope)


def _hours_window(stretch: ReplaySpan) -> Window | None:
    """The hours that a rule judges, and those of the weeks before, which the first ones are compared with."""
    rule = stretch.spec
    if not isinstance(rule, Rule) or not hours_needed(rule):
        return None
    return Window(midnight(stretch.first - learning_days(rule)), midnight(stretch.last + DAY))


def _earliest(stretch: ReplaySpan) -> date:
    """The first day that the first step looks at."""
    spec = stretch.spec
    if isinstance(spec, Budget):
        live = live_periods(spec.period, midnight(stretch.first + DAY), CLOSING_FOR)
        starts = [period.window.start for period in live]
        return min([*(start.date() for start in starts), stretch.first])
    return stretch.first - days_needed(spec) * DAY


def _hands(ports: Ports, stretch: ReplaySpan) -> AbstractContextManager[Hands]:
    """Those that a replay may be shared with, called while it still reads: only one by the hour is cut."""
    return nullcontext(ONE_BY_ONE) if _hours_window(stretch) is None else ports.hands.called()


async def _computed(ports: Ports, backtest: Backtest, known: Recorded, hands: Hands) -> Result:
    replay = _replay(backtest, known, hands)
    return await beside_the_loop(replay, lambda done: run_note_progress(ports, backtest.id, done))


Found = TypeVar("Found")


async def beside_the_loop(replay: Callable[[Progress], Found], note: Callable[[float], Awaitable[object]]) -> Found:
    """Runs a replay in a thread. `note` hears every second how far it has come; a stop, or what it raises, ends it."""
    meter = Meter()
    work = asyncio.create_task(asyncio.to_thread(replay, meter.note))
    try:
        while not (await asyncio.wait({work}, timeout=NOTE_EVERY.total_seconds()))[0]:
            await note(meter.progress)
    finally:
        meter.stopped = True
        await asyncio.gather(work, return_exceptions=True)
    return work.result()


def _replay(backtest: Backtest, known: Recorded, hands: Hands) -> ReplayWith:
    subject = backtest.subject
    if isinstance(subject.spec, Budget):
        budget: Resource[Budget] = replace(subject, spec=subject.spec)
        return partial(replay_budget, budget, known, backtest.first_day, backtest.last_day)
    rule: Resource[Rule[object]] = replace(subject, spec=subject.spec)
    return partial(replay_rule, rule, known, backtest.first_day, backtest.last_day, hands=hands)


async def run_note_progress(ports: Ports, backtest_id: str, progress: float) -> None:
    """Raises Cancelled where it need not go on."""
    async with ports.uow() as uow:
        if not await uow.backtests.note_progress(backtest_id, progress):
            raise Cancelled


async def run_close(
    ports: Ports, backtest: Backtest, *, result: Result | None = None, error: str | None = None
) -> None:
    """Writes down what came of it."""
    over = replace(
        backtest,
        state=BacktestState.DONE if error is None else BacktestState.FAILED,
        progress=1.0 if error is None else backtest.progress,
        finished_at=ports.clock(),
        result=result,
        error=error,
    )
    async with ports.uow() as uow:
        await uow.backtests.save(over)
