"""A runaway loop on call: nobody acts, the lead is called, a button is pressed, spend falls; and one page throughout.

The same whatever stands in the way of each of its four messages.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from service.domain.alerts.alert import AlertState, Reason
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity
from service.domain.slack.requests import Deed
from service.workflows.ports.platform import Charts
from tests.factories import utc
from tests.fakes.slack import Answer
from tests.journeys.doomed_worker import kill_a_worker_that_is_about_to_send
from tests.journeys.oncall import MINUTE, OnCall, open_rota
from tests.journeys.runaway import Runaway
from tests.journeys.stage import open_stage, restarted
from tests.slack_presses import ADA

pytestmark = pytest.mark.slow

BROKEN = Answer(500, {"ok": False, "error": "internal_error"})

Work = Callable[[OnCall], Awaitable[None]]
"""What is queued is done, in spite of something."""


@pytest.fixture
async def oncall(database_url: str, engine: AsyncEngine, charts: Charts) -> AsyncIterator[OnCall]:
    """The loop runs for two hours. It is judged by the hour, and nobody knows of it yet."""
    async with open_stage(database_url, engine, utc("2026-10-20T13:02"), charts) as stage:
        runaway = Runaway(stage, loop_ends=utc("2026-10-20T15:00"))
        runaway.furnish()
        await stage.poll()
        await runaway.watch(Anomaly(AnomalyGranularity.HOURS))
        async with open_rota(stage, engine, repeat=1) as rota:
            assert await stage.alerts() == []
            yield rota


@pytest.fixture(params=["undisturbed", "slack_limits_and_fails", "workers_are_killed", "restarts"])
def work(request: pytest.FixtureRequest, database_url: str) -> Work:
    async def undisturbed(oncall: OnCall) -> None:
        await oncall.stage.settle()

    async def slack_limits_and_fails(oncall: OnCall) -> None:
        slack = oncall.stage.slack
        for method in ("chat.postMessage", "chat.update"):
            slack.plan(method, BROKEN, times=2)
            slack.limit_rate(method, seconds=40)
        before = len(slack.calls)
        await oncall.stage.settle()
        await oncall.outlast_retries()
        assert len(slack.calls) - before >= 4, "two errors, a limit, and at last a success"
        slack.plan_nothing()

    async def workers_are_killed(oncall: OnCall) -> None:
        heard = len(oncall.pagerduty.events), len(oncall.stage.slack.calls)
        await kill_a_worker_that_is_about_to_send(database_url, oncall.stage.clock())
        assert (len(oncall.pagerduty.events), len(oncall.stage.slack.calls)) == heard
        await oncall.outlive_leases()
        await oncall.stage.queue.sweep(stalled_after=timedelta())
        await oncall.stage.settle()

    async def restarts(oncall: OnCall) -> None:
        async with restarted(oncall.stage, database_url) as again:
            await again.settle()

    return {one.__name__: one for one in (undisturbed, slack_limits_and_fails, workers_are_killed, restarts)}[
        request.param
    ]


async def test_an_incident_is_called_called_louder_taken_and_ended_on_one_page(oncall: OnCall, work: Work) -> None:
    stage, pagerduty = oncall.stage, oncall.pagerduty
    await stage.advance("2026-10-20T14:04")
    await stage.read()
    await stage.evaluate()
    await work(oncall)
    alert = await stage.alert()
    assert (alert.kind, alert.opened_at) == ("rule", utc("2026-10-20T14:04"))
    assert "<!here>" in oncall.post.pings
    assert pagerduty.open == {alert.id: "triggered"}

    await oncall.pass_until(alert.opened_at + 14 * MINUTE)
    await stage.minute()
    assert (oncall.lead, stage.slack.replies(oncall.post)) == ([], [])
    await oncall.pass_until(alert.opened_at + 15 * MINUTE)
    await work(oncall)
    (louder,) = stage.slack.replies(oncall.post)
    assert (louder.broadcast, "escalation step 2" in louder.text, "<!here>" in louder.pings) == (True, True, True)
    assert ["escalation step 2" in mail.text for mail in oncall.lead] == [True]
    assert pagerduty.open == {alert.id: "triggered"}

    assert (await oncall.knock(Deed.ACKNOWLEDGE, ADA)).status_code == 200
    await work(oncall)
    assert f"acknowledged by <@{ADA}>" in oncall.post.shown
    assert pagerduty.open == {alert.id: "acknowledged"}
    calls = list(pagerduty.said)
    await oncall.wait(60)
    assert (pagerduty.said, len(oncall.lead), stage.slack.replies(oncall.post)) == (calls, 1, [louder])

    await stage.advance("2026-10-20T18:04")
    await stage.poll()
    assert (await stage.alert()).state is AlertState.ACKNOWLEDGED
    assert pagerduty.open == {alert.id: "acknowledged"}
    await stage.advance("2026-10-20T22:04")
    await stage.read()
    await stage.evaluate()
    await work(oncall)
    async with stage.ports.uow() as uow:
        assert (await uow.alerts.events(alert.id))[-1].reason is Reason.RECOVERED
    assert "Over: API key ci was back to normal" in oncall.post.shown
    (_, quiet) = stage.slack.replies(oncall.post)
    assert (quiet.broadcast, quiet.pings, "Over: " in quiet.text) == (False, [], True)
    assert ["Over: " in mail.subject for mail in oncall.lead] == [False, True]
    assert (pagerduty.open, pagerduty.said[-1]) == ({}, "resolve")
    oncall.assert_one_page(alert.id)
