"""An incident on call: told, not answered, told louder, taken in Slack, closed; and one page through all of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from service.domain.alerts.alert import AlertState
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.silences import Silence
from service.domain.slack.requests import Deed
from service.workflows.configuration.engine import Author, Draft, create
from service.workflows.configuration.notify import Silences
from tests.fakes.slack import Answer
from tests.journeys.oncall import MINUTE, OnCall, open_rota
from tests.journeys.stage import PERSON, Stage, restarted
from tests.slack_presses import ADA

pytestmark = pytest.mark.slow

BROKEN = Answer(500, {"ok": False, "error": "internal_error"})


@pytest.fixture
async def oncall(stage: Stage, engine: AsyncEngine) -> AsyncIterator[OnCall]:
    async with open_rota(stage, engine) as rota:
        yield rota


async def test_nobody_answers_the_lead_is_called_somebody_takes_it_and_the_period_ends_it(oncall: OnCall) -> None:
    stage, pagerduty = oncall.stage, oncall.pagerduty
    await oncall.ring()
    alert = await stage.alert()
    assert "<!here>" in oncall.post.pings
    assert (pagerduty.said, pagerduty.open) == (["trigger"], {alert.id: "triggered"})

    await oncall.wait(14)
    assert (pagerduty.said, oncall.lead) == (["trigger"], [])
    await oncall.wait(1)
    assert pagerduty.said == ["trigger", "trigger"]
    unanswered = "Nobody has acknowledged this since 2026-10-20 12:00 UTC: escalation step 2."
    assert [unanswered in mail.text for mail in oncall.lead] == [True]
    (louder,) = stage.slack.replies(oncall.post)
    assert (louder.broadcast, unanswered in louder.text, "<!here>" in louder.pings) == (True, True, True)

    await oncall.press(Deed.ACKNOWLEDGE)
    assert f"acknowledged by <@{ADA}>" in oncall.post.shown
    assert pagerduty.open == {alert.id: "acknowledged"}
    await oncall.wait(60)
    assert pagerduty.said == ["trigger", "trigger", "acknowledge"]
    assert (len(oncall.lead), stage.slack.replies(oncall.post)) == (1, [louder])

    await stage.advance("2026-11-05T12:00")
    for _ in range(2):
        await stage.poll()
    assert (await stage.alert()).state is AlertState.RESOLVED
    assert pagerduty.said == ["trigger", "trigger", "acknowledge", "resolve"]
    assert "Period closed: " in oncall.post.shown
    assert "Period closed: eng monthly" in stage.slack.replies(oncall.post)[-1].text
    assert oncall.lead[-1].subject.startswith("Period closed: ")
    oncall.assert_one_page(alert.id)


async def test_limits_and_errors_in_between_lose_and_double_nothing(oncall: OnCall) -> None:
    stage, pagerduty = oncall.stage, oncall.pagerduty
    stage.slack.limit_rate("chat.postMessage", seconds=90)
    pagerduty.planned.extend([BROKEN, Answer(429, {"status": "throttled"}, headers={"Retry-After": "40"})])
    await oncall.ring()
    assert (stage.slack.posted, pagerduty.pages) == ([], [])
    await oncall.wait(1)
    assert (stage.slack.posted, pagerduty.pages) == ([], [])
    await oncall.wait(1)
    alert = await stage.alert()
    assert "<!here>" in oncall.post.pings
    assert pagerduty.said == ["trigger"]

    stage.slack.plan("chat.update", BROKEN, times=2)
    await oncall.wait(13)
    assert pagerduty.said == ["trigger", "trigger"]
    await oncall.wait(1)
    assert len(stage.slack.replies(oncall.post)) == 1

    stage.slack.limit_rate("chat.update", seconds=30)
    pagerduty.planned.append(BROKEN)
    await oncall.press(Deed.ACKNOWLEDGE)
    assert f"<@{ADA}>" not in oncall.post.shown
    await oncall.wait(1)
    assert f"acknowledged by <@{ADA}>" in oncall.post.shown
    assert pagerduty.open == {alert.id: "acknowledged"}

    pagerduty.planned.append(BROKEN)
    await oncall.press(Deed.RESOLVE)
    await oncall.wait(1)
    assert f"resolved by <@{ADA}>" in oncall.post.shown
    assert pagerduty.said == ["trigger", "trigger", "acknowledge", "resolve"]
    assert len(oncall.lead) == 2
    oncall.assert_one_page(alert.id)


async def test_a_restart_between_any_two_moves_changes_nothing(oncall: OnCall, database_url: str) -> None:
    await oncall.ring()
    alert = await oncall.stage.alert()
    async with restarted(oncall.stage, database_url) as second:
        await replace(oncall, stage=second).wait(15)
    assert len(oncall.lead) == 1
    async with restarted(oncall.stage, database_url) as third:
        await replace(oncall, stage=third).press(Deed.ACKNOWLEDGE)
    async with restarted(oncall.stage, database_url) as fourth:
        await replace(oncall, stage=fourth).wait(60)
        await replace(oncall, stage=fourth).press(Deed.RESOLVE)
    assert oncall.pagerduty.said == ["trigger", "trigger", "acknowledge", "resolve"]
    assert f"resolved by <@{ADA}>" in oncall.post.shown
    oncall.assert_one_page(alert.id)


async def test_a_silence_during_an_escalation_holds_the_next_step_until_its_end(oncall: OnCall) -> None:
    await oncall.ring()
    alert, now = await oncall.stage.alert(), oncall.stage.clock()
    everything = (Matcher("kind", Op.EQUAL, "budget"),)
    spec = Silence(everything, now, now + 32 * MINUTE, "we know")
    async with oncall.stage.ports.uow() as uow:
        await create(uow, Silences(), Draft("drill", {}, spec), Author(PERSON, now))
    for _ in range(6):
        await oncall.wait(5)
    assert (oncall.lead, oncall.pagerduty.said) == ([], ["trigger"])
    await oncall.wait(5)
    assert len(oncall.lead) == 1
    await oncall.press(Deed.ACKNOWLEDGE)
    assert oncall.pagerduty.said == ["trigger", "trigger", "acknowledge"]
    oncall.assert_one_page(alert.id)


async def test_a_snooze_that_ends_begins_with_the_first_step(oncall: OnCall) -> None:
    stage = oncall.stage
    await oncall.ring()
    alert = await stage.alert()
    await oncall.wait(10)
    await oncall.press(Deed.SNOOZE_1H)
    assert "💤" in oncall.post.shown
    await oncall.wait(59)
    assert (oncall.pagerduty.said, oncall.lead) == (["trigger", "acknowledge"], [])

    await oncall.wait(1)
    assert oncall.pagerduty.said == ["trigger", "acknowledge", "resolve", "trigger"]
    assert oncall.pagerduty.open == {alert.id: "triggered"}
    assert "snooze is over" in stage.slack.replies(oncall.post)[-1].text
    assert oncall.lead == []
    await oncall.wait(15)
    assert len(oncall.lead) == 1
    await oncall.press(Deed.RESOLVE)
    assert oncall.pagerduty.said == ["trigger", "acknowledge", "resolve", "trigger", "trigger", "resolve"]
    assert oncall.lead[-1].subject.startswith("Resolved by ")
    oncall.assert_one_page_at_a_time(alert.id, pages=2)


async def test_a_second_round_rings_on_the_same_page_and_a_graver_severity_after_an_answer_on_a_new_one(
    stage: Stage, engine: AsyncEngine
) -> None:
    async with open_rota(stage, engine, repeat=1) as oncall:
        await oncall.ring()
        await oncall.wait(15)
        await oncall.wait(15)
        assert "escalation step 1, round 2" in stage.slack.replies(oncall.post)[-1].text
        await oncall.press(Deed.ACKNOWLEDGE)
        stage.bill("2026-10-20", "300.00")
        await stage.poll()
        assert "Now critical: Budget" in stage.slack.replies(oncall.post)[-1].text
        assert oncall.pagerduty.said[3:] == ["acknowledge", "resolve", "trigger"]
        assert oncall.pagerduty.open == {(await stage.alert()).id: "triggered"}
        await oncall.press(Deed.ACKNOWLEDGE)
        await oncall.wait(60)
        assert len(oncall.lead) == 1
        oncall.assert_one_page_at_a_time((await stage.alert()).id, pages=2)
