"""A runaway loop and a rule on unusual spend: the bell within one poll after the hour, once, with who and how much."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.charts import PNG, ChildCharts
from service.domain.alerts.alert import AlertState, Reason
from service.domain.alerts.evidence import RuleEvidence
from service.domain.notify.notification import Action
from service.domain.rules.kinds.anomaly.rule import Anomaly
from service.domain.values.money import Money
from service.domain.values.severity import Severity
from tests.factories import utc
from tests.journeys.runaway import HOUR, SONNET, Runaway
from tests.journeys.stage import CHANNEL, Stage, open_stage

pytestmark = pytest.mark.slow


@pytest.fixture
async def runaway(database_url: str, engine: AsyncEngine) -> AsyncIterator[Runaway]:
    """A loop from the afternoon of 20 October to the next evening."""
    async with open_stage(database_url, engine, utc("2026-10-20T12:02"), ChildCharts()) as stage:
        runaway = Runaway(stage, loop_ends=utc("2026-10-21T20:00"))
        runaway.furnish()
        yield runaway


async def calls(stage: Stage) -> list[Action]:
    """What called people in Slack."""
    loud = (Action.OPEN, Action.RAISE)
    return [one.action for one in await stage.notifications() if one.channel.startswith("slack") and one.action in loud]


async def test_a_runaway_loop_rings_within_one_poll_after_the_hour_and_is_one_alert_to_its_end(
    runaway: Runaway,
) -> None:
    stage = runaway.stage
    await stage.poll()
    await runaway.watch(Anomaly())
    await runaway.live_until("2026-10-20T13:59", HOUR)
    assert await stage.alerts() == []

    await stage.advance("2026-10-20T14:04")
    await stage.poll()
    alert = await stage.alert()
    assert alert.severity is Severity.CRITICAL
    assert isinstance(alert.evidence, RuleEvidence)
    assert (alert.evidence.actual, alert.evidence.expected) == (Money.of("69"), Money.of("9"))
    sixty = Money.of("60")
    assert {part.name: part.amount for part in alert.evidence.contributions} == {
        "eng": sixty,
        SONNET: sixty,
        "ci": sixty,
    }
    (chart,) = stage.slack.files.values()
    assert chart.content.startswith(PNG)
    (post,) = stage.slack.messages(CHANNEL)
    for words in ("eng", "API key ci: $60/h above normal", SONNET, "$69.00", "$66.00", "13:00", "14:00"):
        assert words in post.shown
    (mail,) = stage.smtp.mails
    assert mail.subject == "API key ci: $60/h above normal since 13:00 UTC (eng)"

    await runaway.live_until("2026-10-21T23:59", 6 * HOUR)
    assert (await stage.alert()).state is AlertState.FIRING
    await runaway.live_until("2026-10-22T12:59", 6 * HOUR)
    over = await stage.alert()
    assert over.state is AlertState.RESOLVED
    async with stage.ports.uow() as uow:
        assert (await uow.alerts.events(over.id))[-1].reason is Reason.RECOVERED
    assert await calls(stage) == [Action.OPEN]
    assert len(stage.slack.messages(CHANNEL)) == 1
