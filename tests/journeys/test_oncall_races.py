"""On call, when two things happen at once, or a worker dies in between: nobody is forgotten, and one page stays one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.domain.alerts.alert import AlertState, Command
from service.domain.notify.escalation import PlannedStep
from service.domain.slack.requests import Deed
from service.workflows.alerts.attend import move_alert
from service.workflows.alerts.wake import run_wake
from service.workflows.configuration.engine import Author
from service.workflows.delivery.deliver import run_delivery
from service.workflows.notify.escalate import run_step
from tests.adapters.postgres.queue.queue_runs import until
from tests.journeys.oncall import OnCall, open_rota
from tests.journeys.stage import PERSON, Stage, restarted
from tests.slack_presses import ADA, BOB

pytestmark = pytest.mark.slow


@pytest.fixture
async def oncall(stage: Stage, engine: AsyncEngine) -> AsyncIterator[OnCall]:
    async with open_rota(stage, engine) as rota:
        yield rota


async def test_a_worker_killed_before_it_sends_keeps_nobody_from_being_paged(oncall: OnCall) -> None:
    await oncall.overspend()
    stage = oncall.stage
    async with stage.ports.uow() as uow:
        claimed = await uow.notifications.claim(now=stage.clock(), limit=50, lease=timedelta(minutes=2))
    assert len(claimed) == 2
    await stage.settle()
    assert (oncall.pagerduty.events, stage.slack.posted) == ([], [])
    await oncall.outlive_leases()
    await stage.minute()
    assert len(stage.slack.posted) == 1
    assert oncall.pagerduty.said == ["trigger"]


async def test_a_worker_killed_before_it_notes_what_it_sent_leaves_one_page(oncall: OnCall, database_url: str) -> None:
    await oncall.overspend()
    stage, pagerduty = oncall.stage, oncall.pagerduty
    alert = await stage.alert()
    pagerduty.hang()
    worker = asyncio.create_task(run_delivery(stage.ports))
    await pagerduty.taken()
    worker.cancel()
    await asyncio.wait({worker})
    pagerduty.recover()

    await oncall.outlive_leases()
    async with restarted(stage, database_url) as again:
        await replace(oncall, stage=again).wait(1)
        assert pagerduty.said == ["trigger", "trigger"]
        assert pagerduty.open == {alert.id: "triggered"}
        await replace(oncall, stage=again).wait(14)
    assert len(oncall.lead) == 1
    assert pagerduty.said == ["trigger", "trigger", "trigger"]
    oncall.assert_one_page(alert.id)


async def test_a_worker_killed_between_the_end_of_an_answered_page_and_the_next_one_leaves_one_open(
    oncall: OnCall,
) -> None:
    await oncall.ring()
    stage, pagerduty = oncall.stage, oncall.pagerduty
    alert = await stage.alert()
    await oncall.press(Deed.SNOOZE_1H)
    stage.clock.advance(timedelta(hours=1))
    await run_wake(stage.ports, alert.id)
    pagerduty.hang()
    worker = asyncio.create_task(run_delivery(stage.ports))
    await pagerduty.taken()
    worker.cancel()
    await asyncio.wait({worker})
    assert (pagerduty.said[-1], pagerduty.open) == ("resolve", {})
    pagerduty.recover()
    await oncall.outlive_leases()
    await oncall.wait(1)
    assert pagerduty.said == ["trigger", "acknowledge", "resolve", "resolve", "trigger"]
    assert pagerduty.open == {alert.id: "triggered"}
    oncall.assert_one_page_at_a_time(alert.id, pages=2)


async def test_of_two_who_acknowledge_in_the_same_second_one_wins_and_the_other_is_told(oncall: OnCall) -> None:
    await oncall.ring()
    answers = await asyncio.gather(oncall.knock(Deed.ACKNOWLEDGE, ADA), oncall.knock(Deed.ACKNOWLEDGE, BOB))
    assert [answer.status_code for answer in answers] == [200, 200]
    await oncall.stage.settle()
    winner = str((await oncall.stage.alert()).acknowledged_by).removeprefix("slack:")
    assert winner in (ADA, BOB)
    await oncall.answers.until(lambda: oncall.answers.told)
    (told,) = oncall.answers.told
    assert f"Already acknowledged by <@{winner}>" in told["text"]
    assert f"acknowledged by <@{winner}>" in oncall.post.shown
    assert oncall.pagerduty.said == ["trigger", "acknowledge"]


async def test_a_snooze_that_is_pressed_as_somebody_acknowledges_does_not_take_the_alert_away(oncall: OnCall) -> None:
    """The button was under a message of before: whoever has just taken the alert would wait for calls that sleep."""
    await oncall.ring()
    stage, alert = oncall.stage, await oncall.stage.alert()
    async with stage.ports.uow() as uow:
        await move_alert(uow, alert.id, Command.ACKNOWLEDGE, "", Author(PERSON, stage.clock()))
        pressed = asyncio.create_task(oncall.knock(Deed.SNOOZE_1H, BOB))
        await until(lambda: _is_done_or_waits(pressed, oncall.engine))
    assert (await pressed).status_code == 200
    assert (await stage.alert()).state is AlertState.ACKNOWLEDGED
    await oncall.answers.until(lambda: oncall.answers.told)
    assert "Already acknowledged by" in oncall.answers.told[0]["text"]


async def test_a_step_that_is_due_as_somebody_acknowledges_calls_nobody(oncall: OnCall) -> None:
    await oncall.ring()
    stage, alert = oncall.stage, await oncall.stage.alert()
    async with stage.ports.uow() as uow:
        await move_alert(uow, alert.id, Command.ACKNOWLEDGE, "", Author(PERSON, stage.clock()))
        policy = await uow.policies.get("rota")
        step = asyncio.create_task(run_step(stage.ports, PlannedStep(alert.id, policy.id, chain=1, round=0, step=1)))
        await until(lambda: _is_done_or_waits(step, oncall.engine))
    await step
    await stage.settle()
    assert (oncall.pagerduty.said, oncall.lead) == (["trigger", "acknowledge"], [])


async def _is_done_or_waits(task: asyncio.Task[Any], engine: AsyncEngine) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with engine.connect() as connection:
        return task.done() or bool(await connection.scalar(text(waiting)))
