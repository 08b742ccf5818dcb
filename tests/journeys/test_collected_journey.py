"""Five budgets break at once on a route that collects: one post in Slack and one mail, and five pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest

from service.domain.alerts.alert import Alert, AlertState, Command
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.values.scopes import Dimension
from service.domain.values.severity import Severity
from service.workflows.configuration.engine import Author, Draft, create
from service.workflows.configuration.notify import Receivers, put_routes
from tests.delivering import deliver_for
from tests.factories import budget, percent
from tests.fakes.fixed_world import token_cost
from tests.fakes.pagerduty import FakePagerDuty
from tests.fakes.slack import TOKEN, Posted
from tests.journeys.stage import CHANNEL, PERSON, Stage, restarted

pytestmark = pytest.mark.slow

NAMES = ("batch", "docs", "eng", "ops", "web")
WAIT = timedelta(seconds=30)


@pytest.fixture
async def pagerduty(stage: Stage) -> AsyncIterator[FakePagerDuty]:
    """The default route collects for half a minute, and leads to Slack, mail and PagerDuty."""
    async with FakePagerDuty() as server:
        seal = stage.ports.vault.seal
        channels = (
            SlackBot(seal(TOKEN), f"#{CHANNEL}", mention="<!here>", api_url=stage.slack.api_url),
            Email(("finops@example.com",)),
            PagerDuty(seal("FAKE0routing0key0of0the0tests000"), server.url),
        )
        author = Author(PERSON, stage.clock())
        async with stage.ports.uow() as uow:
            receiver = await create(uow, Receivers(), Draft("finops", {}, Receiver(channels)), author)
            await put_routes(uow, RouteTable((Route(receiver.id, group_wait=WAIT),)), author)
        yield server


async def overspend(stage: Stage) -> None:
    """Every budget of $10 is crossed by the same bill, and nothing but pages has left yet."""
    for name in NAMES:
        higher = (percent(200, Severity.CRITICAL),) if name == "eng" else ()
        await stage.configure(name, budget("10.00", percent(100), *higher))
    stage.bill("2026-10-19", "1234.5678")
    await stage.poll()


async def pass_time(stage: Stage, seconds: int = 10) -> None:
    await deliver_for(stage.ports, stage.clock, timedelta(seconds=seconds))


async def called(stage: Stage, name: str) -> Alert:
    (found,) = [one for one in await stage.alerts() if name in repr(one.evidence)]
    return found


def posts(stage: Stage) -> list[Posted]:
    return [one for one in stage.slack.posted if one.thread_ts is None]


def lines(post: Posted) -> dict[str, str]:
    """The line of each budget in a summary."""
    listed = [line for line in post.shown.splitlines() if "/alerts/" in line]
    return {name: line for name in NAMES for line in listed if f"|Budget {name}" in line}


async def test_a_summary_lives_until_all_of_its_alerts_are_over(
    stage: Stage, pagerduty: FakePagerDuty, database_url: str
) -> None:
    await overspend(stage)
    assert (posts(stage), stage.smtp.mails) == ([], [])
    async with restarted(stage, database_url) as second:  # what waits is in the database, and nowhere else
        await pass_time(second, WAIT.seconds)
    (summary,) = posts(stage)
    (mail,) = stage.smtp.mails
    assert "5 alerts: 5 warnings" in summary.shown
    assert (summary.pings, set(lines(summary))) == (["<!here>"], set(NAMES))
    assert mail.subject == "5 alerts: 5 warnings"
    assert all(f"- Budget {name}" in mail.text for name in NAMES)
    assert pagerduty.said == ["trigger"] * 5
    assert len(set(pagerduty.pages)) == 5

    await stage.answer(await called(stage, "'ops'"), Command.ACKNOWLEDGE)
    await pass_time(stage)
    assert "acknowledged by ann" in lines(summary)["ops"]
    assert (summary.edits, summary.pings) == (1, [])

    stage.bill("2026-10-19", "2500.00")
    await stage.poll()
    await pass_time(stage)
    own = posts(stage)[1]
    assert [len(posts(stage)), own.pings] == [2, ["<!here>"]]
    assert "Now critical: Budget" in own.shown
    assert "🔴" in lines(summary)["eng"]
    assert all("$25.00" in line for line in lines(summary).values())
    assert "1 critical, 4 warnings" in summary.shown

    for name in NAMES:
        await stage.answer(await called(stage, f"'{name}'"), Command.RESOLVE)
        await pass_time(stage)
    assert "5 alerts: all resolved" in summary.shown
    assert all("✅" in line for line in lines(summary).values())
    assert "resolved by" in own.shown
    assert sum("Resolved by" in reply.text for reply in stage.slack.replies(summary)) == 5
    assert [one.state for one in await stage.alerts()] == [AlertState.RESOLVED] * 5
    assert pagerduty.open == {}
    ends = [one for one in stage.smtp.mails if one.subject.startswith("Resolved by")]
    assert len(ends) == 5
    assert len(posts(stage)) == 2


async def test_a_sender_killed_between_claim_and_send_leaves_one_summary(
    stage: Stage, pagerduty: FakePagerDuty, database_url: str
) -> None:
    await overspend(stage)
    stage.clock.advance(WAIT)
    async with stage.ports.uow() as uow:
        claimed = await uow.notifications.claim(now=stage.clock(), limit=50, lease=timedelta(seconds=-1))
    assert len(claimed) == 10
    async with restarted(stage, database_url) as second:
        await pass_time(second)
    assert [len(lines(post)) for post in posts(stage)] == [5]
    assert len(stage.smtp.mails) == 1


async def test_sixty_alerts_fit_one_post(stage: Stage, pagerduty: FakePagerDuty) -> None:
    await stage.configure("each", budget("1.00", percent(100), for_each=Dimension.WORKSPACE))
    stage.world.set_cost(date(2026, 10, 19), *(token_cost("250.00", f"wrkspc_{n:02}") for n in range(60)))
    await stage.poll()
    await pass_time(stage, WAIT.seconds)
    (summary,) = posts(stage)
    assert "60 alerts: 60 warnings" in summary.shown
    assert "and 48 more" in summary.shown
