"""Channels that refuse, are slow to take, or have to be written to slowly: nobody is left without the alarm."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from service.domain.alerts import AlertKind, AlertState, Command
from service.domain.notifications import Action, NotificationState
from service.domain.receivers import Console, Email, PagerDuty, Receiver, SlackBot
from service.domain.routing.matchers import Matcher, Op
from service.domain.routing.routes import Route, RouteTable
from service.domain.undelivered import FailingChannel
from service.workflows.administer import Receivers, put_routes
from service.workflows.announce import announce
from service.workflows.attend import move_alert, retry_notification
from service.workflows.deliver import run_delivery
from service.workflows.fall_back import LAST_RESORT
from service.workflows.ports import DeliveryError
from service.workflows.probe import run_test_receiver
from service.workflows.watch_channels import run_watch_channels
from tests.factories import SEALED
from tests.sample_alerts import ALERT, OPENED_EVENT
from tests.workflows.yard import DAY, MINUTE, Yard

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
        await announce(uow, event)


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


# ------------------------------------------------------------------------------------ undelivered


async def undelivered(yard: Yard) -> list[AlertState]:
    return [alert.state for alert in await yard.alerts() if alert.kind is AlertKind.UNDELIVERED]


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
    (alert,) = [alert for alert in await yard.alerts() if alert.kind is AlertKind.UNDELIVERED]
    async with yard.ports.uow() as uow:
        await move_alert(uow, alert.id, Command.RESOLVE, "known", yard.author)
    yard.clock.advance(MINUTE)
    await yard.minute()
    assert await undelivered(yard) == [AlertState.RESOLVED]
    yard.clock.advance(DAY)
    await yard.minute()
    assert await undelivered(yard) == [AlertState.RESOLVED, AlertState.FIRING]
