"""Channels that have to be written to slowly, or ask for quiet: what may leave waits its turn."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx

from service.adapters.channels.webhook import WebhookChannel
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.channels.webhook import Webhook
from service.domain.notify.notification import (
    Action,
)
from service.workflows.delivery.deliver import run_delivery
from service.workflows.ports.channels import Channel, DeliveryError
from service.workflows.ports.platform import Vault
from tests.adapters.channels.posting_stand import way_out
from tests.factories import SEALED
from tests.fakes.receiver import FakeReceiver
from tests.fakes.slack import Answer
from tests.sample_alerts import ALERT, RAISED_EVENT
from tests.workflows.delivery.sending import CONSOLE, PAGER, SECOND, SLACK, open_alert, sent_to
from tests.workflows.yard import Yard, announce_one

# -------------------------------------------------------------------------------------------- rates


async def test_slack_gets_one_message_a_second_and_others_are_not_held_up(yard: Yard) -> None:
    await yard.receive_with(SLACK, CONSOLE)
    for number in range(4):
        await open_alert(yard, number)
    for written in (1, 2, 3, 4):
        await run_delivery(yard.ports)
        assert len(sent_to(yard, "slack_bot")) == written
        assert len(sent_to(yard, "console")) == 4
        yard.clock.advance(SECOND)
    assert [len(one.attempts) for one in await yard.notifications()] == [1] * 8


async def test_pagerduty_gets_two_a_second(yard: Yard) -> None:
    await yard.receive_with(PAGER)
    for number in range(5):
        await open_alert(yard, number)
    for written in (2, 4, 5):
        await run_delivery(yard.ports)
        assert len(sent_to(yard, "pagerduty")) == written
        yard.clock.advance(SECOND)


async def test_workers_share_a_channel_s_rate(yard: Yard) -> None:
    await yard.receive_with(SLACK)
    for number in range(6):
        await open_alert(yard, number)
    for written in (1, 2, 3):
        await asyncio.gather(*(run_delivery(yard.ports) for _ in range(3)))
        assert len(sent_to(yard, "slack_bot")) == written
        yard.clock.advance(SECOND)


async def test_each_slack_channel_has_its_own_rate(yard: Yard) -> None:
    await yard.receive_with(SLACK, SlackBot(SEALED, "#eng"))
    await open_alert(yard)
    assert await run_delivery(yard.ports) == 2


async def test_the_oldest_message_goes_first(yard: Yard) -> None:
    await yard.receive_with(SLACK)
    for number in range(3):
        await open_alert(yard, number)
        yard.clock.advance(timedelta(milliseconds=10))
    for _ in range(3):
        await run_delivery(yard.ports)
        yard.clock.advance(SECOND)
    assert sent_to(yard, "slack_bot") == ["alrt_0", "alrt_1", "alrt_2"]


# ---------------------------------------------------------------------------------- asked for quiet

SLOW_DOWN = DeliveryError("rate limited", retry_after=30 * SECOND)


def count_attempts(yard: Yard) -> list[str]:
    """The kinds of channels that were asked, also without success."""
    asked: list[str] = []

    async def note(config: ChannelConfig) -> None:
        asked.append(config.kind)

    yard.channels.meanwhile = note
    return asked


async def test_a_429_holds_all_messages_of_its_channel_and_of_no_other(yard: Yard) -> None:
    await yard.receive_with(SLACK, CONSOLE)
    asked, numbers = count_attempts(yard), range(20)
    for number in numbers:
        await open_alert(yard, number)
        yard.clock.advance(timedelta(milliseconds=10))
    yard.channels.refusals["slack_bot"] = SLOW_DOWN
    await run_delivery(yard.ports)
    yard.channels.refusals.clear()
    for _ in range(29):
        yard.clock.advance(SECOND)
        await run_delivery(yard.ports)
    assert (asked.count("slack_bot"), asked.count("console")) == (1, 20)
    for _ in numbers:
        yard.clock.advance(SECOND)
        await run_delivery(yard.ports)
    assert sent_to(yard, "slack_bot") == [f"alrt_{number}" for number in numbers]
    assert asked.count("slack_bot") == 21


async def raise_first(yard: Yard) -> None:
    async with yard.ports.uow() as uow:
        alert = replace(ALERT, id="alrt_1", fingerprint="budget:1", version=2)
        raised = replace(RAISED_EVENT, alert=alert, at=yard.clock())
        await uow.alerts.save(raised)
        await announce_one(uow, raised)


async def test_where_a_channel_wants_quiet_a_raise_is_tried_all_the_same_behind_its_opening(yard: Yard) -> None:
    await yard.receive_with(SLACK)
    asked = count_attempts(yard)
    yard.channels.refusals["slack_bot"] = SLOW_DOWN
    await open_alert(yard)
    await run_delivery(yard.ports)
    yard.channels.refusals.clear()
    yard.clock.advance(SECOND)
    await raise_first(yard)
    await open_alert(yard, 2)
    for _ in range(28):
        await run_delivery(yard.ports)
        yard.clock.advance(SECOND)
    assert [(one.message.alert_id, one.action) for _, one in yard.channels.sent] == [
        ("alrt_1", Action.OPEN),
        ("alrt_1", Action.RAISE),
    ]
    assert len(asked) == 3
    yard.clock.advance(SECOND)
    await run_delivery(yard.ports)
    assert sent_to(yard, "slack_bot")[2:] == ["alrt_2"]


async def test_a_channel_that_insists_on_quiet_is_not_asked_for_a_raise_again_and_again(yard: Yard) -> None:
    await yard.receive_with(SLACK)
    asked = count_attempts(yard)
    await open_alert(yard)
    await run_delivery(yard.ports)
    yard.channels.refusals["slack_bot"] = SLOW_DOWN
    yard.clock.advance(SECOND)
    await open_alert(yard, 2)
    await run_delivery(yard.ports)
    yard.clock.advance(SECOND)
    await raise_first(yard)
    for _ in range(28):
        await run_delivery(yard.ports)
        yard.clock.advance(SECOND)
    assert len(asked) == 3


async def test_an_endpoint_that_answers_429_sees_nothing_until_its_time_is_over(yard: Yard) -> None:
    """By HTTP, and for a channel without a rate of its own."""
    async with FakeReceiver() as receiver, way_out() as transport:
        secret = yard.ports.vault.seal(f"whsec_{base64.b64encode(b'FAKE key ' * 3).decode()}")
        await yard.receive_with(Webhook(f"{receiver.url}/hook", secret))
        ports = replace(yard.ports, channels=OnlyWebhooks(yard.ports.vault, transport))
        receiver.plan(Answer(429, headers={"Retry-After": "30"}))
        await open_alert(yard, 0)
        await run_delivery(ports)
        for number in range(1, 21):
            await open_alert(yard, number)
        for _ in range(29):
            yard.clock.advance(SECOND)
            await run_delivery(ports)
        assert len(receiver.requests) == 1
        yard.clock.advance(SECOND)
        assert await run_delivery(ports) == 21
        assert len(receiver.requests) == 22


@dataclass
class OnlyWebhooks:
    vault: Vault
    transport: httpx.AsyncBaseTransport

    def open(self, config: ChannelConfig) -> Channel:
        assert isinstance(config, Webhook)
        return WebhookChannel(config, self.vault, self.transport)
