from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from service.domain.alerts.alert import AlertEvent, Command
from service.domain.alerts.evidence import BudgetEvidence, RuleEvidence
from service.domain.backtest.backtest import Backtest, BacktestState, Firing, Progress, Result, Subject
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity
from service.domain.rules.kinds.change import Against, Change
from service.domain.rules.kinds.claude_code import ClaudeCodeCost
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Rule
from service.domain.spend.best_known import Spend, SpendDay
from service.domain.spend.lateness import Patience
from service.domain.values.errors import Conflict, Invalid, NotFound
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.domain.values.scopes import Cell, Dimension
from service.workflows import backtest as backtests
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.backtest import (
    KEPT,
    BacktestQuestion,
    Meter,
    Stopped,
    cancel_backtest,
    request_backtest,
    run_backtest,
    run_close,
)
from service.workflows.configuration.engine import Author
from service.workflows.configuration.rules import Rules
from service.workflows.configuration.spend import Sources
from service.workflows.ports.outages import StorageUnavailable
from service.workflows.ports.spend import Stamp
from service.workflows.ports.unit_of_work import UnitOfWork
from tests.factories import budget, percent
from tests.workflows.yard import DAY, Yard, billed

FIRST = date(2026, 9, 1)
DAYS = 45
RINGING = (Command.OPEN, Command.RAISE)


def a_rule(yard: Yard, kind: str, params: object, for_each: Dimension | None = None) -> Rule[object]:
    return Rule(yard.source.id, kind, params, for_each=for_each, gates=KINDS[kind].gates)


async def know(yard: Yard, days: int, dollars: str = "50.00") -> None:
    """Days at one price, each known at its end."""
    for number in range(days):
        on = FIRST + number * DAY
        stamp = Stamp(yard.source.id, "poll_1", yard.at(on) + timedelta(hours=23))
        async with yard.ports.uow() as uow:
            cells = {Cell("default", "claude-sonnet-4-5", ""): SpendDay(Spend(billed=Money.of(dollars)))}
            await uow.facts.store_days(stamp, {on: cells})


async def ask(yard: Yard, subject: Subject, since: datetime | None = None, until: datetime | None = None) -> Backtest:
    async with yard.ports.uow() as uow:
        return await request_backtest(uow, BacktestQuestion(subject, since, until, {"rule": "it"}), yard.author)


async def answer(yard: Yard, backtest: Backtest) -> Backtest:
    async with yard.ports.uow() as uow:
        return await uow.backtests.get(backtest.id)


async def done(yard: Yard, backtest: Backtest) -> Result:
    await yard.settle()
    found = await answer(yard, backtest)
    assert (found.state, found.progress, found.error) == (BacktestState.DONE, 1.0, None)
    assert found.result is not None
    return found.result


async def test_a_backtest_finds_what_live_evaluations_of_the_same_days_found(yard: Yard) -> None:
    """Bills that come late and are restated, read once a day, and evaluated at each midnight."""
    yard.clock.move_to(yard.at(FIRST))
    change = await yard.create(
        Rules(), "change", a_rule(yard, "change", Change(Against.TRAILING_MEDIAN), Dimension.WORKSPACE)
    )
    anomaly = await yard.create(
        Rules(), "anomaly", a_rule(yard, "anomaly", Anomaly(AnomalyGranularity.DAYS), Dimension.MODEL)
    )
    monthly = await yard.add_budget("monthly", budget("9000.00", percent(25), percent(50), percent(100)))
    live: list[AlertEvent] = []
    drawn = random.Random(7)
    for number in range(DAYS):
        bill(yard, FIRST + number * DAY, number, drawn)
        yard.clock.move_to(yard.at(FIRST + number * DAY) + timedelta(hours=23, minutes=50))
        await yard.poll()
        yard.clock.move_to(yard.at(FIRST + (number + 1) * DAY))
        live += await run_evaluation(yard.ports, yard.source.id)
    rung = [event for event in live if event.command in RINGING]
    for subject in (change, anomaly, monthly):
        backtest = await ask(yard, subject, since=yard.at(FIRST))
        await run_backtest(yard.ports, backtest.id)
        result = (await answer(yard, backtest)).result
        assert result is not None
        own = [event for event in rung if _subject_of(event) == subject.id]
        assert len(own) >= 2, subject.name
        assert [_told(one) for one in result.firings] == [_as_live(event) for event in own], subject.name


def bill(yard: Yard, day: date, number: int, drawn: random.Random) -> None:
    """Three workspaces; a dear day now and then; what was billed two days ago may be more or less now."""
    for back in (2, 0):
        on = day - back * DAY
        if number >= back:
            rows = []
            for place, workspace in enumerate(("default", "wrkspc_eng", "wrkspc_web")):
                loud = 4.0 if (number - back) % (13 + place) == 12 and number > 15 else 1.0
                share = drawn.choice((1.0, 1.0, 1.8, 0.6)) if back else 1.0
                dollars = (60 + 10 * place) * drawn.lognormvariate(0, 0.05) * loud * share
                rows.append(billed(f"{dollars:.2f}", workspace=workspace, model=f"claude-{place % 2}"))
            yard.reader.bill(on, *rows)


def _subject_of(event: AlertEvent) -> str:
    told = event.alert.evidence
    return (
        told.rule_id if isinstance(told, RuleEvidence) else told.budget_id if isinstance(told, BudgetEvidence) else ""
    )


def _told(firing: Firing) -> tuple[object, ...]:
    return firing.at, str(firing.scope), firing.raised, firing.severity, firing.actual, firing.expected


def _as_live(event: AlertEvent) -> tuple[object, ...]:
    told = event.alert.evidence
    if isinstance(told, BudgetEvidence):
        actual, expected = told.spent, told.level
    else:
        assert isinstance(told, RuleEvidence)
        actual, expected = told.actual, told.expected
    raised = event.command is Command.RAISE
    return event.at, str(event.alert.scope), raised, event.alert.severity, actual, expected


def inline(yard: Yard, kind: str = "change", params: object | None = None) -> Resource[Rule[object]]:
    now = yard.clock()
    return Resource("", "backtest", 0, now, now, {}, a_rule(yard, kind, params or Change()))


async def test_the_queue_runs_a_backtest_and_its_answer_can_be_read(yard: Yard) -> None:
    yard.clock.move_to(yard.at(FIRST + 30 * DAY))
    await know(yard, 30)
    backtest = await ask(yard, inline(yard))
    assert (await answer(yard, backtest)).state is BacktestState.QUEUED
    result = await done(yard, backtest)
    assert (result.first_day, result.last_day, result.steps) == (FIRST, FIRST + 29 * DAY, 30)
    assert result.tally.firings == 0
    assert (await answer(yard, backtest)).subject == backtest.subject


async def test_a_budget_can_be_replayed_over_its_whole_first_period(yard: Yard) -> None:
    yard.clock.move_to(yard.at(FIRST + 40 * DAY))
    await know(yard, 40)
    monthly = await yard.add_budget("monthly", budget("1000.00", percent(100)))
    backtest = await ask(yard, monthly, since=yard.at(FIRST + 25 * DAY))
    (fired,) = (await done(yard, backtest)).firings
    assert fired.day == FIRST + 25 * DAY  # what was spent before the first step counts


async def test_a_backtest_that_is_begun_again_ends_with_one_result_and_its_progress_stays(yard: Yard) -> None:
    yard.clock.move_to(yard.at(FIRST + 20 * DAY))
    await know(yard, 20)
    backtest = await ask(yard, inline(yard))
    async with yard.ports.uow() as uow:
        await uow.backtests.note_progress(backtest.id, 0.8)
        await uow.backtests.note_progress(backtest.id, 0.3)
    assert (await answer(yard, backtest)).progress == 0.8
    await run_backtest(yard.ports, backtest.id)
    first = await answer(yard, backtest)
    await yard.settle()
    assert await answer(yard, backtest) == first


async def test_what_goes_wrong_ends_a_backtest_as_failed_and_is_said(yard: Yard) -> None:
    yard.clock.move_to(yard.at(FIRST + 20 * DAY))
    await know(yard, 20)
    backtest = await ask(yard, inline(yard))
    await yard.delete(Sources(), yard.source)
    with pytest.raises(NotFound):
        await run_backtest(yard.ports, backtest.id)
    failed = await answer(yard, backtest)
    assert failed.state is BacktestState.FAILED
    assert failed.error is not None
    assert yard.source.id in failed.error
    assert failed.finished_at == yard.clock()


async def test_a_database_that_goes_away_meanwhile_fails_no_backtest(yard: Yard) -> None:
    yard.clock.move_to(yard.at(FIRST + 10 * DAY))
    await know(yard, 10)
    backtest = await ask(yard, inline(yard))
    opened = 0

    @asynccontextmanager
    async def gone_while_reading() -> AsyncIterator[UnitOfWork]:
        nonlocal opened
        opened += 1
        if opened == 2:
            raise StorageUnavailable("gone")
        async with yard.ports.uow() as uow:
            yield uow

    with pytest.raises(StorageUnavailable):
        await run_backtest(replace(yard.ports, uow=gone_while_reading), backtest.id)
    assert (await answer(yard, backtest)).state is BacktestState.RUNNING
    await run_backtest(yard.ports, backtest.id)
    assert (await answer(yard, backtest)).state is BacktestState.DONE


async def test_a_stopped_worker_leaves_a_backtest_that_is_run_again(yard: Yard) -> None:
    yard.clock.move_to(yard.at(FIRST + 10 * DAY))
    await know(yard, 10)
    backtest = await ask(yard, inline(yard))
    opened, stuck = 0, asyncio.Event()

    @asynccontextmanager
    async def stuck_after_reading() -> AsyncIterator[UnitOfWork]:
        nonlocal opened
        opened += 1
        if opened > 2:
            stuck.set()
            await asyncio.Event().wait()
        async with yard.ports.uow() as uow:
            yield uow

    running = asyncio.create_task(run_backtest(replace(yard.ports, uow=stuck_after_reading), backtest.id))
    await stuck.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await answer(yard, backtest)).state is BacktestState.RUNNING
    await done(yard, backtest)


def test_a_computation_ends_at_its_next_step_once_the_worker_stops() -> None:
    meter = Meter()
    meter.note(0.5)
    meter.stopped = True
    with pytest.raises(Stopped):
        meter.note(0.6)
    assert meter.progress == 0.5


async def test_one_that_is_cancelled_while_it_waits_is_not_begun(yard: Yard) -> None:
    yard.clock.move_to(yard.at(FIRST + 20 * DAY))
    await know(yard, 20)
    backtest = await ask(yard, inline(yard))
    author = Author("token:ann", yard.clock())
    async with yard.ports.uow() as uow:
        await cancel_backtest(uow, backtest.id, author)
    await run_backtest(yard.ports, backtest.id)
    over = await answer(yard, backtest)
    assert (over.state, over.error, over.started_at) == (BacktestState.FAILED, "cancelled by ann", None)
    async with yard.ports.uow() as uow:
        with pytest.raises(Conflict, match="over already"):
            await cancel_backtest(uow, backtest.id, author)


async def test_one_that_is_cancelled_while_it_runs_ends_at_its_next_step(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.clock.move_to(yard.at(FIRST + 20 * DAY))
    await know(yard, 20)
    backtest = await ask(yard, inline(yard))
    begun = threading.Event()

    def endless(tell: Progress) -> Result:
        while True:
            tell(0.5)
            begun.set()

    async def cancel() -> None:
        async with yard.ports.uow() as uow:
            await cancel_backtest(uow, backtest.id, Author("token:ann", yard.clock()))

    monkeypatch.setattr(backtests, "NOTE_EVERY", timedelta())
    monkeypatch.setattr(backtests, "_replay", lambda *_: endless)
    running = asyncio.create_task(run_backtest(yard.ports, backtest.id))
    await asyncio.to_thread(begun.wait)
    await cancel()
    await running
    over = await answer(yard, backtest)
    assert (over.state, over.error) == (BacktestState.FAILED, "cancelled by ann")
    await run_close(yard.ports, over, error="too late")
    assert await answer(yard, backtest) == over, "what is over stays as it is"


@pytest.mark.parametrize(
    ("since", "end", "pointer"),
    [
        (datetime(2026, 8, 31, tzinfo=UTC), None, "/since"),
        (datetime(2026, 9, 11, tzinfo=UTC), datetime(2026, 9, 10, tzinfo=UTC), "/since"),
        (None, datetime(2026, 9, 1, tzinfo=UTC), "/until"),
        (datetime(2026, 9, 21, tzinfo=UTC), None, "/since"),
    ],
)
async def test_a_stretch_without_a_known_day_that_is_over_is_refused(
    yard: Yard, since: datetime | None, end: datetime | None, pointer: str
) -> None:
    yard.clock.move_to(yard.at(FIRST + 20 * DAY) + timedelta(hours=3))
    await know(yard, 20)
    with pytest.raises(Invalid) as refused:
        await ask(yard, inline(yard), since, end)
    assert refused.value.pointer == pointer


async def test_where_nothing_is_stored_or_kept_there_is_nothing_to_replay(yard: Yard) -> None:
    with pytest.raises(Invalid, match="nothing is stored"):
        await ask(yard, inline(yard))
    with pytest.raises(Invalid, match="nothing to replay"):
        await ask(yard, inline(yard, "stale_source", Patience()))
    with pytest.raises(Invalid, match="what Claude Code had reported by then is not kept"):
        await ask(yard, inline(yard, "claude_code", ClaudeCodeCost()))


async def test_a_rule_on_hours_is_replayed_by_the_hour(yard: Yard) -> None:
    yard.clock.move_to(yard.at(FIRST + 40 * DAY) + timedelta(hours=3))
    await know(yard, 40)
    asked = await ask(yard, inline(yard, "anomaly", Anomaly(AnomalyGranularity.HOURS)))
    await run_backtest(yard.ports, asked.id)
    result = (await answer(yard, asked)).result
    assert result is not None
    assert result.steps > 27 * 24


async def test_the_newest_hundred_are_kept(yard: Yard) -> None:
    yard.clock.move_to(yard.at(FIRST + 3 * DAY))
    await know(yard, 3)
    asked: list[Backtest] = []
    for _ in range(KEPT + 1):
        yard.clock.advance(timedelta(seconds=1))
        asked.append(await ask(yard, inline(yard)))
    with pytest.raises(NotFound):
        await answer(yard, asked[0])
    await run_backtest(yard.ports, asked[0].id)  # its job still comes, and finds nothing to do
    assert await _listed(yard) == [one.id for one in reversed(asked[1:])]


async def _listed(yard: Yard) -> Sequence[str]:
    async with yard.ports.uow() as uow:
        return [one.id for one in (await uow.backtests.page(limit=500, cursor=None)).items]
