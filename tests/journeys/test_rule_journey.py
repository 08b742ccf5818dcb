"""A runaway loop and a rule on unusual spend: the bell within one poll after the hour, once, with who and how much."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from service.domain.alerts import AlertState, Reason, RuleEvidence, Severity
from service.domain.money import Money
from service.domain.notifications import Action
from service.domain.resources import Resource
from service.domain.rules.anomaly import Anomaly
from service.domain.rules.rule import Rule, RuleKind
from service.simulator.fixed import UsageEvent, token_cost
from service.simulator.records import Quantities, Stream
from service.workflows.administer import Author, Draft, create
from service.workflows.rule_kinds import Rules
from tests.factories import utc
from tests.journeys.stage import CHANNEL, PERSON, Stage, open_stage

pytestmark = pytest.mark.slow

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SONNET = "claude-sonnet-4-5"
OUTPUT_PRICE = 15
"""US dollars per million output tokens of this model."""
ENG, CI = "wrkspc_eng", "apikey_ci"
OPS, CRON = "wrkspc_ops", "apikey_cron"
USUAL = {Stream(ENG, CI, SONNET): 6, Stream(OPS, CRON, SONNET): 3}
"""US dollars an hour; multiples of three are whole numbers of tokens."""
LOOP = 60
LOOP_STARTS, LOOP_ENDS = utc("2026-10-20T13:00"), utc("2026-10-21T20:00")


@pytest.fixture
async def stage(database_url: str, engine: AsyncEngine) -> AsyncIterator[Stage]:
    """Five calm weeks of two workspaces, and a loop that runs from the afternoon of 20 October to the next evening."""
    async with open_stage(database_url, engine, utc("2026-10-20T12:02")) as stage:
        for workspace, name, key, key_name in ((ENG, "eng", CI, "ci"), (OPS, "ops", CRON, "cron")):
            stage.world.add_workspace(workspace, name)
            stage.world.add_key(key, key_name, workspace)
        day = date(2026, 9, 14)
        while day <= date(2026, 10, 26):
            write_usage(stage, day)
            if day < stage.clock().date():
                write_bill(stage, day)
            day += DAY
        yield stage


def hours_of(day: date) -> list[datetime]:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return [midnight + place * HOUR for place in range(24)]


def dollars(stream: Stream, hour: datetime) -> int:
    looping = stream.workspace_id == ENG and LOOP_STARTS <= hour < LOOP_ENDS
    return USUAL[stream] + LOOP * looping


def write_usage(stage: Stage, day: date) -> None:
    """A day's usage by the hour; each bucket is seen when it ends."""
    for hour in hours_of(day):
        for stream in USUAL:
            tokens = Quantities(output=dollars(stream, hour) * 1_000_000 // OUTPUT_PRICE)
            stage.world.add_usage(UsageEvent(hour, stream, tokens, visible_at=hour + HOUR))


def write_bill(stage: Stage, day: date) -> None:
    """The bill of a day that is over."""
    spent = {stream: sum(dollars(stream, hour) for hour in hours_of(day)) for stream in USUAL}
    lines = [token_cost(str(usd * 100), stream.workspace_id, model=SONNET) for stream, usd in spent.items()]
    stage.world.set_cost(day, *lines)


async def watch(stage: Stage) -> Resource[Rule[object]]:
    """One rule over the organisation and its workspaces, as a fresh installation has it."""
    spec: Rule[object] = Rule(stage.source.id, RuleKind.ANOMALY, Anomaly())
    async with stage.ports.uow() as uow:
        rule = await create(uow, Rules(), Draft("unusual spend", {}, spec), Author(PERSON, stage.clock()))
    await stage.settle()
    return rule


async def live_until(stage: Stage, end: str, every: timedelta) -> None:
    """Polls a few minutes after the hour, with the bills of the days that are over."""
    while stage.clock() + every <= utc(end):
        before = stage.clock().date()
        stage.clock.advance(every)
        if stage.clock().date() > before:
            write_bill(stage, before)
        await stage.poll()


async def calls(stage: Stage) -> list[Action]:
    """What called people in Slack."""
    loud = (Action.OPEN, Action.RAISE)
    return [one.action for one in await stage.notifications() if one.channel.startswith("slack") and one.action in loud]


async def test_a_runaway_loop_rings_within_one_poll_after_the_hour_and_is_one_alert_to_its_end(stage: Stage) -> None:
    await stage.poll()
    await watch(stage)
    await live_until(stage, "2026-10-20T13:59", HOUR)
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
    (post,) = stage.slack.messages(CHANNEL)
    for words in ("eng", "ci", SONNET, "$69.00", "$60.00", "13:00", "14:00"):
        assert words in post.shown
    (mail,) = stage.smtp.mails
    assert "$60.00" in mail.text

    await live_until(stage, "2026-10-23T23:59", 6 * HOUR)
    assert (await stage.alert()).state is AlertState.FIRING
    await live_until(stage, "2026-10-24T12:59", 6 * HOUR)
    over = await stage.alert()
    assert over.state is AlertState.RESOLVED
    async with stage.ports.uow() as uow:
        assert (await uow.alerts.events(over.id))[-1].reason is Reason.RECOVERED
    assert await calls(stage) == [Action.OPEN]
    assert len(stage.slack.messages(CHANNEL)) == 1
