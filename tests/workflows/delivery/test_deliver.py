"""Messages leave at least once, in order, and each has one outcome, whatever stops a sender."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from service.domain.notify.channels.email import Email
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import (
    MOST_AT_ONCE,
    MOST_DEFECTS,
    Action,
)
from service.workflows.delivery.deliver import run_delivery
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.outages import StorageUnavailable
from tests.sample_alerts import ALERT, OPENED_EVENT
from tests.workflows.delivery.sending import (
    BUSY,
    CONSOLE,
    DEAD,
    MAIL,
    OTHER_MAIL,
    PAGER,
    QUEUED,
    SECOND,
    SENT,
    SLACK,
    announce,
    first_time,
    let_leases_run_out,
    only,
    open_alert,
    own,
    raise_it,
    route_apart,
    sent_to,
    states,
)
from tests.workflows.yard import MINUTE, Crash, Yard

# ------------------------------------------------------------------------------------- side by side


async def test_a_batch_is_sent_side_by_side(yard: Yard) -> None:
    """Every channel waits until all of them are at work."""
    await yard.receive_with(SLACK, MAIL, OTHER_MAIL, CONSOLE)
    await announce(yard)
    together = asyncio.Barrier(4)

    async def meet(config: ChannelConfig) -> None:
        await together.wait()

    yard.channels.meanwhile = meet
    async with asyncio.timeout(20):
        assert await run_delivery(yard.ports) == 4


async def test_more_than_a_batch_is_sent_to_the_end(yard: Yard) -> None:
    alerts = [replace(ALERT, id=f"alrt_{n}", fingerprint=f"budget:{n}") for n in range(MOST_AT_ONCE + 3)]
    for alert in alerts:
        await announce(yard, replace(OPENED_EVENT, alert=alert))
    assert await run_delivery(yard.ports) == len(alerts)
    assert len(yard.channels.sent) == len(alerts)
    assert await run_delivery(yard.ports) == 0


async def test_one_channel_s_defect_neither_loses_nor_blocks_the_others(yard: Yard) -> None:
    """A defect is a failed attempt like any other."""
    await yard.receive_with(SLACK, MAIL, CONSOLE)
    await announce(yard)

    async def stumble(config: ChannelConfig) -> None:
        if config == MAIL:
            raise Crash

    yard.channels.meanwhile = stumble
    await run_delivery(yard.ports)
    assert await states(yard) == {"slack_bot": SENT, "email": QUEUED, "console": SENT}
    (mail,) = [one for one in await own(yard) if one.channel.startswith("email")]
    assert [one.detail for one in mail.attempts] == ["an error that nobody foresaw: Crash"]
    yard.channels.meanwhile = None
    yard.clock.move_to(mail.due_at)
    assert await run_delivery(yard.ports) == 1
    assert [config for config, _ in yard.channels.sent].count(MAIL) == 1


async def test_a_channel_that_is_away_is_a_line_when_it_begins_and_one_when_it_ends(yard: Yard) -> None:
    await yard.receive_with(CONSOLE)
    await announce(yard)
    yard.channels.refusals["console"] = BUSY
    with capture_logs() as lines:
        for _ in range(3):
            await run_delivery(yard.ports)
            yard.clock.advance(20 * MINUTE)
        yard.channels.refusals.clear()
        assert await run_delivery(yard.ports) == 1
    about = [line for line in lines if str(line.get("system")).startswith("channel ")]
    assert [(line["event"], line.get("failures", 1)) for line in about] == [("outage_begins", 1), ("outage_ends", 3)]


async def test_a_message_that_cannot_be_composed_does_not_hold_up_the_others(yard: Yard) -> None:
    """It falls back from a notification that is not there."""
    await yard.receive_with(MAIL)
    await announce(yard)
    async with yard.ports.uow() as uow:
        strange = replace(await only(yard), id="ntf_strange", channel="console:last_resort", fallback_for="ntf_gone")
        await uow.notifications.add(strange)
    await run_delivery(yard.ports)
    assert await states(yard) == {"email": SENT}
    (counted,) = [one for one in await yard.notifications() if one.id == "ntf_strange"]
    assert [one.outcome for one in counted.attempts] == ["failed"]


@pytest.mark.parametrize("kind", [SLACK, MAIL, PAGER], ids=["slack", "mail", "pagerduty"])
async def test_a_sender_that_always_raises_is_given_up_and_somebody_else_is_notified(
    yard: Yard, kind: SlackBot | Email | PagerDuty
) -> None:
    await yard.receive_with(CONSOLE)
    await route_apart(yard, kind)
    await open_alert(yard)

    async def stumble(config: ChannelConfig) -> None:
        if config == kind:
            raise KeyError("a secret")

    yard.channels.meanwhile = stumble
    for _ in range(MOST_DEFECTS):
        await run_delivery(yard.ports)
        notification = await only(yard)
        yard.clock.move_to(notification.due_at)
    await yard.settle()
    assert (notification.state, len(notification.attempts)) == (DEAD, MOST_DEFECTS)
    assert {one.detail for one in notification.attempts} == {"an error that nobody foresaw: KeyError"}
    assert sent_to(yard, "console") == ["alrt_1"]


async def test_an_answer_that_cannot_be_stored_is_a_failed_attempt(yard: Yard) -> None:
    """Postgres keeps no NUL."""
    await yard.receive_with(MAIL)
    await announce(yard)
    yard.channels.post = "\x00"
    await run_delivery(yard.ports)
    notification = await only(yard)
    assert (notification.state, [one.outcome for one in notification.attempts]) == (QUEUED, ["failed"])


# ------------------------------------------------------------------------------------ kills, leases


async def test_a_kill_between_claim_and_record_leads_to_one_more_attempt(yard: Yard) -> None:
    await announce(yard)
    sending = asyncio.Event()

    async def hang() -> None:
        sending.set()
        await asyncio.Event().wait()

    yard.channels.meanwhile = first_time(hang)
    sender = asyncio.create_task(run_delivery(yard.ports))
    async with asyncio.timeout(20):
        await sending.wait()
    sender.cancel()
    await asyncio.wait({sender})
    assert await run_delivery(yard.ports) == 0  # still the dead sender's
    await let_leases_run_out(yard)
    await yard.minute()
    notification = await only(yard)
    assert (notification.state, len(notification.attempts)) == (SENT, 1)
    assert len(yard.channels.sent) == 1


async def test_a_kill_between_send_and_record_says_it_twice_and_records_it_once(yard: Yard) -> None:
    """At least once: the destination can tell by the delivery's id."""
    await announce(yard)
    uow = yard.ports.uow
    calls: list[str] = []

    def dying() -> object:
        calls.append("uow")
        if len(calls) >= 3:  # after the claim, and after what composing reads
            raise StorageUnavailable("killed")
        return uow()

    dead = replace(yard.ports, uow=dying)  # type: ignore[arg-type]
    with pytest.raises(StorageUnavailable):
        await run_delivery(dead)
    await let_leases_run_out(yard)
    assert await run_delivery(yard.ports) == 1
    ids = [delivery.id for _, delivery in yard.channels.sent]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    notification = await only(yard)
    assert (notification.state, len(notification.attempts)) == (SENT, 1)


@pytest.mark.parametrize("late", [None, BUSY, DeliveryError("gone", Concern.CHANNEL)], ids=["sent", "busy", "refused"])
async def test_a_sender_that_outlives_its_lease_cannot_give_a_second_outcome(
    yard: Yard, late: DeliveryError | None
) -> None:
    await announce(yard)

    async def be_overtaken() -> None:
        await let_leases_run_out(yard)
        assert await run_delivery(yard.ports) == 1
        if late is not None:
            raise late

    yard.channels.meanwhile = first_time(be_overtaken)
    await run_delivery(yard.ports)
    notification = await only(yard)
    assert notification.state is SENT
    assert [attempt.outcome for attempt in notification.attempts] == ["sent"]


async def test_two_senders_at_once_share_the_messages(yard: Yard) -> None:
    await yard.receive_with(SLACK, MAIL, OTHER_MAIL, CONSOLE)
    await announce(yard)
    counts = await asyncio.gather(*(run_delivery(yard.ports) for _ in range(3)))
    assert sum(counts) == len(yard.channels.sent) == 4


# -------------------------------------------------------------------------------------------- order


async def test_a_raise_waits_for_the_opening_in_its_own_channel_alone(yard: Yard) -> None:
    await yard.receive_with(SLACK, MAIL)
    yard.channels.refusals["slack_bot"] = BUSY
    await announce(yard)
    await run_delivery(yard.ports)
    await raise_it(yard)
    await run_delivery(yard.ports)
    assert [(type(config), delivery.action) for config, delivery in yard.channels.sent] == [
        (Email, Action.OPEN),
        (Email, Action.RAISE),
    ]
    yard.channels.refusals.clear()
    for _ in range(2):
        yard.clock.advance(MINUTE)
        await run_delivery(yard.ports)
    slack = [delivery for config, delivery in yard.channels.sent if isinstance(config, SlackBot)]
    assert [(delivery.action, delivery.post is None) for delivery in slack] == [
        (Action.OPEN, True),
        (Action.RAISE, False),
    ]


async def test_a_dead_opening_lets_the_raise_through(yard: Yard) -> None:
    await yard.receive_with(SLACK)
    yard.channels.refusals["slack_bot"] = DeliveryError("msg_too_long", Concern.MESSAGE)
    await announce(yard)
    await raise_it(yard)
    await run_delivery(yard.ports)
    assert {one.action: one.state for one in await own(yard)} == {Action.OPEN: DEAD, Action.RAISE: QUEUED}
    yard.clock.advance(SECOND)
    await run_delivery(yard.ports)
    assert {one.state for one in await own(yard)} == {DEAD}


async def test_other_alerts_do_not_wait_for_one_that_is_held_up(yard: Yard) -> None:
    await yard.receive_with(SLACK)
    yard.channels.refusals["slack_bot"] = BUSY
    await announce(yard)
    await run_delivery(yard.ports)
    yard.channels.refusals.clear()
    other = replace(ALERT, id="alrt_other", fingerprint="budget:other")
    yard.clock.advance(SECOND)
    await announce(yard, replace(OPENED_EVENT, alert=other))
    assert await run_delivery(yard.ports) == 1
    ((_, delivery),) = yard.channels.sent
    assert delivery.message.alert_id == other.id
