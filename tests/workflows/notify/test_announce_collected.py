"""Alerts of a route that collects leave in one message a channel, which is kept current afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.alerts.alert import AlertEvent, AlertState, Command, Reason, apply
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import MOST_AT_ONCE, Action, Delivery, NotificationState
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.notify.routing.silences import Silence
from service.domain.values.severity import Severity
from service.workflows.configuration.notify import Silences, put_routes
from service.workflows.delivery.deliver import run_delivery
from service.workflows.ports.channels import DeliveryError
from tests.delivering import deliver_for
from tests.factories import SEALED
from tests.sample_alerts import ALERT, OPENED_EVENT
from tests.workflows.delivery.sending import first_time, let_leases_run_out
from tests.workflows.yard import HOUR, MINUTE, Yard, announce_one

SLACK, MAIL, PAGER = SlackBot(SEALED, "#claude-spend"), Email(("finops@example.com",)), PagerDuty(SEALED)
SECOND = timedelta(seconds=1)
WAIT, INTERVAL = timedelta(minutes=1), timedelta(minutes=5)
BUSY = DeliveryError("busy")


async def collect(yard: Yard, *channels: ChannelConfig, wait: timedelta = WAIT, interval: timedelta = INTERVAL) -> None:
    """The only route collects for these channels."""
    await yard.receive_with(*channels)
    async with yard.ports.uow() as uow:
        route = Route(yard.receiver.id, group_wait=wait, group_interval=interval)
        await put_routes(uow, RouteTable((route,)), yard.author)


async def open_alerts(yard: Yard, *ids: str) -> None:
    """Found by one evaluation."""
    async with yard.ports.uow() as uow:
        for id in ids:
            alert = replace(ALERT, id=id, fingerprint=f"budget:{id}", severity=Severity.WARNING)
            event = replace(OPENED_EVENT, alert=alert, at=yard.clock())
            await uow.alerts.save(event)
            await announce_one(uow, event)
    await yard.settle()


async def move(yard: Yard, id: str, command: Command) -> AlertEvent:
    """A move whose messages wait in the queue."""
    reason = Reason.RAISED if command is Command.RAISE else Reason.PERSON
    severity = Severity.CRITICAL if command is Command.RAISE else None
    async with yard.ports.uow() as uow:
        alert = await uow.alerts.get(id)
        event = apply(alert, command, actor="ann", reason=reason, now=yard.clock(), severity=severity)
        await uow.alerts.save(event)
        await announce_one(uow, event)
    return event


async def pass_time(yard: Yard, time: timedelta) -> None:
    await deliver_for(yard.ports, yard.clock, time)


async def act(yard: Yard, id: str, command: Command) -> None:
    await move(yard, id, command)
    await pass_time(yard, 5 * SECOND)


def sent(yard: Yard, kind: str) -> list[Delivery]:
    return [delivery for config, delivery in yard.channels.sent if config.kind == kind]


def listed(delivery: Delivery) -> list[tuple[str, str]]:
    """Ids and how they stand."""
    return [(one.alert_id, one.standing) for one in delivery.message.listed]


def about(delivery: Delivery) -> list[str]:
    """The alerts that a message tells of."""
    return sorted(id for id, _ in listed(delivery)) or [delivery.message.alert_id]


async def states(yard: Yard, *, channel: str = "") -> list[tuple[str, str, str]]:
    return [
        (one.alert_id, one.action.value, one.state.value)
        for one in await yard.notifications()
        if one.channel.startswith(channel)
    ]


async def posted(yard: Yard, *ids: str) -> Delivery:
    """The summary in Slack, after its wait."""
    await collect(yard, SLACK)
    await open_alerts(yard, *ids)
    await pass_time(yard, WAIT)
    (summary,) = sent(yard, "slack_bot")
    return summary


# ------------------------------------------------------------------------------------------- one message


async def test_what_is_found_together_is_one_message_to_people_and_one_page_an_alert(yard: Yard) -> None:
    await collect(yard, SLACK, MAIL, PAGER, Console())
    await open_alerts(yard, "a", "b", "c")
    await pass_time(yard, SECOND)
    assert sorted(about(one) for one in sent(yard, "pagerduty")) == [["a"], ["b"], ["c"]]
    assert sent(yard, "slack_bot") == sent(yard, "email") == []
    await pass_time(yard, WAIT)
    assert len(sent(yard, "pagerduty")) == 3
    for kind in ("slack_bot", "email", "console"):
        assert [about(one) for one in sent(yard, kind)] == [["a", "b", "c"]]
    summary = sent(yard, "slack_bot")[0]
    assert (summary.action, summary.message.headline) == (Action.OPEN, "3 alerts: 3 warnings")
    assert (summary.picture, summary.post, summary.message.kind) == (None, None, None)


async def test_each_notification_of_a_summary_is_sent_and_names_it(yard: Yard) -> None:
    summary = await posted(yard, "a", "b")
    found = [(one.state, one.sent_with, len(one.attempts)) for one in await yard.notifications()]
    assert found == [(NotificationState.SENT, summary.id, 1)] * 2


async def test_an_alert_that_stays_alone_is_an_ordinary_message(yard: Yard) -> None:
    alone = await posted(yard, "a")
    assert (about(alone), alone.message.listed, alone.message.kind) == (["a"], (), ALERT.kind)
    assert [one.sent_with for one in await yard.notifications()] == [None]
    await act(yard, "a", Command.ACKNOWLEDGE)
    assert [one.post for one in sent(yard, "slack_bot")] == [None, "post-1"]


async def test_without_a_wait_the_first_leaves_at_once_and_the_interval_s_others_together(yard: Yard) -> None:
    await collect(yard, MAIL, wait=timedelta())
    await open_alerts(yard, "a")
    assert [about(one) for one in sent(yard, "email")] == [["a"]]
    for id in ("b", "c"):
        yard.clock.advance(MINUTE)
        await open_alerts(yard, id)
    await pass_time(yard, 3 * MINUTE - SECOND)
    assert len(sent(yard, "email")) == 1
    await pass_time(yard, SECOND)
    assert [about(one) for one in sent(yard, "email")] == [["a"], ["b", "c"]]


async def test_the_queue_itself_wakes_up_for_a_departure(yard: Yard) -> None:
    await collect(yard, MAIL)
    await open_alerts(yard, "a", "b")
    async with yard.engine.connect() as connection:
        query = "SELECT scheduled_at > now() + interval '50 seconds' FROM procrastinate_jobs WHERE status = 'todo'"
        found = await connection.exec_driver_sql(query)
        # The two may be due in different seconds of real time: then each has a job of its own.
        assert set(found.scalars()) == {True}


async def test_groups_leave_apart(yard: Yard) -> None:
    await yard.receive_with(MAIL)
    async with yard.ports.uow() as uow:
        route = Route(yard.receiver.id, group_by=("severity",), group_wait=WAIT)
        await put_routes(uow, RouteTable((route,)), yard.author)
    await open_alerts(yard, "a", "b")
    async with yard.ports.uow() as uow:
        event = replace(OPENED_EVENT, alert=replace(ALERT, id="c", fingerprint="c"), at=yard.clock())
        await uow.alerts.save(event)
        await announce_one(uow, event)
    await pass_time(yard, WAIT)
    assert sorted(about(one) for one in sent(yard, "email")) == [["a", "b"], ["c"]]


async def test_more_than_a_batch_is_one_message_whoever_sends_it(yard: Yard) -> None:
    ids = [f"alrt_{n:02}" for n in range(MOST_AT_ONCE + 10)]
    await collect(yard, MAIL, Console())
    await open_alerts(yard, *ids)
    yard.clock.advance(WAIT)
    await asyncio.gather(*(run_delivery(yard.ports) for _ in range(3)))
    assert [one.message.headline for one in sent(yard, "email")] == ["60 alerts: 60 warnings"]
    assert len(sent(yard, "console")) == 1
    assert {state for _, _, state in await states(yard)} == {"sent"}


async def test_what_comes_while_a_summary_is_on_its_way_is_in_the_next_one(yard: Yard) -> None:
    await collect(yard, MAIL)
    await open_alerts(yard, "a", "b")
    yard.clock.advance(WAIT)

    async def go_on() -> None:
        yard.clock.advance(SECOND)
        await open_alerts(yard, "c")

    yard.channels.meanwhile = first_time(go_on)
    await run_delivery(yard.ports)
    await pass_time(yard, INTERVAL + SECOND)
    assert [about(one) for one in sent(yard, "email")] == [["a", "b"], ["c"]]


# ------------------------------------------------------------------------------------------- failures


async def test_a_summary_that_fails_is_tried_again_as_a_whole(yard: Yard) -> None:
    await collect(yard, MAIL)
    await open_alerts(yard, "a", "b", "c")
    yard.channels.refusals["email"] = BUSY
    await pass_time(yard, WAIT)
    assert {(one.state, len(one.attempts)) for one in await yard.notifications()} == {(NotificationState.QUEUED, 1)}
    yard.channels.refusals.clear()
    await pass_time(yard, MINUTE)
    assert [about(one) for one in sent(yard, "email")] == [["a", "b", "c"]]
    assert {(one.state, len(one.attempts)) for one in await yard.notifications()} == {(NotificationState.SENT, 2)}


async def test_a_sender_that_dies_leaves_the_whole_summary_to_another_under_the_same_id(yard: Yard) -> None:
    await collect(yard, MAIL)
    await open_alerts(yard, "a", "b")
    yard.clock.advance(WAIT)
    async with yard.ports.uow() as uow:  # it claims, sends perhaps, and is never heard of again
        claimed = await uow.notifications.claim(now=yard.clock(), limit=1, lease=2 * MINUTE)
    assert len(claimed) == 2
    await pass_time(yard, MINUTE)
    assert sent(yard, "email") == []
    await let_leases_run_out(yard)
    await run_delivery(yard.ports)
    (summary,) = sent(yard, "email")
    assert (about(summary), summary.id) == (["a", "b"], claimed[0].notification.id)


async def test_a_summary_that_is_given_up_falls_back_alert_by_alert(yard: Yard) -> None:
    await collect(yard, MAIL)
    await open_alerts(yard, "a", "b")
    yard.channels.refusals["email"] = DeliveryError("no such mailbox", Concern.CHANNEL)
    await pass_time(yard, WAIT)
    assert sorted(about(one) for one in sent(yard, "console")) == [["a"], ["b"]]
    assert all("could not be delivered" in one.message.change for one in sent(yard, "console"))
    assert {one.group_key for one in await yard.notifications() if one.fallback_for} == {None}


async def test_a_summary_takes_one_turn_of_its_channel_and_waits_as_a_whole(yard: Yard) -> None:
    await collect(yard, SLACK)
    await open_alerts(yard, "a", "b", "c")
    yard.clock.advance(WAIT)
    async with yard.ports.uow() as uow:
        (channel,) = {one.channel for one in await yard.notifications()}
        await uow.channel_health.hold(channel, now=yard.clock(), until=yard.clock() + 30 * SECOND)
    await run_delivery(yard.ports)
    assert sent(yard, "slack_bot") == []
    await pass_time(yard, 30 * SECOND)
    assert [about(one) for one in sent(yard, "slack_bot")] == [["a", "b", "c"]]


# ------------------------------------------------------------------------------------------- while it waits


async def test_a_raise_leaves_at_once_and_the_others_go_on_waiting(yard: Yard) -> None:
    await collect(yard, MAIL)
    await open_alerts(yard, "a", "b", "c")
    await act(yard, "b", Command.RAISE)
    assert [(about(one), one.action.value) for one in sent(yard, "email")] == [(["b"], "open"), (["b"], "raise")]
    await pass_time(yard, WAIT)
    assert [about(one) for one in sent(yard, "email")][2:] == [["a", "c"]]


async def test_what_somebody_takes_meanwhile_is_in_the_summary_as_taken_and_is_not_said_twice(yard: Yard) -> None:
    await collect(yard, SLACK)
    await open_alerts(yard, "a", "b")
    await act(yard, "a", Command.ACKNOWLEDGE)
    await pass_time(yard, WAIT)
    (summary,) = sent(yard, "slack_bot")
    assert listed(summary) == [("b", "warning, firing"), ("a", "warning, acknowledged by ann")]
    settled = [one for one in await yard.notifications() if one.action is Action.ACKNOWLEDGE]
    assert [(one.state, one.sent_with) for one in settled] == [(NotificationState.SENT, summary.id)]


async def test_what_is_over_meanwhile_is_in_the_summary_as_over_and_is_not_said_twice(yard: Yard) -> None:
    await collect(yard, MAIL)
    await open_alerts(yard, "a", "b")
    await act(yard, "a", Command.RESOLVE)
    await pass_time(yard, 2 * WAIT)
    (summary,) = sent(yard, "email")
    assert listed(summary) == [("b", "warning, firing"), ("a", "resolved by ann")]
    assert summary.message.headline == "2 alerts: 1 warning, 1 resolved"


@pytest.mark.parametrize("ids", [("a",), ("a", "b")])
async def test_when_all_is_over_before_anybody_was_told_nobody_is(yard: Yard, ids: Sequence[str]) -> None:
    await collect(yard, SLACK, MAIL)
    await open_alerts(yard, *ids)
    for id in ids:
        await act(yard, id, Command.RESOLVE)
    await pass_time(yard, 2 * WAIT)
    assert yard.channels.sent == []
    found = await yard.notifications()
    assert {(one.state, one.reason) for one in found} == {(NotificationState.SUPPRESSED, Reason.OVER)}
    assert len(found) == 4 * len(ids)
    await yard.minute()
    assert yard.channels.sent == []


async def test_what_may_have_been_told_is_told_to_its_end(yard: Yard) -> None:
    """After a failure nobody knows for sure that the channel said nothing."""
    await collect(yard, MAIL)
    await open_alerts(yard, "a", "b")
    yard.channels.refusals["email"] = BUSY
    await pass_time(yard, WAIT)
    yard.channels.refusals.clear()
    for id in ("a", "b"):
        await move(yard, id, Command.RESOLVE)
    await pass_time(yard, MINUTE)
    assert [one.message.headline for one in sent(yard, "email")] == ["2 alerts: all resolved"]


async def test_an_alert_that_stays_alone_tells_how_it_stands_by_then(yard: Yard) -> None:
    await collect(yard, SLACK)
    await open_alerts(yard, "a")
    await act(yard, "a", Command.ACKNOWLEDGE)
    await pass_time(yard, WAIT)
    (only,) = sent(yard, "slack_bot")
    assert (only.action, only.message.state) == (Action.OPEN, AlertState.ACKNOWLEDGED)


async def test_after_a_silence_what_was_held_back_is_collected(yard: Yard) -> None:
    await collect(yard, MAIL)
    now = yard.clock()
    quiet = Silence((Matcher("kind", Op.EQUAL, "budget"),), now, now + HOUR, "load test", "token:ann")
    await yard.create(Silences(), "quiet", quiet)
    await open_alerts(yard, "a", "b", "c")
    await act(yard, "c", Command.RAISE)
    yard.clock.advance(HOUR)
    await yard.minute()
    assert [about(one) for one in sent(yard, "email")] == [["c"]]
    await pass_time(yard, WAIT)
    assert [about(one) for one in sent(yard, "email")] == [["c"], ["a", "b"]]


# ------------------------------------------------------------------------------------------- afterwards


async def test_what_people_do_afterwards_edits_the_summary(yard: Yard) -> None:
    await posted(yard, "a", "b")
    await act(yard, "a", Command.ACKNOWLEDGE)
    await act(yard, "a", Command.RESOLVE)
    acknowledged, ended = sent(yard, "slack_bot")[1:]
    assert (acknowledged.action, acknowledged.post) == (Action.AMEND, "post-1")
    assert listed(acknowledged) == [("b", "warning, firing"), ("a", "warning, acknowledged by ann")]
    assert acknowledged.message.change.startswith("Acknowledged by ann: Budget eng monthly")
    assert (ended.action, ended.post) == (Action.RESOLVE, "post-1")
    assert listed(ended) == [("b", "warning, firing"), ("a", "resolved by ann")]
    await act(yard, "b", Command.RESOLVE)
    assert sent(yard, "slack_bot")[-1].message.headline == "2 alerts: all resolved"


async def test_a_raise_afterwards_is_a_post_of_its_own_and_both_are_kept_current(yard: Yard) -> None:
    await posted(yard, "a", "b")
    await act(yard, "a", Command.RAISE)
    raised = {one.action: one for one in sent(yard, "slack_bot")[1:]}
    assert (about(raised[Action.RAISE]), raised[Action.RAISE].post) == (["a"], None)
    assert (raised[Action.AMEND].post, listed(raised[Action.AMEND])[0]) == ("post-1", ("a", "critical, firing"))
    await act(yard, "a", Command.ACKNOWLEDGE)
    own, summary = sorted(sent(yard, "slack_bot")[3:], key=lambda one: len(one.message.listed))
    assert (about(own), own.post) == (["a"], f"post-{yard.channels.sent.index((SLACK, raised[Action.RAISE])) + 1}")
    assert (about(summary), summary.post) == (["a", "b"], "post-1")


async def test_edits_that_are_due_together_are_one(yard: Yard) -> None:
    ids = [f"alrt_{n:02}" for n in range(20)]
    await posted(yard, *ids)
    for id in ids:
        await move(yard, id, Command.ACKNOWLEDGE)
    await pass_time(yard, 5 * SECOND)
    assert len(sent(yard, "slack_bot")) == 2
    assert sent(yard, "slack_bot")[-1].message.state is AlertState.ACKNOWLEDGED
    assert {state for _, _, state in await states(yard)} == {"sent"}


async def test_of_two_edits_at_once_the_older_one_does_not_have_the_last_word(yard: Yard) -> None:
    """A worker is slow with its edit, while another one makes a newer one."""
    await posted(yard, "a", "b")
    await move(yard, "a", Command.ACKNOWLEDGE)

    async def overtake() -> None:
        await act(yard, "b", Command.RESOLVE)

    yard.channels.meanwhile = first_time(overtake)
    yard.clock.advance(SECOND)
    await run_delivery(yard.ports)
    await pass_time(yard, 5 * SECOND)
    edits = sent(yard, "slack_bot")[1:]
    now = [("a", "warning, acknowledged by ann"), ("b", "resolved by ann")]
    assert [listed(one) == now for one in edits] == [True, False, True]


async def test_a_channel_without_edits_is_told_of_each_end_in_the_summary_s_thread(yard: Yard) -> None:
    await collect(yard, MAIL)
    await open_alerts(yard, "a", "b")
    await pass_time(yard, WAIT)
    await act(yard, "a", Command.ACKNOWLEDGE)
    await act(yard, "a", Command.RESOLVE)
    assert [(about(one), one.action.value, one.post) for one in sent(yard, "email")] == [
        (["a", "b"], "open", None),
        (["a"], "resolve", "post-1"),
    ]


async def test_the_terminal_shows_the_summary_again(yard: Yard) -> None:
    await collect(yard, Console())
    await open_alerts(yard, "a", "b")
    await pass_time(yard, WAIT)
    await act(yard, "a", Command.ACKNOWLEDGE)
    assert [about(one) for one in sent(yard, "console")] == [["a", "b"]] * 2


async def test_what_waits_for_its_group_is_not_late(yard: Yard) -> None:
    await collect(yard, MAIL)
    await open_alerts(yard, "a", "b")
    async with yard.ports.uow() as uow:
        assert await uow.channel_health.dead_and_oldest() == (0, yard.clock() + WAIT)
