"""Messages that a channel refuses are retried or given up, and nobody is left without the alarm."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from service.domain.alerts.alert import AlertEvent, Command
from service.domain.notify.channels.webhook import Webhook
from service.domain.notify.escalation import EscalationPolicy, EscalationStep, PlannedStep
from service.domain.notify.notification import (
    MOST_ATTEMPTS,
    Action,
    Attempt,
    NotificationState,
)
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.values.errors import Conflict
from service.workflows.alerts.attend import move_alert, retry_notification
from service.workflows.configuration.notify import EscalationPolicies, Receivers, put_routes
from service.workflows.delivery.address import LAST_RESORT
from service.workflows.delivery.deliver import run_delivery
from service.workflows.notify.escalate import run_step
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.notify import NotificationFilter
from tests.adapters.postgres.queue.queue_runs import until
from tests.factories import SEALED
from tests.sample_alerts import ACKNOWLEDGED_EVENT, ALERT, RAISED_EVENT, RESTATED_EVENT
from tests.workflows.delivery.sending import (
    BUSY,
    CONSOLE,
    DEAD,
    GONE,
    MAIL,
    PAGER,
    QUEUED,
    SECOND,
    SLACK,
    UNFIT,
    announce,
    failing,
    only,
    open_alert,
    refused,
    route_apart,
    sent_to,
)
from tests.workflows.yard import MINUTE, Yard

# ------------------------------------------------------------------------------------------ retries


async def test_a_message_that_was_tried_often_enough_is_dead_with_its_reasons(yard: Yard) -> None:
    yard.channels.refusals["console"] = BUSY
    await announce(yard)
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
    await announce(yard)
    await run_delivery(yard.ports)
    due = (await only(yard)).due_at
    yard.channels.refusals.clear()
    yard.clock.move_to(due - SECOND)
    assert await run_delivery(yard.ports) == 0
    yard.clock.move_to(due)
    assert await run_delivery(yard.ports) == 1


async def test_a_retry_is_a_job_of_its_own_and_needs_no_tick(yard: Yard) -> None:
    yard.channels.refusals["console"] = BUSY
    await announce(yard)
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
    yard.channels.refusals["console"] = DeliveryError("slow down", retry_after=asked)
    await announce(yard)
    await run_delivery(yard.ports)
    assert (await only(yard)).due_at == yard.clock() + waits


async def test_a_hopeless_message_is_dead_at_once(yard: Yard) -> None:
    yard.channels.refusals["console"] = UNFIT
    await announce(yard)
    await run_delivery(yard.ports)
    notification = await only(yard)
    assert (notification.state, [one.detail for one in notification.attempts]) == (DEAD, ["msg_too_long"])


# ----------------------------------------------------------------------------------------- fallback


async def test_a_refused_call_reaches_the_default_receiver_with_the_reason_and_the_content(yard: Yard) -> None:
    await route_apart(yard, SLACK)
    yard.channels.refusals["slack_bot"] = GONE
    await open_alert(yard)
    await yard.settle()
    ((config, delivery),) = [one for one in yard.channels.sent if one[1].message.alert_id == "alrt_1"]
    assert config == CONSOLE
    assert delivery.message.change.startswith(
        "This could not be delivered to Slack of receiver eng: channel_not_found."
    )
    assert "$12.34" in delivery.message.headline


async def test_who_has_heard_of_it_is_not_told_again(yard: Yard) -> None:
    await yard.receive_with(SLACK, CONSOLE)
    yard.channels.refusals["slack_bot"] = GONE
    await open_alert(yard)
    await yard.settle()
    assert sent_to(yard, "console") == ["alrt_1"]


async def test_a_channel_that_has_the_alert_gets_what_falls_back_to_it_as_a_raise_of_its_post(yard: Yard) -> None:
    """Of two openings the first post would never be edited again."""
    await yard.receive_with(SLACK, MAIL)
    eng = await yard.create(Receivers(), "eng", Receiver((PAGER,)))
    steps = (EscalationStep(timedelta(), yard.receiver.id), EscalationStep(15 * MINUTE, eng.id))
    policy = await yard.create(EscalationPolicies(), "on call", EscalationPolicy(steps))
    async with yard.ports.uow() as uow:
        await put_routes(uow, RouteTable((Route(yard.receiver.id, escalation_policy_id=policy.id),)), yard.author)
    await announce(yard)
    await yard.settle()
    yard.channels.refusals["pagerduty"] = GONE
    yard.clock.advance(15 * MINUTE)
    for _ in range(2):
        await run_step(yard.ports, PlannedStep(ALERT.id, policy.id, chain=1, round=0, step=1))
        await yard.settle()
    assert [(one.kind, told.action, told.post) for one, told in yard.channels.sent] == [
        ("slack_bot", Action.OPEN, None),
        ("email", Action.OPEN, None),
        ("slack_bot", Action.RAISE, "post-1"),
        ("email", Action.RAISE, "post-2"),
    ]
    assert "This could not be delivered to" in yard.channels.sent[-1][1].message.change


async def test_when_the_default_receiver_refuses_too_the_console_is_told(yard: Yard) -> None:
    await yard.receive_with(SLACK)
    yard.channels.refusals["slack_bot"] = GONE
    await open_alert(yard)
    await yard.settle()
    assert sent_to(yard, "console") == ["alrt_1"]
    assert LAST_RESORT in {one.channel for one in await yard.notifications()}


async def test_refusals_everywhere_end(yard: Yard) -> None:
    """Each of the two receivers, the console, and no more."""
    await route_apart(yard, SLACK)
    yard.channels.refusals |= {"slack_bot": GONE, "console": GONE}
    await open_alert(yard)
    await yard.settle()
    states = sorted((one.channel.partition(":")[0], one.state) for one in await yard.notifications())
    waits = NotificationState.QUEUED
    assert states == [("console", waits), ("console", waits), ("slack_bot", waits)]


async def test_many_channels_that_refuse_at_once_do_not_wait_for_each_other_for_ever(yard: Yard) -> None:
    """As after a restart without TOCSIN_EGRESS_ALLOW: the default receiver's channels fall back to one another."""
    await yard.receive_with(*(Webhook(f"https://hook.example/{number}", SEALED) for number in range(10)))
    yard.channels.refusals["webhook"] = GONE
    for number in range(5):
        await open_alert(yard, number)
    await run_delivery(yard.ports)
    of_webhooks = [one for one in await yard.notifications() if one.channel.startswith("webhook")]
    assert {(one.state, len(one.attempts)) for one in of_webhooks} == {(NotificationState.QUEUED, 1)}
    assert len(of_webhooks) == 50
    assert sorted(sent_to(yard, "console")) == [f"alrt_{number}" for number in range(5)]


async def test_who_hears_of_an_alert_when_it_is_over_is_told_its_end_and_not_called(yard: Yard) -> None:
    await yard.receive_with(MAIL)
    await route_apart(yard, SLACK)
    yard.channels.refusals["slack_bot"] = BUSY
    await open_alert(yard)
    await run_delivery(yard.ports)
    async with yard.ports.uow() as uow:
        await move_alert(uow, "alrt_1", Command.RESOLVE, "", yard.author)
    yard.channels.refusals["slack_bot"] = GONE
    yard.clock.advance(MINUTE)
    await yard.minute()
    assert [one.action for config, one in yard.channels.sent if config == MAIL] == [Action.RESOLVE]


async def test_an_end_of_what_others_have_heard_of_falls_back_to_nobody(yard: Yard) -> None:
    await route_apart(yard, SLACK, MAIL)
    yard.channels.refusals["slack_bot"] = GONE
    await open_alert(yard)
    await yard.settle()
    async with yard.ports.uow() as uow:
        await move_alert(uow, "alrt_1", Command.RESOLVE, "", yard.author)
    yard.clock.advance(MINUTE)
    await run_delivery(yard.ports)
    told = [(one.message.alert_id, one.action) for config, one in yard.channels.sent if config == CONSOLE]
    assert told == [("alrt_1", Action.OPEN), ("alrt_1", Action.RESOLVE)], "it fell back while it fired"


async def test_a_refused_amendment_calls_nobody_else(yard: Yard) -> None:
    await route_apart(yard, SLACK)
    await open_alert(yard)
    await yard.settle()
    yard.channels.refusals["slack_bot"] = GONE
    async with yard.ports.uow() as uow:
        await move_alert(uow, "alrt_1", Command.ACKNOWLEDGE, "", yard.author)
    yard.clock.advance(MINUTE)
    await run_delivery(yard.ports)
    assert sent_to(yard, "console") == []


# ------------------------------------------------------------------------------ the channel's health


async def test_a_channel_that_was_busy_once_too_often_is_asked_again_by_the_next_message(yard: Yard) -> None:
    await route_apart(yard, SLACK)
    yard.channels.refusals["slack_bot"] = BUSY
    await open_alert(yard)
    async with yard.ports.uow() as uow:
        (queued,) = (await uow.notifications.page(NotificationFilter(), limit=9, cursor=None)).items
        earlier = (Attempt(yard.clock(), "failed", "timeout"),) * (MOST_ATTEMPTS - 1)
        await uow.notifications.save(replace(queued, attempts=earlier), post=None)
    await yard.settle()
    (channel,) = await failing(yard)
    assert (channel.error, channel.dead, channel.next_try) == ("busy", 1, None)
    yard.channels.refusals.clear()
    yard.clock.advance(MINUTE)
    await open_alert(yard, 2)
    await yard.settle()
    assert sent_to(yard, "slack_bot") == ["alrt_2"]
    assert await failing(yard) == []


async def test_a_retry_by_a_person_tries_a_failing_channel(yard: Yard) -> None:
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


# -------------------------------------------------------------------------------------------- races


async def test_an_answer_that_is_being_committed_as_a_call_is_given_up_reaches_whom_it_fell_back_to(
    yard: Yard,
) -> None:
    """Two connections: the answer is written and not committed; the fallback has to wait for it."""
    await yard.receive_with(PAGER)
    await route_apart(yard, SLACK)
    await open_alert(yard)
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
