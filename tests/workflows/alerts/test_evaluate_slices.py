"""An evaluation that ends after any of its slices loses nothing and doubles nothing: the next one goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from service.domain.alerts.alert import Command
from service.domain.alerts.slices import FIRST, sliced
from service.domain.budgets.budget import Budget
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.escalation import EscalationPolicy, EscalationStep
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.rules.kinds.change import Against, Change
from service.domain.rules.rule import Gates, Rule
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension, Scope
from service.domain.values.severity import Severity
from service.workflows.alerts import evaluate
from service.workflows.alerts.attend import move_alert
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.configuration.notify import EscalationPolicies, Receivers, put_routes
from service.workflows.configuration.rules import Rules
from service.workflows.configuration.spend import Budgets
from service.workflows.ports.unit_of_work import UnitOfWork
from tests.delivering import deliver_for
from tests.factories import SEALED, budget, percent
from tests.workflows.alerts.doomed_evaluation import ends_in, start
from tests.workflows.yard import DAY, HOUR, MINUTE, Killed, Yard, billed

ALERTS = 12
PATIENCE = 30
"""Seconds after which a process that should have ended has not."""
WAIT = timedelta(seconds=30)
WEEK = PeriodSpec(PeriodKind.ROLLING, days=7)


@pytest.fixture
def slices_of_2_4_4_and_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "sliced", partial(sliced, first=2, following=4))


async def overspend(yard: Yard, workspaces: int = ALERTS) -> Resource[Budget]:
    """Each workspace is to open an alert, of which Slack hears collected and a policy's pager at once."""
    await yard.receive_with(SlackBot(SEALED, "#claude-spend"))
    pager = await yard.create(Receivers(), "pager", Receiver((PagerDuty(SEALED),)))
    steps = EscalationStep(timedelta(), receiver_id=pager.id), EscalationStep(HOUR, receiver_id=pager.id)
    policy = await yard.create(EscalationPolicies(), "on call", EscalationPolicy(steps))
    async with yard.ports.uow() as uow:
        called = Route(pager.id, escalation_policy_id=policy.id, continues=True)
        collected = Route(yard.receiver.id, group_wait=WAIT, group_interval=MINUTE)
        await put_routes(uow, RouteTable((called, collected)), yard.author)
    spec = budget("10.00", percent(100), percent(200, Severity.CRITICAL), period=WEEK, for_each=Dimension.WORKSPACE)
    stored = await yard.add_budget("each", spec)
    await spend(yard, "12.00", workspaces)
    return stored


async def spend(yard: Yard, dollars: str, workspaces: int = ALERTS) -> None:
    lines = [billed(dollars, workspace=f"wrkspc_{number:02}") for number in range(workspaces)]
    yard.reader.bill(yard.clock().date(), *lines)
    await yard.poll()


async def end_in_slice(yard: Yard, number: int, *, committed: bool) -> None:
    ports = replace(yard.ports, uow=ends_in(yard.ports.uow, number, committed=committed))
    with pytest.raises(Killed):
        await run_evaluation(ports, yard.source.id)


async def counted(yard: Yard) -> dict[str, int]:
    """How many there are of everything that an opened alert brings."""
    queries = {
        "alerts": "SELECT count(*) FROM alerts",
        "scopes": "SELECT count(DISTINCT scope) FROM alerts",
        "events": "SELECT count(*) FROM alert_events",
        "crossings": "SELECT count(*) FROM budget_crossings c JOIN alerts a ON a.id = c.alert_id",
        "calls": "SELECT count(*) FROM notifications WHERE channel LIKE 'pagerduty:%'",
        "collected": "SELECT count(*) FROM notifications WHERE group_key IS NOT NULL",
        "steps": "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'step'",
    }
    async with yard.engine.connect() as connection:
        return {name: await connection.scalar(text(query)) or 0 for name, query in queries.items()}


def every(number: int) -> dict[str, int]:
    return dict.fromkeys(("alerts", "scopes", "events", "crossings", "calls", "collected", "steps"), number)


@pytest.mark.usefixtures("slices_of_2_4_4_and_2")
@pytest.mark.parametrize("committed", [False, True], ids=["before its commit", "after its commit"])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
async def test_an_evaluation_killed_in_any_slice_is_finished_by_the_next(
    yard: Yard, number: int, *, committed: bool
) -> None:
    await overspend(yard)
    await end_in_slice(yard, number, committed=committed)
    stored = [0, 2, 6, 10, 12][number if committed else number - 1]
    assert await counted(yard) == every(stored)
    is_whole = stored == ALERTS
    assert (await yard.state()).evaluated_at == (yard.clock() if is_whole else None)
    yard.clock.advance(timedelta(seconds=5))
    events = await run_evaluation(yard.ports, yard.source.id)
    assert [event.command for event in events] == [Command.OPEN] * (ALERTS - stored)
    assert await counted(yard) == every(ALERTS)
    assert await run_evaluation(yard.ports, yard.source.id) == []
    await deliver_for(yard.ports, yard.clock, WAIT + MINUTE)
    sent = [config.kind for config, _ in yard.channels.sent]
    assert (sent.count("pagerduty"), sent.count("slack_bot")) == (ALERTS, 1), "each alert pages, and Slack has one post"


@pytest.mark.usefixtures("slices_of_2_4_4_and_2")
@pytest.mark.parametrize("number", [1, 2, 3])
async def test_raises_and_ends_that_a_kill_divides_are_each_said_once(yard: Yard, number: int) -> None:
    stored = await overspend(yard)
    await run_evaluation(yard.ports, yard.source.id)
    yard.clock.advance(MINUTE)
    await spend(yard, "25.00")
    await end_in_slice(yard, number, committed=True)
    await run_evaluation(yard.ports, yard.source.id)
    assert {(one.version, one.severity) for one in await yard.alerts()} == {(2, Severity.CRITICAL)}
    yard.clock.advance(MINUTE)
    await yard.change(Budgets(), stored, replace(stored.spec, enabled=False))
    await end_in_slice(yard, number, committed=True)
    await run_evaluation(yard.ports, yard.source.id)
    assert {(one.version, one.is_open) for one in await yard.alerts()} == {(3, False)}
    assert (await counted(yard))["crossings"] == 0, "enabled again, the levels fire again"
    pages = [one.action.value for one in await yard.notifications() if one.channel.startswith("pagerduty:")]
    assert [pages.count(action) for action in ("open", "raise", "resolve")] == [ALERTS] * 3


@pytest.mark.usefixtures("slices_of_2_4_4_and_2")
async def test_an_evaluation_that_a_newer_one_overtakes_leaves_the_rest_to_it(yard: Yard) -> None:
    await overspend(yard)
    begun = 0

    @asynccontextmanager
    async def overtaken() -> AsyncIterator[UnitOfWork]:
        nonlocal begun
        begun += 1
        if begun == 3:
            assert len(await run_evaluation(yard.ports, yard.source.id)) == 6
        async with yard.ports.uow() as uow:
            yield uow

    events = await run_evaluation(replace(yard.ports, uow=overtaken), yard.source.id)
    assert len(events) == 6
    assert await counted(yard) == every(ALERTS)


@pytest.mark.usefixtures("slices_of_2_4_4_and_2")
async def test_rules_are_asked_again_after_a_kill_and_remember_since_when_they_object(yard: Yard) -> None:
    """What a person resolves stays quiet, although its alert opened later than the rule began to object."""
    gates = Gates(Money.of("20.00"), Money.of("30").usd, min_active_days=3)
    kind = Change(against=Against.PREVIOUS_DAY)
    spec: Rule[object] = Rule(yard.source.id, "change", kind, Scope(), for_each=Dimension.WORKSPACE, gates=gates)
    await yard.create(Rules(), "jump", spec)
    today = yard.clock().date()
    for ago in range(10, -1, -1):
        dollars = "100.00" if ago else "400.00"
        lines = [billed(dollars, workspace=f"wrkspc_{number:02}") for number in range(ALERTS)]
        yard.reader.bill(today - ago * DAY, *lines)
    await yard.poll()
    await end_in_slice(yard, 2, committed=True)
    assert (await yard.state()).rules_assessed_at is None
    yard.clock.advance(timedelta(seconds=5))
    assert len(await run_evaluation(yard.ports, yard.source.id)) == ALERTS - 6
    alerts = await yard.alerts()
    assert len({alert.scope for alert in alerts}) == len(alerts) == ALERTS
    async with yard.ports.uow() as uow:
        for alert in alerts:
            await move_alert(uow, alert.id, Command.RESOLVE, "", yard.author)
    yard.clock.advance(MINUTE)
    await yard.poll()
    assert await run_evaluation(yard.ports, yard.source.id) == []


async def test_a_process_killed_after_its_first_slice_is_followed_by_one_that_stores_the_rest(
    yard: Yard, database_url: str
) -> None:
    workspaces = FIRST + 10
    await overspend(yard, workspaces)
    process = start(database_url, yard.clock(), yard.source.id)
    try:
        await asyncio.to_thread(process.join, PATIENCE)
    finally:
        process.kill()
        process.join(PATIENCE)
    assert process.exitcode == -9
    assert await counted(yard) == every(FIRST)
    assert len(await run_evaluation(yard.ports, yard.source.id)) == workspaces - FIRST
    assert await counted(yard) == every(workspaces)
