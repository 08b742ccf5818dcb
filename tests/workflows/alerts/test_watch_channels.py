"""A channel that takes no messages is an alert, once, until it takes one."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from service.domain.alerts.alert import AlertState, Command
from service.domain.alerts.evidence import UndeliveredEvidence
from service.domain.notify.notification import Action, Receipt, after_taking
from service.domain.notify.receivers import Receiver
from service.domain.values.resources import Resource
from service.workflows.alerts.attend import move_alert
from service.workflows.alerts.watch_channels import run_watch_channels
from service.workflows.configuration.notify import Receivers
from service.workflows.configuration.probe import run_test_receiver
from tests.workflows.delivery.sending import (
    BUSY,
    MAIL,
    QUEUED,
    REVOKED,
    SLACK,
    open_alert,
    refused,
    route_apart,
    sent_to,
)
from tests.workflows.yard import DAY, MINUTE, Yard


async def undelivered(yard: Yard) -> list[AlertState]:
    return [alert.state for alert in await yard.alerts() if alert.kind == "undelivered"]


async def eng(yard: Yard) -> Resource[Receiver]:
    async with yard.ports.uow() as uow:
        return await uow.receivers.get("eng")


async def test_a_channel_with_a_dead_message_is_an_alert_once_until_it_is_well(yard: Yard) -> None:
    await refused(yard)
    for _ in range(3):
        await yard.minute()
    assert await undelivered(yard) == [AlertState.FIRING]
    ((_, delivery),) = [one for one in yard.channels.sent if "did not reach" in one[1].message.headline]
    said = "1 message did not reach receiver eng: Slack channel #claude-spend: msg_too_long"
    assert delivery.message.headline.startswith(said)
    assert ("Last error", "msg_too_long") in delivery.message.facts
    await run_test_receiver(yard.ports, "eng", yard.author)
    await yard.minute()
    assert await undelivered(yard) == [AlertState.RESOLVED]
    assert yard.channels.sent[-1][1].action is Action.RESOLVE


async def open_while_busy(yard: Yard) -> None:
    """An alert whose message Slack does not take for now."""
    await route_apart(yard, SLACK)
    yard.channels.refusals["slack_bot"] = BUSY
    await open_alert(yard)
    await yard.settle()


async def test_a_message_that_waits_longer_than_a_quarter_of_an_hour_is_one_too(yard: Yard) -> None:
    await open_while_busy(yard)
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


async def test_what_the_channel_has_taken_is_not_undelivered_while_its_chart_is_added(yard: Yard) -> None:
    """The vendor's receipt is no error: the end would say that Slack "answers posted in C0123"."""
    await open_while_busy(yard)
    yard.clock.advance(15 * MINUTE)
    await yard.minute()
    assert await undelivered(yard) == [AlertState.FIRING]
    waits = next(one for one in await yard.notifications() if one.state is QUEUED)
    async with yard.ports.uow() as uow:
        await uow.notifications.keep(after_taking(waits, Receipt("ts_1", "posted in C1"), yard.clock()), post="ts_1")
    await run_watch_channels(yard.ports)
    (alert,) = [alert for alert in await yard.alerts() if alert.kind == "undelivered"]
    assert isinstance(alert.evidence, UndeliveredEvidence)
    assert (alert.state, alert.evidence.channel_error) == (AlertState.RESOLVED, "busy")


async def test_a_channel_that_was_removed_is_not_said_to_take_messages_again(yard: Yard) -> None:
    await refused(yard)
    await yard.minute()
    await yard.change(Receivers(), await eng(yard), Receiver((MAIL,)))
    await yard.minute()
    assert await undelivered(yard) == [AlertState.RESOLVED]
    (end,) = [one.message for _, one in yard.channels.sent if one.action is Action.RESOLVE]
    assert end.change == "Resolved: the channel is no longer part of its receiver."


async def test_another_wrong_credential_does_not_end_it(yard: Yard) -> None:
    """Whoever corrects a token and errs again was told that all is well, and a minute later that nothing is."""
    await route_apart(yard, SLACK)
    yard.channels.refusals["slack_bot"] = REVOKED
    await open_alert(yard)
    await yard.settle()
    for _ in range(2):
        yard.clock.advance(MINUTE)
        await yard.minute()
    assert await undelivered(yard) == [AlertState.FIRING]
    await yard.change(Receivers(), await eng(yard), Receiver((replace(SLACK, mention="<!here>"),)))
    for _ in range(3):
        await run_watch_channels(yard.ports)
        await yard.settle()
        assert await undelivered(yard) == [AlertState.FIRING]
    yard.channels.refusals.clear()
    yard.clock.advance(10 * MINUTE)
    await yard.minute()
    await yard.minute()
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
