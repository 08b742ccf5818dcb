"""Channels that refuse, are slow to take, or have to be written to slowly: nobody is left without the alarm."""

from __future__ import annotations

import asyncio
import base64
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from service.adapters.channels.webhook import WebhookChannel
from service.domain.alerts.alert import AlertEvent, AlertState, Command
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.channels.webhook import Webhook
from service.domain.notify.notification import MOST_ATTEMPTS, Action, Attempt, NotificationState
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.notify.undelivered import FailingChannel
from service.domain.values.errors import Conflict
from service.workflows.alerts.attend import move_alert, retry_notification
from service.workflows.alerts.watch_channels import run_watch_channels
from service.workflows.configuration.notify import Receivers, put_routes
from service.workflows.configuration.probe import run_test_receiver
from service.workflows.delivery.compose import LAST_RESORT
from service.workflows.delivery.deliver import run_delivery
from service.workflows.ports.channels import Channel, DeliveryError
from service.workflows.ports.notify import NotificationFilter
from service.workflows.ports.platform import Vault
from tests.adapters.channels.posting_stand import way_out
from tests.adapters.postgres.queue.queue_runs import until
from tests.factories import SEALED
from tests.fake_receiver import FakeReceiver
from tests.fake_slack import Answer
from tests.sample_alerts import ACKNOWLEDGED_EVENT, ALERT, OPENED_EVENT, RAISED_EVENT, RESTATED_EVENT
from tests.workflows.yard import DAY, MINUTE, Yard, announce_one

SLACK, CONSOLE, MAIL = SlackBot(SEALED, "#claude-spend"), Console(), Email(("finops@example.com",))
PAGER = PagerDuty(SEALED)
BUSY = DeliveryError("busy", permanent=False)
GONE = DeliveryError("channel_not_found", permanent=True)
SECOND = timedelta(seconds=1)


async def tell(yard: Yard, number: int = 1) -> None:
    """The opening of one of many alerts."""
    alert = replace(ALERT, id=f"alrt_{number}", fingerprint=f"budget:{number}")
    async with yard.ports.uow() as uow:
        event = replace(OPENED_EVENT, alert=alert, at=yard.clock())
        await uow.alerts.save(event)
        await announce_one(uow, event)


async def route_apart(yard: Yard, *channels: SlackBot | Email | Console) -> None:
    """Every budget alert goes to a receiver with these channels; everything else to the console, by default."""
    eng = await yard.create(Receivers(), "eng", Receiver(channels))
    special = Route(eng.id, (Matcher("kind", Op.EQUAL, "budget"),))
    async with yard.ports.uow() as uow:
        await put_routes(uow, RouteTable((special, Route(yard.receiver.id))), yard.author)


async def failing(yard: Yard) -> list[FailingChannel]:
    async with yard.ports.uow() as uow:
        return await uow.channel_health.failing()


def sent_to(yard: Yard, kind: str) -> list[str]:
    """The alerts that a kind of channel took."""
    return [delivery.message.alert_id for config, delivery in yard.channels.sent if config.kind == kind]


# ------------------------------------------------------------------------------------------ rates


async def test_slack_gets_one_message_a_second_and_others_are_not_held_up(yard: Yard) -> None:
    await yard.receive_with(SLACK, CONSOLE)
    for number in range(4):
        await tell(yard, number)
    for written in (1, 2, 3, 4):
        await run_delivery(yard.ports)
        assert len(sent_to(yard, "slack_bot")) == written
        assert len(sent_to(yard, "console")) == 4
        yard.clock.advance(SECOND)
    assert [len(one.attempts) for one in await yard.notifications()] == [1] * 8


async def test_pagerduty_gets_two_a_second(yard: Yard) -> None:
    await yard.receive_with(PAGER)
    for number in range(5):
        await tell(yard, number)
    for written in (2, 4, 5):
        await run_delivery(yard.ports)
        assert len(sent_to(yard, "pagerduty")) == written
        yard.clock.advance(SECOND)


async def test_workers_share_a_channel_s_rate(yard: Yard) -> None:
    await yard.receive_with(SLACK)
    for number in range(6):
        await tell(yard, number)
    for written in (1, 2, 3):
        await asyncio.gather(*(run_delivery(yard.ports) for _ in range(3)))
        assert len(sent_to(yard, "slack_bot")) == written
        yard.clock.advance(SECOND)


async def test_each_slack_channel_has_its_own_rate(yard: Yard) -> None:
    await yard.receive_with(SLACK, SlackBot(SEALED, "#eng"))
    await tell(yard)
    assert await run_delivery(yard.ports) == 2


async def test_the_oldest_message_goes_first(yard: Yard) -> None:
    await yard.receive_with(SLACK)
    for number in range(3):
        await tell(yard, number)
        yard.clock.advance(timedelta(milliseconds=10))
    for _ in range(3):
        await run_delivery(yard.ports)
        yard.clock.advance(SECOND)
    assert sent_to(yard, "slack_bot") == ["alrt_0", "alrt_1", "alrt_2"]


# ---------------------------------------------------------------------------------- asked for quiet

SLOW_DOWN = DeliveryError("rate limited", permanent=False, retry_after=30 * SECOND)


def count_attempts(yard: Yard) -> list[str]:
    """The kinds of channels that were asked, also in vain."""
    asked: list[str] = []

    async def note(config: ChannelConfig) -> None:
        asked.append(config.kind)

    yard.channels.meanwhile = note
    return asked


async def test_a_429_holds_all_messages_of_its_channel_and_of_no_other(yard: Yard) -> None:
    await yard.receive_with(SLACK, CONSOLE)
    asked, numbers = count_attempts(yard), range(20)
    for number in numbers:
        await tell(yard, number)
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
    await tell(yard)
    await run_delivery(yard.ports)
    yard.channels.refusals.clear()
    yard.clock.advance(SECOND)
    await raise_first(yard)
    await tell(yard, 2)
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
    await tell(yard)
    await run_delivery(yard.ports)
    yard.channels.refusals["slack_bot"] = SLOW_DOWN
    yard.clock.advance(SECOND)
    await tell(yard, 2)
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
        await tell(yard, 0)
        await run_delivery(ports)
        for number in range(1, 21):
            await tell(yard, number)
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


# --------------------------------------------------------------------------------------- fallback


async def test_a_refused_call_reaches_the_default_receiver_with_the_reason_and_the_content(yard: Yard) -> None:
    await route_apart(yard, SLACK)
    yard.channels.refusals["slack_bot"] = GONE
    await tell(yard)
    await yard.settle()
    ((config, delivery),) = [one for one in yard.channels.sent if one[1].message.alert_id == "alrt_1"]
    assert config == CONSOLE
    assert delivery.message.change.startswith(
        "This could not be delivered to slack_bot of receiver eng: channel_not_found."
    )
    assert "$12.34" in delivery.message.headline


async def test_who_has_heard_of_it_is_not_told_again(yard: Yard) -> None:
    await yard.receive_with(SLACK, CONSOLE)
    yard.channels.refusals["slack_bot"] = GONE
    await tell(yard)
    await yard.settle()
    assert sent_to(yard, "console") == ["alrt_1"]


async def test_when_the_default_receiver_refuses_too_the_console_is_told(yard: Yard) -> None:
    await yard.receive_with(SLACK)
    yard.channels.refusals["slack_bot"] = GONE
    await tell(yard)
    await yard.settle()
    assert sent_to(yard, "console") == ["alrt_1"]
    assert LAST_RESORT in {one.channel for one in await yard.notifications()}


async def test_refusals_everywhere_end(yard: Yard) -> None:
    """Each of the two receivers, the console, and no more."""
    await route_apart(yard, SLACK)
    yard.channels.refusals |= {"slack_bot": GONE, "console": GONE}
    await tell(yard)
    await yard.settle()
    states = sorted((one.channel.partition(":")[0], one.state) for one in await yard.notifications())
    dead = NotificationState.DEAD
    assert states == [("console", dead), ("console", dead), ("slack_bot", dead)]


async def test_many_channels_that_refuse_at_once_do_not_wait_for_each_other_for_ever(yard: Yard) -> None:
    """As after a restart without TOCSIN_EGRESS_ALLOW: the default receiver's channels fall back to one another."""
    await yard.receive_with(*(Webhook(f"https://hook.example/{number}", SEALED) for number in range(10)))
    yard.channels.refusals["webhook"] = GONE
    for number in range(5):
        await tell(yard, number)
    await run_delivery(yard.ports)
    of_webhooks = [one for one in await yard.notifications() if one.channel.startswith("webhook")]
    assert {(one.state, len(one.attempts)) for one in of_webhooks} == {(NotificationState.DEAD, 1)}
    assert len(of_webhooks) == 50
    assert sorted(sent_to(yard, "console")) == [f"alrt_{number}" for number in range(5)]


async def test_who_is_told_late_is_told_the_end_too(yard: Yard) -> None:
    await yard.receive_with(PAGER)
    await route_apart(yard, SLACK)
    yard.channels.refusals["slack_bot"] = BUSY
    await tell(yard)
    await run_delivery(yard.ports)
    async with yard.ports.uow() as uow:
        await move_alert(uow, "alrt_1", Command.RESOLVE, "", yard.author)
    yard.channels.refusals["slack_bot"] = GONE
    yard.clock.advance(MINUTE)
    await yard.minute()
    assert [one.action for config, one in yard.channels.sent if config == PAGER] == [Action.OPEN, Action.RESOLVE]


async def test_a_refused_amendment_calls_nobody_else(yard: Yard) -> None:
    await route_apart(yard, SLACK)
    await tell(yard)
    await yard.settle()
    yard.channels.refusals["slack_bot"] = GONE
    async with yard.ports.uow() as uow:
        await move_alert(uow, "alrt_1", Command.ACKNOWLEDGE, "", yard.author)
    yard.clock.advance(MINUTE)
    await run_delivery(yard.ports)
    assert sent_to(yard, "console") == []


# --------------------------------------------------------------------------------------- disabled


async def refused(yard: Yard) -> None:
    """A first message was refused for good, and went elsewhere."""
    await route_apart(yard, SLACK)
    yard.channels.refusals["slack_bot"] = GONE
    await tell(yard)
    await yard.settle()
    yard.channels.refusals.clear()
    yard.clock.advance(MINUTE)


async def test_a_channel_that_refused_for_good_is_not_asked_again(yard: Yard) -> None:
    await refused(yard)
    (one,) = await failing(yard)
    assert (one.error, one.dead, one.disabled_at is not None) == ("channel_not_found", 1, True)
    await tell(yard, 2)
    await yard.settle()
    assert sent_to(yard, "slack_bot") == []
    assert sent_to(yard, "console") == ["alrt_1", "alrt_2"]
    assert [(one.error, one.dead) for one in await failing(yard)] == [("channel_not_found", 2)]


async def test_a_channel_that_is_only_busy_is_not_disabled(yard: Yard) -> None:
    await route_apart(yard, SLACK)
    yard.channels.refusals["slack_bot"] = BUSY
    await tell(yard)
    await yard.settle()
    assert await failing(yard) == []


async def test_a_channel_that_was_busy_once_too_often_is_asked_again_by_the_next_message(yard: Yard) -> None:
    await route_apart(yard, SLACK)
    yard.channels.refusals["slack_bot"] = BUSY
    await tell(yard)
    async with yard.ports.uow() as uow:
        (queued,) = (await uow.notifications.page(NotificationFilter(), limit=9, cursor=None)).items
        earlier = (Attempt(yard.clock(), "failed", "timeout"),) * (MOST_ATTEMPTS - 1)
        await uow.notifications.save(replace(queued, attempts=earlier), post=None)
    await yard.settle()
    (channel,) = await failing(yard)
    assert (channel.error, channel.dead, channel.disabled_at) == ("busy", 1, None)
    yard.channels.refusals.clear()
    yard.clock.advance(MINUTE)
    await tell(yard, 2)
    await yard.settle()
    assert sent_to(yard, "slack_bot") == ["alrt_2"]
    assert await failing(yard) == []


async def test_editing_the_receiver_tries_its_channel_anew(yard: Yard) -> None:
    await refused(yard)
    async with yard.ports.uow() as uow:
        eng = await uow.receivers.get("eng")
    await yard.change(Receivers(), eng, Receiver((replace(SLACK, mention="<!here>"),)))
    await tell(yard, 2)
    await yard.settle()
    assert sent_to(yard, "slack_bot") == ["alrt_2"]


async def test_a_good_test_enables_the_channel_and_a_bad_one_does_not(yard: Yard) -> None:
    await refused(yard)
    yard.channels.refusals["slack_bot"] = GONE
    await run_test_receiver(yard.ports, "eng", yard.author)
    assert len(await failing(yard)) == 1
    yard.channels.refusals.clear()
    await run_test_receiver(yard.ports, "eng", yard.author)
    assert await failing(yard) == []


async def test_a_retry_by_a_person_tries_a_disabled_channel(yard: Yard) -> None:
    await refused(yard)
    (dead,) = [one for one in await yard.notifications() if one.state is NotificationState.DEAD]
    async with yard.ports.uow() as uow:
        await retry_notification(uow, dead.id, yard.author)
    await run_delivery(yard.ports)
    assert sent_to(yard, "slack_bot") == ["alrt_1"]


@pytest.mark.parametrize(
    ("later", "taken"), [(RESTATED_EVENT, True), (RAISED_EVENT, False), (ACKNOWLEDGED_EVENT, False)]
)
async def test_a_dead_message_is_retried_though_figures_changed_but_not_behind_news(
    yard: Yard, later: AlertEvent, taken: bool
) -> None:
    await refused(yard)
    (dead,) = [one for one in await yard.notifications() if one.state is NotificationState.DEAD]
    async with yard.ports.uow() as uow:
        moved = replace(later.alert, id="alrt_1", fingerprint="budget:1", version=2)
        await uow.alerts.save(replace(later, alert=moved, at=yard.clock()))
    with nullcontext() if taken else pytest.raises(Conflict, match="moved on"):
        async with yard.ports.uow() as uow:
            await retry_notification(uow, dead.id, yard.author)
    await run_delivery(yard.ports)
    assert sent_to(yard, "slack_bot") == (["alrt_1"] if taken else [])


# ------------------------------------------------------------------------------------ undelivered


async def undelivered(yard: Yard) -> list[AlertState]:
    return [alert.state for alert in await yard.alerts() if alert.kind == "undelivered"]


async def test_a_channel_with_a_dead_message_is_an_alert_once_until_it_is_well(yard: Yard) -> None:
    await refused(yard)
    for _ in range(3):
        await yard.minute()
    assert await undelivered(yard) == [AlertState.FIRING]
    ((_, delivery),) = [one for one in yard.channels.sent if "No messages reach" in one[1].message.headline]
    assert delivery.message.headline == "No messages reach slack_bot of receiver eng"
    assert ("Last error", "channel_not_found") in delivery.message.facts
    await run_test_receiver(yard.ports, "eng", yard.author)
    await yard.minute()
    assert await undelivered(yard) == [AlertState.RESOLVED]
    assert yard.channels.sent[-1][1].action is Action.RESOLVE


async def test_a_message_that_waits_longer_than_a_quarter_of_an_hour_is_one_too(yard: Yard) -> None:
    await route_apart(yard, SLACK)
    yard.channels.refusals["slack_bot"] = BUSY
    await tell(yard)
    await yard.settle()
    yard.clock.advance(14 * MINUTE)
    await yard.minute()
    assert await undelivered(yard) == []
    yard.clock.advance(MINUTE)
    await yard.minute()
    assert await undelivered(yard) == [AlertState.FIRING]
    yard.channels.refusals.clear()
    yard.clock.advance(60 * MINUTE)
    await yard.minute()
    await yard.minute()
    assert sent_to(yard, "slack_bot") == ["alrt_1"]
    assert await undelivered(yard) == [AlertState.RESOLVED]


async def test_workers_that_look_at_once_open_one(yard: Yard) -> None:
    await refused(yard)
    await asyncio.gather(*(run_watch_channels(yard.ports) for _ in range(4)))
    assert await undelivered(yard) == [AlertState.FIRING]


async def test_who_resolves_it_is_not_called_again_the_same_day(yard: Yard) -> None:
    await refused(yard)
    await yard.minute()
    (alert,) = [alert for alert in await yard.alerts() if alert.kind == "undelivered"]
    async with yard.ports.uow() as uow:
        await move_alert(uow, alert.id, Command.RESOLVE, "known", yard.author)
    yard.clock.advance(MINUTE)
    await yard.minute()
    assert await undelivered(yard) == [AlertState.RESOLVED]
    yard.clock.advance(DAY)
    await yard.minute()
    assert await undelivered(yard) == [AlertState.RESOLVED, AlertState.FIRING]


# ------------------------------------------------------------------------------------------ races


async def test_an_answer_that_is_being_committed_as_a_call_is_given_up_reaches_whom_it_fell_back_to(
    yard: Yard,
) -> None:
    """Two connections: the answer is written and not committed; the fallback has to wait for it."""
    await yard.receive_with(PAGER)
    await route_apart(yard, SLACK)
    await tell(yard)
    yard.channels.refusals["slack_bot"] = GONE
    async with yard.ports.uow() as uow:
        await move_alert(uow, "alrt_1", Command.ACKNOWLEDGE, "", yard.author)
        sender = asyncio.create_task(run_delivery(yard.ports))
        await until(lambda: _is_done_or_waits(sender, yard))
    await sender
    await yard.settle()
    assert [one.action for config, one in yard.channels.sent if config == PAGER] == [Action.OPEN, Action.ACKNOWLEDGE]


async def _is_done_or_waits(task: asyncio.Task[int], yard: Yard) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with yard.engine.connect() as connection:
        return task.done() or bool(await connection.scalar(text(waiting)))
