"""What every set of channels does: our fake, and the real ones against a local Slack and mail server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from io import StringIO

import pytest
from rich.console import Console as Terminal

from service.adapters.channels import ChannelFactory
from service.adapters.egress.aiohttp_connector import connectors
from service.adapters.egress.guard import Guard, parse_networks
from service.adapters.vault import FernetVault
from service.domain.notifications import Action
from service.domain.receivers import ChannelConfig, Console, Email, SlackBot, SlackWebhook
from service.workflows.ports import Channels, DeliveryError
from tests.fake_slack import TOKEN, FakeSlack
from tests.fake_smtp import FakeSmtp
from tests.fakes import FakeChannels
from tests.sample_alerts import delivery

KINDS = ("slack_bot", "slack_webhook", "email", "console")
THREADED = ("slack_bot", "email")
WAIT = timedelta(seconds=40)

_VAULT = FernetVault("a secret key of the tests")


@dataclass
class World:
    """Channels, a configuration of each kind, and how to make Slack refuse."""

    channels: Channels
    configs: dict[str, ChannelConfig]
    heard: Callable[[], int]
    refuse_slack: Callable[[], None]
    hold_slack_off: Callable[[], None]


def _configs(slack_api: str, webhook_url: str) -> dict[str, ChannelConfig]:
    return {
        "slack_bot": SlackBot(_VAULT.seal(TOKEN), "#claude-spend", api_url=slack_api),
        "slack_webhook": SlackWebhook(_VAULT.seal(webhook_url)),
        "email": Email(("finops@example.com",)),
        "console": Console(),
    }


@asynccontextmanager
async def faked() -> AsyncIterator[World]:
    fake = FakeChannels()

    def refuse(error: DeliveryError) -> Callable[[], None]:
        return lambda: fake.refusals.update({"slack_bot": error})

    yield World(
        fake,
        _configs("http://slack.example/api/", "http://slack.example/hook"),
        lambda: len(fake.sent),
        refuse(DeliveryError("channel_not_found", permanent=True)),
        refuse(DeliveryError("ratelimited", permanent=False, retry_after=WAIT)),
    )


@asynccontextmanager
async def real() -> AsyncIterator[World]:
    terminal, guard = StringIO(), Guard(parse_networks("127.0.0.0/8"))
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(FakeSlack(("claude-spend",)))
        smtp = await stack.enter_async_context(FakeSmtp())
        factory = ChannelFactory(
            _VAULT,
            connector=connectors(guard, proxy=None),
            smtp_url=smtp.url,
            email_from="tocsin@example.com",
            console=Terminal(file=terminal, width=100),
        )

        def heard() -> int:
            return len(slack.posted) + len(smtp.mails) + terminal.getvalue().count("╭")

        yield World(
            factory,
            _configs(slack.api_url, slack.webhook_url),
            heard,
            lambda: slack.refuse("chat.postMessage", "channel_not_found"),
            lambda: slack.limit_rate("chat.postMessage", seconds=int(WAIT.total_seconds())),
        )


@pytest.fixture(params=[faked, real], ids=["fake", "real"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with request.param() as world:
        yield world


@pytest.mark.parametrize("kind", KINDS)
async def test_a_message_is_heard_once_and_what_became_of_it_is_said(world: World, kind: str) -> None:
    receipt = await world.channels.open(world.configs[kind]).send(delivery())
    assert world.heard() == 1
    assert receipt.detail


@pytest.mark.parametrize("kind", KINDS)
async def test_only_what_can_edit_or_thread_refers_to_its_message_later(world: World, kind: str) -> None:
    receipt = await world.channels.open(world.configs[kind]).send(delivery())
    assert (receipt.post is not None) == (kind in THREADED)


async def test_two_posts_in_slack_have_two_references(world: World) -> None:
    channel = world.channels.open(world.configs["slack_bot"])
    first, second = [await channel.send(replace(delivery(), id=f"ntf_{n}")) for n in range(2)]
    assert first.post != second.post


@pytest.mark.parametrize("kind", THREADED)
@pytest.mark.parametrize("action", [Action.RAISE, Action.RESOLVE])
async def test_what_follows_keeps_the_reference_of_the_first_message(world: World, kind: str, action: Action) -> None:
    channel = world.channels.open(world.configs[kind])
    opened = await channel.send(delivery())
    followed = await channel.send(delivery(action, post=opened.post))
    assert followed.post == opened.post


async def test_a_refusal_is_final_and_says_why(world: World) -> None:
    world.refuse_slack()
    with pytest.raises(DeliveryError) as raised:
        await world.channels.open(world.configs["slack_bot"]).send(delivery())
    assert raised.value.permanent
    assert "channel_not_found" in raised.value.reason
    assert world.heard() == 0


async def test_a_busy_channel_says_when_to_come_back(world: World) -> None:
    world.hold_slack_off()
    with pytest.raises(DeliveryError) as raised:
        await world.channels.open(world.configs["slack_bot"]).send(delivery())
    assert not raised.value.permanent
    assert raised.value.retry_after == WAIT
    assert world.heard() == 0


async def test_one_channel_s_refusal_leaves_the_others_alone(world: World) -> None:
    world.refuse_slack()
    with pytest.raises(DeliveryError):
        await world.channels.open(world.configs["slack_bot"]).send(delivery())
    for kind in ("email", "console"):
        await world.channels.open(world.configs[kind]).send(delivery())
    assert world.heard() == 2
