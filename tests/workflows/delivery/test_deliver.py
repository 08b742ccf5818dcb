"""Messages leave at least once, in order, and each has one outcome, whatever stops a sender."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.alerts.alert import Alert, AlertEvent, Command, Reason
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.notification import (
    MOST_AT_ONCE,
    MOST_ATTEMPTS,
    Action,
    Attempt,
    Notification,
    NotificationState,
)
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.routes import Route, RouteTable
from service.workflows.configuration.notify import Receivers, put_routes
from service.workflows.delivery.deliver import run_delivery
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.unit_of_work import StorageUnavailable
from tests.factories import SEALED
from tests.sample_alerts import ALERT, OPENED_EVENT, RAISED_EVENT
from tests.workflows.yard import MINUTE, Crash, Yard, announce_one

SLACK, CONSOLE = SlackBot(SEALED, "#claude-spend"), Console()
MAIL, OTHER_MAIL = Email(("finops@example.com",)), Email(("eng@example.com",))
BUSY = DeliveryError("busy", permanent=False)
SECOND = timedelta(seconds=1)
QUEUED, SENT, DEAD = NotificationState.QUEUED, NotificationState.SENT, NotificationState.DEAD


async def tell(yard: Yard, event: AlertEvent = OPENED_EVENT) -> None:
    """An alert's move and its notifications, put down now."""
    async with yard.ports.uow() as uow:
        await uow.alerts.save(replace(event, at=yard.clock()))
        await announce_one(uow, replace(event, at=yard.clock()))


async def raise_it(yard: Yard, alert: Alert = ALERT) -> None:
    await tell(yard, replace(RAISED_EVENT, alert=replace(alert, version=2)))


async def states(yard: Yard) -> dict[str, NotificationState]:
    """By kind of channel, without what fell back."""
    return {one.channel.partition(":")[0]: one.state for one in await own(yard)}


async def own(yard: Yard) -> list[Notification]:
    """What the channels themselves were to be told: no fallbacks."""
    return [one for one in await yard.notifications() if one.fallback_for is None]


async def only(yard: Yard) -> Notification:
    (notification,) = await own(yard)
    return notification


async def let_leases_run_out(yard: Yard) -> None:
    """Two minutes of the database's own time."""
    async with yard.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE notifications SET leased_until = now() - interval '1 second'")


def first_time(act: Callable[[], Awaitable[object]]) -> Callable[[ChannelConfig], Awaitable[None]]:
    """Acts before the first message is taken."""
    left = [act]

    async def meanwhile(config: ChannelConfig) -> None:
        if left:
            await left.pop()()

    return meanwhile


# ----------------------------------------------------------------------------------- side by side


async def test_a_batch_is_sent_side_by_side(yard: Yard) -> None:
    """Every channel waits until all of them are at work."""
    await yard.receive_with(SLACK, MAIL, OTHER_MAIL, CONSOLE)
    await tell(yard)
    together = asyncio.Barrier(4)

    async def meet(config: ChannelConfig) -> None:
        await together.wait()

    yard.channels.meanwhile = meet
    async with asyncio.timeout(20):
        assert await run_delivery(yard.ports) == 4


async def test_more_than_a_batch_is_sent_to_the_end(yard: Yard) -> None:
    alerts = [replace(ALERT, id=f"alrt_{n}", fingerprint=f"budget:{n}") for n in range(MOST_AT_ONCE + 3)]
    for alert in alerts:
        await tell(yard, replace(OPENED_EVENT, alert=alert))
    assert await run_delivery(yard.ports) == len(alerts)
    assert len(yard.channels.sent) == len(alerts)
    assert await run_delivery(yard.ports) == 0


async def test_one_channel_s_defect_neither_loses_nor_blocks_the_others(yard: Yard) -> None:
    """A defect is loud, costs no attempt, and is tried again once its lease has run out."""
    await yard.receive_with(SLACK, MAIL, CONSOLE)
    await tell(yard)

    async def stumble(config: ChannelConfig) -> None:
        if config == MAIL:
            raise Crash

    yard.channels.meanwhile = stumble
    with pytest.raises(ExceptionGroup) as raised:
        await run_delivery(yard.ports)
    assert [type(defect) for defect in raised.value.exceptions] == [Crash]
    assert await states(yard) == {"slack_bot": SENT, "email": QUEUED, "console": SENT}
    assert await run_delivery(yard.ports) == 0
    yard.channels.meanwhile = None
    await let_leases_run_out(yard)
    assert await run_delivery(yard.ports) == 1
    assert [config for config, _ in yard.channels.sent].count(MAIL) == 1


# ------------------------------------------------------------------------------------ kills, leases


async def test_a_kill_between_claim_and_record_leads_to_one_more_attempt(yard: Yard) -> None:
    await tell(yard)
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
    await tell(yard)
    uow = yard.ports.uow
    calls: list[str] = []

    def dying() -> object:
        calls.append("uow")
        if len(calls) == 3:  # after the claim, and after what composing reads
            raise StorageUnavailable("killed")
        return uow()

    dead = replace(yard.ports, uow=dying)  # type: ignore[arg-type]
    with pytest.raises(ExceptionGroup):
        await run_delivery(dead)
    await let_leases_run_out(yard)
    assert await run_delivery(yard.ports) == 1
    ids = [delivery.id for _, delivery in yard.channels.sent]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    notification = await only(yard)
    assert (notification.state, len(notification.attempts)) == (SENT, 1)


@pytest.mark.parametrize("late", [None, BUSY, DeliveryError("gone", permanent=True)], ids=["sent", "busy", "refused"])
async def test_a_sender_that_outlives_its_lease_cannot_give_a_second_outcome(
    yard: Yard, late: DeliveryError | None
) -> None:
    await tell(yard)

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
    await tell(yard)
    counts = await asyncio.gather(*(run_delivery(yard.ports) for _ in range(3)))
    assert sum(counts) == len(yard.channels.sent) == 4


# ---------------------------------------------------------------------------------------- retries


async def test_a_message_that_was_tried_often_enough_is_dead_with_its_reasons(yard: Yard) -> None:
    yard.channels.refusals["console"] = BUSY
    await tell(yard)
    earlier = (Attempt(yard.clock(), "failed", "timeout"),) * (MOST_ATTEMPTS - 2)
    async with yard.ports.uow() as uow:
        await uow.notifications.save(replace(await only(yard), attempts=earlier), post=None)
    for number, state in ((MOST_ATTEMPTS - 1, QUEUED), (MOST_ATTEMPTS, DEAD), (MOST_ATTEMPTS, DEAD)):
        assert await run_delivery(yard.ports) == 0
        notification = await only(yard)
        assert (len(notification.attempts), notification.state) == (number, state)
        yard.clock.move_to(notification.due_at)
    assert [attempt.detail for attempt in notification.attempts[-3:]] == ["timeout", "busy", "busy"]


async def test_a_retry_does_not_come_before_its_time(yard: Yard) -> None:
    yard.channels.refusals["console"] = BUSY
    await tell(yard)
    await run_delivery(yard.ports)
    due = (await only(yard)).due_at
    yard.channels.refusals.clear()
    yard.clock.move_to(due - SECOND)
    assert await run_delivery(yard.ports) == 0
    yard.clock.move_to(due)
    assert await run_delivery(yard.ports) == 1


async def test_a_retry_is_a_job_of_its_own_and_needs_no_tick(yard: Yard) -> None:
    yard.channels.refusals["console"] = BUSY
    await tell(yard)
    await yard.settle()
    async with yard.engine.connect() as connection:
        waiting = await connection.exec_driver_sql(
            "SELECT task_name, extract(epoch FROM scheduled_at - now()) AS seconds FROM procrastinate_jobs"
        )
        (seconds,) = [job.seconds for job in waiting if job.task_name == "deliver"]
    assert 0 < seconds < 20


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        pytest.param(timedelta(seconds=40), timedelta(seconds=40), id="longer than our own wait"),
        pytest.param(timedelta(seconds=1), timedelta(seconds=15), id="shorter than our own wait"),
        pytest.param(timedelta(days=2), timedelta(hours=1), id="longer than an alarm can wait"),
    ],
)
async def test_what_a_channel_asks_for_is_waited(yard: Yard, asked: timedelta, waits: timedelta) -> None:
    yard.channels.refusals["console"] = DeliveryError("slow down", permanent=False, retry_after=asked)
    await tell(yard)
    await run_delivery(yard.ports)
    assert (await only(yard)).due_at == yard.clock() + waits


async def test_a_hopeless_message_is_dead_at_once(yard: Yard) -> None:
    yard.channels.refusals["console"] = DeliveryError("channel_not_found", permanent=True)
    await tell(yard)
    await run_delivery(yard.ports)
    notification = await only(yard)
    assert (notification.state, [one.detail for one in notification.attempts]) == (DEAD, ["channel_not_found"])


# ------------------------------------------------------------------------- channels that went away


async def test_a_channel_that_was_taken_out_of_its_receiver_is_dead_with_words(yard: Yard) -> None:
    await yard.receive_with(MAIL, CONSOLE)
    await tell(yard)
    await yard.receive_with(CONSOLE)
    assert await run_delivery(yard.ports) == 1
    assert await states(yard) == {"email": DEAD, "console": SENT}
    (dead,) = [one for one in await own(yard) if one.state is DEAD]
    assert "no longer part of its receiver" in dead.attempts[0].detail


async def test_a_receiver_that_was_deleted_leaves_dead_messages_with_words(yard: Yard) -> None:
    await tell(yard)
    other = await yard.create(Receivers(), "other", Receiver((MAIL,)))
    async with yard.ports.uow() as uow:
        await put_routes(uow, RouteTable((Route(other.id),)), yard.author)
    await yard.delete(Receivers(), yard.receiver)
    assert await run_delivery(yard.ports) == 1
    ((config, _),) = yard.channels.sent
    assert config == MAIL  # the default route's receiver is told instead
    notification = await only(yard)
    assert notification.state is DEAD
    assert "no longer part of its receiver" in notification.attempts[0].detail


async def test_a_channel_s_new_configuration_is_what_counts(yard: Yard) -> None:
    """Its address is the same, so it is the same channel; its mention is today's."""
    await yard.receive_with(SLACK)
    await tell(yard)
    await yard.receive_with(replace(SLACK, mention="<!here>"))
    await run_delivery(yard.ports)
    ((config, _),) = yard.channels.sent
    assert isinstance(config, SlackBot)
    assert config.mention == "<!here>"


# ------------------------------------------------------------------------------------------ order


async def test_a_raise_waits_for_the_opening_in_its_own_channel_alone(yard: Yard) -> None:
    await yard.receive_with(SLACK, MAIL)
    yard.channels.refusals["slack_bot"] = BUSY
    await tell(yard)
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


async def test_a_raise_refers_to_what_the_channel_answered_to_the_opening(yard: Yard) -> None:
    await yard.receive_with(SLACK)
    await tell(yard)
    await raise_it(yard)
    await run_delivery(yard.ports)
    yard.clock.advance(SECOND)  # Slack's rate
    await run_delivery(yard.ports)
    (_, opening), (_, raising) = yard.channels.sent
    assert (opening.post, raising.post) == (None, "post-1")


async def test_a_dead_opening_lets_the_raise_through(yard: Yard) -> None:
    await yard.receive_with(SLACK)
    yard.channels.refusals["slack_bot"] = DeliveryError("not_in_channel", permanent=True)
    await tell(yard)
    await raise_it(yard)
    await run_delivery(yard.ports)
    assert {one.action: one.state for one in await own(yard)} == {Action.OPEN: DEAD, Action.RAISE: QUEUED}
    yard.clock.advance(SECOND)
    await run_delivery(yard.ports)
    assert {one.state for one in await own(yard)} == {DEAD}


async def test_other_alerts_do_not_wait_for_one_that_is_held_up(yard: Yard) -> None:
    await yard.receive_with(SLACK)
    yard.channels.refusals["slack_bot"] = BUSY
    await tell(yard)
    await run_delivery(yard.ports)
    yard.channels.refusals.clear()
    other = replace(ALERT, id="alrt_other", fingerprint="budget:other")
    yard.clock.advance(SECOND)
    await tell(yard, replace(OPENED_EVENT, alert=other))
    assert await run_delivery(yard.ports) == 1
    ((_, delivery),) = yard.channels.sent
    assert delivery.message.alert_id == other.id


async def test_a_message_says_what_was_so_when_it_was_put_down(yard: Yard) -> None:
    """A slow channel is told of the opening as an opening, even when the alert has moved on since."""
    yard.channels.refusals["console"] = BUSY
    await tell(yard)
    await run_delivery(yard.ports)
    resolved = replace(ALERT, version=2)
    await tell(yard, AlertEvent(resolved, yard.clock(), Command.RESOLVE, "tocsin", Reason.PERIOD_CLOSED))
    yard.channels.refusals.clear()
    yard.clock.advance(MINUTE)
    await run_delivery(yard.ports)
    assert [delivery.action for _, delivery in yard.channels.sent] == [Action.OPEN, Action.RESOLVE]
