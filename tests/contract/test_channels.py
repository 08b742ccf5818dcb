"""What every set of channels does: our fake, and the real ones against local servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from service.adapters.vault import FernetVault
from service.domain.notify.channels.registry import KINDS
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import Action
from service.workflows.ports.channels import Channel, Channels, DeliveryError
from tests.contract.servers import Places, configure, open_servers
from tests.fakes.ports import FakeChannels
from tests.fakes.slack import Answer
from tests.sample_alerts import delivery

POSTING = ("pagerduty", "webhook", "alertmanager", "teams", "jsm")
REFUSING = ("slack_bot", "slack_webhook", "discord", *POSTING)
REFERRING = ("slack_bot", "email", "alertmanager", "jsm", "pagerduty", "discord")
POSTING_AGAIN = ("discord",)
"""A raise is a new post there, and is referred to from then on."""
WAIT = timedelta(seconds=40)

_VAULT = FernetVault("a secret key of the tests")


@dataclass
class World:
    """Channels, where they lead, and how to make one of them refuse or hold off."""

    channels: Channels
    places: Places
    heard: Callable[[], int]
    refuse: Callable[[str], None]
    hold_off: Callable[[str], None]

    def open(self, kind: str) -> Channel:
        return self.channels.open(configure(kind, self.places, _VAULT))


@asynccontextmanager
async def faked() -> AsyncIterator[World]:
    fake = FakeChannels()

    def answer(error: DeliveryError) -> Callable[[str], None]:
        return lambda kind: fake.refusals.update({kind: error})

    yield World(
        fake,
        Places("http://slack.example/api/", "http://slack.example/hook", "http://discord.example", "http://a.example"),
        lambda: len(fake.sent),
        answer(DeliveryError("channel_not_found", Concern.CHANNEL)),
        answer(DeliveryError("ratelimited", retry_after=WAIT)),
    )


@asynccontextmanager
async def real() -> AsyncIterator[World]:
    async with open_servers(_VAULT) as servers:
        slack, smtp, receiver, terminal = servers.slack, servers.smtp, servers.receiver, servers.terminal

        def plan(answer: Answer) -> Callable[[str], None]:
            def next_of(kind: str) -> None:
                if kind in POSTING:
                    receiver.plan(answer)
                elif kind == "discord":
                    servers.discord.plan(answer)
                else:
                    slack.plan("webhook" if kind == "slack_webhook" else "chat.postMessage", answer)

            return next_of

        def printed() -> int:
            return terminal.getvalue().count("╭")

        yield World(
            servers.channels,
            servers.places,
            lambda: (
                len(slack.posted) + len(smtp.mails) + len(servers.discord.messages) + printed() + len(receiver.taken)
            ),
            plan(Answer(410)),
            plan(Answer(429, headers={"Retry-After": str(int(WAIT.total_seconds()))})),
        )


@pytest.fixture(params=[faked, real], ids=["fake", "real"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with request.param() as world:
        yield world


@pytest.mark.parametrize("kind", KINDS)
async def test_a_message_is_heard_once_and_what_became_of_it_is_said(world: World, kind: str) -> None:
    receipt = await world.open(kind).send(delivery())
    assert world.heard() == 1
    assert receipt.detail


@pytest.mark.parametrize("kind", KINDS)
async def test_only_what_can_edit_thread_or_end_refers_to_its_message_later(world: World, kind: str) -> None:
    receipt = await world.open(kind).send(delivery())
    assert (receipt.post is not None) == (kind in REFERRING)


async def test_two_posts_in_slack_have_two_references(world: World) -> None:
    channel = world.open("slack_bot")
    first, second = [await channel.send(replace(delivery(), id=f"ntf_{n}")) for n in range(2)]
    assert first.post != second.post


@pytest.mark.parametrize("kind", REFERRING)
@pytest.mark.parametrize("action", [Action.RAISE, Action.RESOLVE])
async def test_what_follows_keeps_the_reference_unless_it_is_a_new_post(
    world: World, kind: str, action: Action
) -> None:
    channel = world.open(kind)
    opened = await channel.send(delivery())
    followed = await channel.send(delivery(action, post=opened.post))
    assert (followed.post == opened.post) == (action is Action.RESOLVE or kind not in POSTING_AGAIN)


@pytest.mark.parametrize("kind", REFUSING)
async def test_a_refusal_is_final_and_says_why(world: World, kind: str) -> None:
    world.refuse(kind)
    with pytest.raises(DeliveryError) as raised:
        await world.open(kind).send(delivery())
    assert raised.value.concerns is not Concern.MOMENT
    assert raised.value.reason
    assert world.heard() == 0


@pytest.mark.parametrize("kind", REFUSING)
async def test_a_busy_channel_says_when_to_come_back(world: World, kind: str) -> None:
    world.hold_off(kind)
    with pytest.raises(DeliveryError) as raised:
        await world.open(kind).send(delivery())
    assert raised.value.concerns is Concern.MOMENT
    assert raised.value.retry_after == WAIT
    assert world.heard() == 0


@pytest.mark.parametrize("kind", REFUSING)
async def test_one_channel_s_refusal_leaves_the_others_alone(world: World, kind: str) -> None:
    world.refuse(kind)
    with pytest.raises(DeliveryError):
        await world.open(kind).send(delivery())
    for other in ("email", "console"):
        await world.open(other).send(delivery())
    assert world.heard() == 2


def test_every_kind_of_channel_is_held_to_this() -> None:
    assert {*REFUSING, "email", "console"} == set(KINDS)
