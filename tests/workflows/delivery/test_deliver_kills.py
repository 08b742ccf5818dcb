"""A worker that dies at any await of one Slack delivery: one post and one chart are left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

from aiohttp import web

from service.adapters.channels.slack.bot import SlackBotChannel
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.notification import Delivery, Picture, Receipt
from service.workflows.delivery.deliver import run_delivery
from service.workflows.ports.channels import Channel
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from tests.adapters.channels.slack.test_bot import bot
from tests.fakes.slack import FakeSlack
from tests.workflows.delivery.sending import SENT, SLACK, let_leases_run_out, open_alert
from tests.workflows.yard import MINUTE, Yard

POST, CHART = "chat.postMessage done", "files.completeUploadExternal done"
PICTURE = Picture(b"FAKE", "A chart", None)
MOST_AWAITS = 60


@dataclass
class _Death:
    """Kills the sender at its `at`-th await; `trail` are the awaits that it came to.

    The database may keep or lose what it was committing when a sender died: no kill strikes while `committing` is held.
    """

    at: int
    trail: list[str] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    committing: asyncio.Lock = field(default_factory=asyncio.Lock)
    sender: asyncio.Task[int] | None = None

    async def come_to(self, place: str) -> bool:
        """Whether the sender died here, or before."""
        if self.over.is_set():
            return False
        self.trail.append(place)
        if len(self.trail) < self.at or self.sender is None:
            return False
        if len(self.trail) == self.at:
            async with self.committing:
                self.sender.cancel()
        await self.over.wait()
        return True

    async def serve(self, method: str, moment: str) -> None:
        """A request that the kill lost on its way does nothing."""
        if await self.come_to(f"{method} {moment}") and moment == "asked":
            raise web.HTTPServiceUnavailable

    @property
    def is_unstored(self) -> set[str]:
        """What Slack did since the last commit: nobody but Slack knows of it."""
        commits = [number for number, place in enumerate(self.trail) if place == "committed"]
        return set(self.trail[commits[-1] if commits else 0 :])


@dataclass
class RealSlack:
    slack: FakeSlack

    def open(self, config: ChannelConfig) -> Channel:
        assert isinstance(config, SlackBot)
        return Pictured(bot(self.slack))


@dataclass
class Pictured:
    """The alerts of these tests have no figures of which a chart could be drawn."""

    channel: SlackBotChannel

    async def send(self, delivery: Delivery) -> Receipt:
        return await self.channel.send(delivery)

    async def add(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        return await self.channel.add(replace(delivery, picture=PICTURE), receipt)


def _dying(ports: Ports, death: _Death) -> Ports:
    @asynccontextmanager
    async def uow() -> AsyncIterator[UnitOfWork]:
        await death.come_to("begin")
        async with AsyncExitStack() as held, ports.uow() as one:
            yield one
            await death.come_to("commit")
            await held.enter_async_context(death.committing)
        # The sender itself claims, meanwhile, and stores nothing of what Slack did.
        await death.come_to("claimed" if asyncio.current_task() is death.sender else "committed")

    return replace(ports, uow=uow)


async def _deliver(yard: Yard, slack: FakeSlack, number: int) -> _Death:
    """Sends the message with a sender that dies, and then with one that lives."""
    death = _Death(number)
    yard.ports = replace(yard.ports, channels=RealSlack(slack))
    yard.clock.advance(MINUTE)
    await open_alert(yard, number)
    slack.posted.clear()
    slack.files.clear()
    slack.meanwhile = death.serve
    death.sender = asyncio.create_task(run_delivery(_dying(yard.ports, death)))
    await asyncio.wait({death.sender})
    death.over.set()
    yard.clock.advance(MINUTE)
    await let_leases_run_out(yard)
    await run_delivery(yard.ports)
    return death


async def test_a_worker_killed_at_any_await_of_a_slack_delivery_leaves_one_post_and_one_chart(yard: Yard) -> None:
    """Two only where Slack acted and the kill came before our commit."""
    await yard.receive_with(SLACK)
    async with FakeSlack() as slack:
        for number in range(1, MOST_AWAITS):
            death = await _deliver(yard, slack, number)
            charts = [file for file in slack.files.values() if file.thread_ts]
            posts = slack.messages("claude-spend")
            assert len(posts) == (2 if POST in death.is_unstored else 1), (
                number,
                death.trail[-1],
                [one.attempts for one in await yard.notifications()][:2],
            )
            assert len(charts) == (2 if CHART in death.is_unstored else 1), (
                number,
                death.trail[-1],
                [one.attempts for one in await yard.notifications()][:2],
            )
            if len(death.trail) < number:
                break
        assert {POST, CHART} <= set(death.trail)
    assert {one.state for one in await yard.notifications()} == {SENT}
