"""An on-call rota on the stage: Slack and PagerDuty at once, later the lead by mail, too; and the buttons in Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import TCPConnector
from httpx import AsyncClient, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.slack.replies import EphemeralReplies
from service.api.app import create_app
from service.cli.serving import serving
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.escalation import EscalationPolicy, EscalationStep
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.slack.requests import Deed, SlackRole
from service.domain.values.severity import Severity
from service.workflows.configuration.engine import Author, Draft, create
from service.workflows.configuration.notify import EscalationPolicies, Receivers, put_routes
from service.workflows.slack.requests import SlackAccess
from tests.factories import budget, percent
from tests.fakes.pagerduty import FakePagerDuty
from tests.fakes.slack import TOKEN, Posted
from tests.fakes.slack_socket import FakeSlackSocket
from tests.fakes.smtp import Mail
from tests.journeys.stage import CHANNEL, PERSON, Stage
from tests.slack_presses import ADA, SIGNING_SECRET, form, press, signed

LEAD = "lead@example.com"
MINUTE = timedelta(minutes=1)


@dataclass
class OnCall:
    """`answers` is where Slack shows what only one person sees."""

    stage: Stage
    engine: AsyncEngine
    pagerduty: FakePagerDuty
    answers: FakeSlackSocket
    http: AsyncClient

    async def overspend(self) -> None:
        """The budget of $10 is crossed, and nothing has been sent yet."""
        await self.stage.configure("eng monthly", budget("10.00", percent(100), percent(150, Severity.CRITICAL)))
        self.stage.bill("2026-10-19", "1234.5678")
        await self.stage.read()
        await self.stage.evaluate()

    async def ring(self) -> None:
        await self.overspend()
        await self.stage.settle()

    async def wait(self, minutes: int) -> None:
        """What is due by then is done."""
        await self.pass_until(self.stage.clock() + minutes * MINUTE)
        await self.stage.minute()

    async def pass_until(self, instant: datetime) -> None:
        """Time passes, and nothing is done. The jobs' own time comes with the business clock's."""
        seconds = (instant - self.stage.clock()).total_seconds()
        self.stage.clock.move_to(instant)
        async with self.engine.begin() as connection:
            await connection.exec_driver_sql(
                f"UPDATE procrastinate_jobs SET scheduled_at = scheduled_at - interval '{seconds} seconds'"
            )

    async def outlast_retries(self) -> None:
        """Time passes until nothing waits to be sent again."""
        while (due := await self._next_due()) is not None:
            await self.pass_until(due)
            await self.stage.settle()

    async def _next_due(self) -> datetime | None:
        async with self.stage.ports.uow() as uow:
            return await uow.notifications.next_due()

    async def outlive_leases(self) -> None:
        """Two minutes of real time, after which what a dead worker held is free."""
        async with self.engine.begin() as connection:
            await connection.exec_driver_sql(
                "UPDATE notifications SET leased_until = leased_until - interval '2 minutes'"
            )

    async def press(self, deed: Deed, user: str = ADA) -> None:
        """Presses a button as it stands under the post in Slack, and waits for what follows."""
        assert (await self.knock(deed, user)).status_code == 200
        await self.stage.settle()

    async def knock(self, deed: Deed, user: str) -> Response:
        body = form(self._pressed(deed, user))
        return await self.http.post("/slack/interactions", content=body, headers=signed(body, self.stage.clock()))

    def _pressed(self, deed: Deed, user: str) -> dict[str, Any]:
        elements = [one for block in self.post.blocks if block["type"] == "actions" for one in block["elements"]]
        options = [option for element in elements for option in element.get("options", [element])]
        (value,) = [one["value"] for one in options if one["value"].startswith(f"{deed}:")]
        payload = press({"id": "", "version": 0}, deed, user=user, response_url=self.answers.response_url)
        payload["actions"][0] |= {"value": value, "selected_option": {"value": value}}
        return payload

    def assert_one_page(self, alert_id: str) -> None:
        """PagerDuty heard of this alert alone, and never had to open a second page for it."""
        self.assert_one_page_at_a_time(alert_id, pages=1)

    def assert_one_page_at_a_time(self, alert_id: str, pages: int) -> None:
        """PagerDuty heard of this alert alone, and opened so many pages for it, one after the other."""
        assert {event["dedup_key"] for event in self.pagerduty.events} == {alert_id}
        assert (self.pagerduty.pages, self.pagerduty.most_open) == ([alert_id] * pages, 1)

    @property
    def post(self) -> Posted:
        """The only one that is no reply, and no notice that a silence ends: an incident is one post."""
        parents = [post for post in self.stage.slack.posted if post.thread_ts is None]
        (post,) = [post for post in parents if "ilence " not in post.text]
        return post

    @property
    def lead(self) -> list[Mail]:
        """What the second step's mail address got."""
        return [mail for mail in self.stage.smtp.mails if LEAD in mail.recipients]


@asynccontextmanager
async def open_rota(stage: Stage, engine: AsyncEngine, repeat: int = 0) -> AsyncIterator[OnCall]:
    """Everything that rings goes to Slack and PagerDuty at once, and after 15 minutes there again and to the lead."""

    async def ready() -> str | None:
        return None

    async with AsyncExitStack() as stack:
        pagerduty = await stack.enter_async_context(FakePagerDuty())
        answers = await stack.enter_async_context(FakeSlackSocket())
        access = SlackAccess(SlackRole.OPERATOR, SIGNING_SECRET, EphemeralReplies(TCPConnector), stage.clock)
        url = await stack.enter_async_context(serving(create_app(stage.ports, ready=ready, slack=access)))
        http = await stack.enter_async_context(AsyncClient(base_url=url, trust_env=False))
        await _appoint(stage, pagerduty.url, repeat)
        yield OnCall(stage, engine, pagerduty, answers, http)


async def _appoint(stage: Stage, pagerduty_url: str, repeat: int) -> None:
    vault, author = stage.ports.vault, Author(PERSON, stage.clock())
    slack = SlackBot(vault.seal(TOKEN), f"#{CHANNEL}", mention="<!here>", api_url=stage.slack.api_url)
    pagerduty = PagerDuty(vault.seal("FAKE-routing-key"), pagerduty_url)
    async with stage.ports.uow() as uow:
        first = await create(uow, Receivers(), Draft("on call", {}, Receiver((slack, pagerduty))), author)
        louder = Receiver((slack, pagerduty, Email((LEAD,))))
        second = await create(uow, Receivers(), Draft("lead", {}, louder), author)
        steps = (EscalationStep(timedelta(), first.id), EscalationStep(15 * MINUTE, second.id))
        policy = await create(uow, EscalationPolicies(), Draft("rota", {}, EscalationPolicy(steps, repeat)), author)
        await put_routes(uow, RouteTable((Route(first.id, escalation_policy_id=policy.id),)), author)
