"""Hours that are read late and restated: what live evaluation found at each of them, and what a backtest finds."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from service.adapters.stretches import StretchProcesses
from service.domain.alerts.alert import AlertEvent, Command
from service.domain.alerts.evidence import RuleEvidence
from service.domain.backtest import stretches
from service.domain.backtest.backtest import Firing, Result
from service.domain.backtest.hours import learning_days
from service.domain.backtest.stretches import ONE_BY_ONE, Hands, OneByOne
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Rule
from service.domain.sources.pricing import Measure
from service.domain.sources.source import ReportName
from service.domain.spend.rows import Width
from service.domain.values.errors import NotFound
from service.domain.values.periods import Window
from service.domain.values.resources import Resource
from service.workflows import backtest
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.backtest import BacktestQuestion, ReplaySpan, request_backtest, run_backtest, run_read
from service.workflows.configuration.rules import Rules
from service.workflows.ports.sources import SourceError
from tests.workflows.yard import DAY, HOUR, Yard, billed, caller

FIRST = date(2026, 10, 12)
"""The first day that is watched by the hour."""
LEARNT, WATCHED = 18, 2
DELAY = timedelta(minutes=5)
TOKENS_A_DOLLAR = 1_000_000 / 15
RINGING = (Command.OPEN, Command.RAISE)

Usual = Mapping[datetime, Mapping[str, float]]


def usual(yard: Yard) -> dict[datetime, dict[str, float]]:
    """Dollars by hour and workspace, a few an hour."""
    drawn, start = random.Random(11), yard.at(FIRST - LEARNT * DAY)
    return {
        start + number * HOUR: {
            workspace: dollars * drawn.lognormvariate(0, 0.05)
            for workspace, dollars in (("default", 5.0), ("wrkspc_eng", 4.0), ("wrkspc_web", 3.0))
        }
        for number in range((LEARNT + WATCHED) * 24)
    }


def use(yard: Yard, hour: datetime, dollars: Mapping[str, float]) -> None:
    rows = [
        (caller(workspace=workspace, api_key=f"apikey_{workspace}"), {Measure.OUTPUT: round(usd * TOKENS_A_DOLLAR)})
        for workspace, usd in dollars.items()
    ]
    yard.reader.use(Width.HOUR, hour, *rows)


def bill(yard: Yard, day: date, hours: Usual) -> None:
    """The whole day, to the cent of what its hours come to."""
    of_day = [spent for hour, spent in hours.items() if hour.date() == day]
    for_each = {workspace: sum(spent[workspace] for spent in of_day) for workspace in of_day[0]}
    yard.reader.bill(day, *(billed(f"{usd:.6f}", workspace=name) for name, usd in for_each.items()))


async def learn(yard: Yard, hours: Usual) -> None:
    """One reading of what lies before the watched days."""
    for hour in hours:
        if hour.date() < FIRST:
            use(yard, hour, hours[hour])
    for ago in range(1, LEARNT + 1):
        bill(yard, FIRST - ago * DAY, hours)
    yard.clock.move_to(yard.at(FIRST) + DELAY)
    await yard.poll()


async def watch(yard: Yard, hours: Usual) -> list[AlertEvent]:
    """Reads and evaluates five minutes after the end of every hour."""
    seen = {hour: dict(spent) for hour, spent in hours.items()}
    unread = SourceError("the line is dead", retryable=True)
    live: list[AlertEvent] = []
    for number in range(1, WATCHED * 24 + 1):
        end = yard.at(FIRST) + number * HOUR
        for place, workspace, dollars in INCIDENTS.get(number, ()):
            seen[yard.at(FIRST) + place * HOUR][workspace] += dollars
            use(yard, yard.at(FIRST) + place * HOUR, seen[yard.at(FIRST) + place * HOUR])
        use(yard, end - HOUR, seen[end - HOUR])
        if end.hour == 6:
            bill(yard, end.date() - DAY, seen)
        yard.reader.refusals = {ReportName.USAGE_HOURS: unread} if number in OUTAGE else {}
        yard.clock.move_to(end + DELAY)
        await yard.poll()
        live += await run_evaluation(yard.ports, yard.source.id)
    return live


INCIDENTS: Mapping[int, list[tuple[int, str, float]]] = {
    4: [(3, "wrkspc_eng", 60.0)],
    5: [(4, "wrkspc_eng", 60.0)],
    # Told two hours later.
    17: [(14, "default", 90.0)],
    # In the outage, and known at its end.
    28: [(27, "wrkspc_web", 120.0)],
    # Dear when it was first read, and put right two hours later.
    39: [(38, "default", 75.0)],
    41: [(38, "default", -75.0)],
    # Too late for its hour, which is no longer judged.
    47: [(36, "wrkspc_eng", 70.0)],
}
"""By the number of the reading: the hour, the workspace, and the dollars more (or less) than was told before."""
OUTAGE = range(26, 30)
"""Readings that bring no usage."""


async def test_a_backtest_of_hours_finds_what_live_evaluation_found_at_each_hour(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one stretch, and in one for each day."""
    monkeypatch.setattr(stretches, "LEAST_DAYS", 1)
    hours = usual(yard)
    await learn(yard, hours)
    rules = [await yard.create(Rules(), each.name.lower(), spec_of(yard, each)) for each in WATCHING]
    live = await watch(yard, hours)
    for rule in rules:
        own = [
            event
            for event in live
            if isinstance(told := event.alert.evidence, RuleEvidence) and told.rule_id == rule.id
        ]
        rung = [event for event in own if event.command in RINGING]
        ended = {event.alert.id: event.at for event in own if event.command is Command.RESOLVE}
        result = await replayed(yard, rule)
        assert [_told(one) for one in result.firings] == [_as_live(event) for event in rung], rule.name
        assert [one.resolved_at for one in result.firings] == [ended.get(event.alert.id) for event in rung], rule.name
        assert result.steps == WATCHED * 24
        assert await replayed(yard, rule, StretchProcesses(WATCHED)) == result, rule.name
        assert len(rung) >= 2, rule.name


@pytest.mark.parametrize("most", [1_000_000, 1_000])
async def test_hours_that_are_read_in_halves_are_those_of_one_reading(
    yard: Yard, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of too many the newest are held, without a hole between the halves."""
    monkeypatch.setattr(backtest, "MOST_AMOUNTS", most)
    await learn(yard, usual(yard))
    rule = await yard.create(Rules(), "hours", spec_of(yard, AnomalyGranularity.HOURS))
    yard.clock.move_to(yard.at(FIRST + WATCHED * DAY))
    read = (await run_read(yard.ports, ReplaySpan(rule.spec, FIRST, FIRST + (WATCHED - 1) * DAY))).hours
    start = yard.at(FIRST) - learning_days(rule.spec)
    async with yard.ports.uow() as uow:
        whole = await uow.facts.hour_versions(yard.source.id, Window(start, yard.at(FIRST + WATCHED * DAY)), most=most)
    assert read is not None
    assert (read.first, list(read.cells), read.hours) == (whole.first, list(whole.cells), whole.hours)
    for found, wanted in ((read.amounts, whole.amounts), (read.complete_at, whole.complete_at)):
        assert found.tolist() == wanted.tolist()
    assert (whole.first > start, whole.amounts.sum() > 1_000) == (most == 1_000, True)


async def test_a_reading_that_fails_ends_the_others_and_says_why(yard: Yard) -> None:
    spec = replace(spec_of(yard, AnomalyGranularity.HOURS), source_id="src_gone")
    with pytest.raises(NotFound):
        await run_read(yard.ports, ReplaySpan(spec, FIRST, FIRST))
    assert [task for task in asyncio.all_tasks() if "run_read" in str(task.get_coro())] == []


async def test_a_rule_on_days_alone_starts_no_other_process(yard: Yard) -> None:
    class Called(OneByOne):
        def called(self) -> AbstractContextManager[Hands]:
            calls.append(rule.name)
            return super().called()

    calls: list[str] = []
    for granularity in (AnomalyGranularity.DAYS, AnomalyGranularity.BOTH):
        await learn(yard, usual(yard))
        rule = await yard.create(Rules(), granularity.name.lower(), spec_of(yard, granularity))
        await replayed(yard, rule, Called())
    assert calls == ["both"]


WATCHING = (AnomalyGranularity.HOURS, AnomalyGranularity.BOTH)


def spec_of(yard: Yard, granularity: AnomalyGranularity) -> Rule[object]:
    gates = KINDS["anomaly"].gates
    return Rule(yard.source.id, "anomaly", Anomaly(granularity), gates=gates)


async def replayed(yard: Yard, rule: Resource[Rule[object]], hands: Hands = ONE_BY_ONE) -> Result:
    yard.clock.move_to(yard.at(FIRST + WATCHED * DAY) + 2 * DELAY)
    async with yard.ports.uow() as uow:
        asked = await request_backtest(uow, BacktestQuestion(rule, yard.at(FIRST), None, {"rule": "it"}), yard.author)
    await run_backtest(replace(yard.ports, hands=hands), asked.id)
    async with yard.ports.uow() as uow:
        result = (await uow.backtests.get(asked.id)).result
    assert result is not None
    return result


def _told(firing: Firing) -> tuple[object, ...]:
    return firing.at, str(firing.scope), firing.raised, firing.severity, firing.actual, firing.expected, firing.unit


def _as_live(event: AlertEvent) -> tuple[object, ...]:
    told = event.alert.evidence
    assert isinstance(told, RuleEvidence)
    raised = event.command is Command.RAISE
    return event.at, str(event.alert.scope), raised, event.alert.severity, told.actual, told.expected, told.unit
