"""A channel that refuses rests, is probed, and takes all that waited; nothing disables it for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from service.domain.alerts.alert import Reason
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.webhook import Webhook
from service.domain.notify.circuits import LONGEST_REST, Concern
from service.domain.notify.notification import Action, NotificationState
from service.domain.notify.receivers import Receiver
from service.workflows.configuration.notify import Receivers
from service.workflows.configuration.probe import run_test_receiver
from service.workflows.delivery.deliver import run_delivery
from service.workflows.ports.channels import DeliveryError
from tests.factories import SEALED
from tests.sample_alerts import ACKNOWLEDGED_EVENT, ALERT, RAISED_EVENT, RESOLVED_EVENT
from tests.workflows.delivery.sending import (
    BUSY,
    DEAD,
    GONE,
    PAGER,
    QUEUED,
    REVOKED,
    SECOND,
    SENT,
    SLACK,
    UNFIT,
    announce,
    failing,
    open_alert,
    own,
    raise_it,
    route_apart,
    sent_to,
)
from tests.workflows.yard import MINUTE, Yard

SECOND_ALERT = replace(ALERT, id="alrt_1", fingerprint="budget:1")
HOOK = Webhook("https://hook.example/1", SEALED)


async def refuse_all(yard: Yard, error: DeliveryError = GONE, *, alerts: int = 1) -> None:
    """Alerts of a receiver of their own, whose channel refuses every message."""
    await route_apart(yard, HOOK)
    yard.channels.refusals["webhook"] = error
    for number in range(1, alerts + 1):
        await open_alert(yard, number)
    await yard.settle()


async def deliver(yard: Yard, *, after: timedelta = timedelta()) -> None:
    """What is due by then leaves, and what follows from it."""
    yard.clock.advance(after)
    await run_delivery(yard.ports)
    await yard.settle()


async def tries(yard: Yard) -> int:
    return sum(len([try_ for try_ in one.attempts if try_.outcome == "failed"]) for one in await own(yard))


@pytest.mark.parametrize("error", [GONE, REVOKED], ids=["channel", "credential"])
async def test_four_openings_that_meet_a_restart_reach_somebody_and_then_their_channel(
    yard: Yard, error: DeliveryError
) -> None:
    alerts = [f"alrt_{number}" for number in range(1, 5)]
    await refuse_all(yard, error, alerts=4)
    assert sorted(sent_to(yard, "console")) == alerts
    assert {one.state for one in await own(yard)} == {QUEUED}
    yard.channels.refusals.clear()
    await deliver(yard, after=15 * SECOND)
    assert sorted(sent_to(yard, "webhook")) == alerts
    assert await failing(yard) == []
    assert sorted(sent_to(yard, "console")) == alerts


async def test_while_it_rests_nothing_is_sent_and_the_message_says_why(yard: Yard) -> None:
    await refuse_all(yard)
    yard.clock.advance(10 * SECOND)
    await open_alert(yard, 2)
    await yard.settle()
    _, second = await own(yard)
    (attempt,) = second.attempts
    assert (attempt.outcome, second.due_at) == ("waiting", yard.clock() + 5 * SECOND)
    assert attempt.detail.startswith("channel_not_found (the answer to an earlier message; next try")
    assert await tries(yard) == 1
    assert sent_to(yard, "console") == ["alrt_1", "alrt_2"]


async def test_one_message_probes_and_the_rests_grow_to_minutes(yard: Yard) -> None:
    await refuse_all(yard, alerts=3)
    rests = []
    for probes in range(2, 9):
        (channel,) = await failing(yard)
        assert channel.next_try is not None
        rests.append(channel.next_try - yard.clock())
        before = await tries(yard)
        await deliver(yard, after=channel.next_try - yard.clock())
        assert await tries(yard) == before + 1
        assert (await failing(yard))[0].refusals == probes
    assert rests[:4] == [15 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE]
    assert rests[-1] == LONGEST_REST


async def test_the_next_message_probes_once_the_rest_is_over(yard: Yard) -> None:
    await refuse_all(yard)
    yard.channels.refusals.clear()
    yard.clock.advance(15 * SECOND)
    await open_alert(yard, 2)
    await yard.settle()
    assert sorted(sent_to(yard, "webhook")) == ["alrt_1", "alrt_2"]


async def test_a_probe_that_finds_the_channel_busy_keeps_why_it_rests(yard: Yard) -> None:
    await refuse_all(yard)
    yard.channels.refusals["webhook"] = BUSY
    await deliver(yard, after=15 * SECOND)
    (channel,) = await failing(yard)
    assert (channel.error, channel.concerns, channel.refusals) == ("channel_not_found", Concern.CHANNEL, 2)


async def test_what_is_given_up_meanwhile_does_not_hide_why_it_rests(yard: Yard) -> None:
    await refuse_all(yard)
    (channel,) = await failing(yard)
    async with yard.ports.uow() as uow:
        await uow.channel_health.note_dead(channel.receiver_id, channel.channel, "too long", at=yard.clock())
    assert [(one.error, one.dead) for one in await failing(yard)] == [("channel_not_found", 1)]


async def test_one_refusal_is_no_alert_and_the_second_is(yard: Yard) -> None:
    await refuse_all(yard, alerts=4)
    await yard.minute()
    assert [one.kind for one in await yard.alerts() if one.kind == "undelivered"] == []
    await deliver(yard, after=15 * SECOND)
    await yard.minute()
    (alert,) = [delivery for _, delivery in yard.channels.sent if delivery.message.kind == "undelivered"]
    assert alert.message.headline.startswith("4 messages did not reach receiver eng: ")


async def test_a_message_of_a_wrong_form_fails_alone(yard: Yard) -> None:
    await refuse_all(yard, UNFIT)
    assert [one.state for one in await own(yard)] == [DEAD]
    assert sent_to(yard, "console") == ["alrt_1"]
    (channel,) = await failing(yard)
    assert channel.next_try is None
    yard.channels.refusals.clear()
    await open_alert(yard, 2)
    await yard.settle()
    assert sent_to(yard, "webhook") == ["alrt_2"]


async def test_the_only_channel_of_the_default_route_is_always_tried(yard: Yard) -> None:
    await yard.receive_with(HOOK)
    yard.channels.refusals["webhook"] = GONE
    await open_alert(yard)
    await yard.settle()
    yard.channels.refusals.clear()
    await open_alert(yard, 2)
    await yard.settle()
    assert "alrt_2" in sent_to(yard, "webhook")


async def test_two_channels_that_refuse_do_not_take_each_other_for_well(yard: Yard) -> None:
    await yard.receive_with(SLACK, HOOK)
    yard.channels.refusals |= {"slack_bot": GONE, "webhook": REVOKED}
    await open_alert(yard)
    await yard.settle()
    assert sent_to(yard, "console") == ["alrt_1"]


@pytest.mark.parametrize("channel", [replace(HOOK, previous_secret=SEALED), HOOK], ids=["edit", "test"])
async def test_an_edit_or_a_good_test_ends_the_rest_of_what_waits(yard: Yard, channel: ChannelConfig) -> None:
    await refuse_all(yard)
    yard.channels.refusals.clear()
    async with yard.ports.uow() as uow:
        eng = await uow.receivers.get("eng")
    if channel == HOOK:
        await run_test_receiver(yard.ports, "eng", yard.author)
    else:
        await yard.change(Receivers(), eng, Receiver((channel,)))
    await open_alert(yard, 2)
    await yard.settle()
    assert "alrt_2" in sent_to(yard, "webhook")
    assert await failing(yard) == []


async def test_a_bad_test_ends_no_rest(yard: Yard) -> None:
    await refuse_all(yard)
    await run_test_receiver(yard.ports, "eng", yard.author)
    assert len(await failing(yard)) == 1


async def test_what_the_previous_release_disabled_is_tried(yard: Yard) -> None:
    await refuse_all(yard)
    async with yard.engine.begin() as connection:
        await connection.execute(
            text("UPDATE failing_channels SET disabled_at = now(), next_try = NULL, concerns = NULL, refusals = 0")
        )
    yard.channels.refusals.clear()
    await open_alert(yard, 2)
    await yard.settle()
    assert sent_to(yard, "webhook") == ["alrt_2"]
    assert {one.state for one in await own(yard)} >= {SENT}


async def acted_on(yard: Yard) -> list[Action]:
    """What the channel was sent, in order."""
    return [delivery.action for config, delivery in yard.channels.sent if config == HOOK]


async def test_of_an_alert_that_ended_while_its_channel_rested_the_end_alone_is_sent(yard: Yard) -> None:
    """Whoever is woken by a call at five for what was over at two turns the channel off."""
    await refuse_all(yard)
    await raise_it(yard, SECOND_ALERT)
    await announce(yard, replace(RESOLVED_EVENT, alert=replace(RESOLVED_EVENT.alert, id="alrt_1", version=3)))
    yard.channels.refusals.clear()
    await deliver(yard, after=15 * SECOND)
    assert await acted_on(yard) == [Action.RESOLVE]
    states = {one.action: (one.state, one.reason) for one in await own(yard)}
    assert states[Action.OPEN] == states[Action.RAISE] == (NotificationState.SUPPRESSED, Reason.OVER)
    assert await failing(yard) == []


@pytest.mark.parametrize("error", [GONE, BUSY], ids=["rests", "was away"])
async def test_a_raise_that_waited_is_not_said_of_an_alert_that_is_over(yard: Yard, error: DeliveryError) -> None:
    await route_apart(yard, HOOK)
    await open_alert(yard)
    await yard.settle()
    yard.channels.refusals["webhook"] = error
    await raise_it(yard, SECOND_ALERT)
    await yard.settle()
    await announce(yard, replace(RESOLVED_EVENT, alert=replace(RESOLVED_EVENT.alert, id="alrt_1", version=3)))
    yard.channels.refusals.clear()
    await deliver(yard, after=MINUTE)
    assert await acted_on(yard) == [Action.OPEN, Action.RESOLVE]


async def test_of_raises_that_waited_behind_an_opening_the_last_one_is_made(yard: Yard) -> None:
    """Six steps of a policy called into a channel that was away: its people are pinged twice, and not seven times."""
    await refuse_all(yard)
    for version in range(2, 8):
        raised = replace(RAISED_EVENT, alert=replace(RAISED_EVENT.alert, id="alrt_1", version=version))
        await announce(yard, raised)
    yard.channels.refusals.clear()
    await deliver(yard, after=MINUTE)
    assert await acted_on(yard) == [Action.OPEN, Action.RAISE]
    assert [delivery.message.version for config, delivery in yard.channels.sent if config == HOOK] == [1, 7]
    assert {one.reason for one in await own(yard) if one.state is not SENT} == {Reason.NOTHING_NEW}
    assert await failing(yard) == []


async def test_a_raise_behind_an_opening_that_waits_reaches_somebody_at_once(yard: Yard) -> None:
    """It got critical while its channel is away: whoever stands in for that is told so now, not when it is back."""
    await refuse_all(yard)
    assert sent_to(yard, "console") == ["alrt_1"]
    yard.clock.advance(MINUTE)
    await raise_it(yard, SECOND_ALERT)
    await yard.settle()
    console = [delivery for config, delivery in yard.channels.sent if config.kind == "console"]
    assert [one.action for one in console] == [Action.OPEN, Action.RAISE]
    assert "could not be delivered to" in console[1].message.change
    assert "an earlier message still waits there." in console[1].message.change
    await yard.minute()
    yard.clock.advance(MINUTE)
    await yard.minute()
    assert sent_to(yard, "console").count("alrt_1") == 2, "once each"


@pytest.mark.parametrize("error", [GONE, BUSY], ids=["rests", "was away"])
async def test_an_on_call_tool_that_was_away_pages_nobody_for_what_somebody_has(
    yard: Yard, error: DeliveryError
) -> None:
    await route_apart(yard, PAGER, SLACK)
    yard.channels.refusals["pagerduty"] = error
    await open_alert(yard)
    await yard.settle()
    taken = replace(ACKNOWLEDGED_EVENT.alert, id="alrt_1", version=2)
    await announce(yard, replace(ACKNOWLEDGED_EVENT, alert=taken))
    await yard.settle()
    yard.channels.refusals.clear()
    await deliver(yard, after=MINUTE)
    paged = [delivery.action for config, delivery in yard.channels.sent if config == PAGER]
    assert paged == [Action.ACKNOWLEDGE]
    worse = replace(RAISED_EVENT.alert, id="alrt_1", version=3)
    await announce(yard, replace(RAISED_EVENT, alert=worse))
    await deliver(yard, after=MINUTE)
    assert [delivery.action for config, delivery in yard.channels.sent if config == PAGER][1:] == [Action.RAISE]


@pytest.mark.parametrize("is_back", [True, False], ids=["after it was back", "while it was away"])
async def test_an_on_call_tool_that_heard_of_an_answer_alone_hears_of_the_end(yard: Yard, is_back: bool) -> None:
    """It may have taken the call whose answer was lost: its incident must not stay open."""
    await route_apart(yard, PAGER, SLACK)
    yard.channels.refusals["pagerduty"] = BUSY
    await open_alert(yard)
    await yard.settle()
    taken = replace(ACKNOWLEDGED_EVENT.alert, id="alrt_1", version=2)
    await announce(yard, replace(ACKNOWLEDGED_EVENT, alert=taken))
    await deliver(yard, after=MINUTE)
    if is_back:
        yard.channels.refusals.clear()
        await deliver(yard, after=MINUTE)
    await announce(yard, replace(RESOLVED_EVENT, alert=replace(RESOLVED_EVENT.alert, id="alrt_1", version=3)))
    yard.channels.refusals.clear()
    await deliver(yard, after=MINUTE)
    await deliver(yard, after=MINUTE)
    assert [one.action for to, one in yard.channels.sent if to == PAGER] == [Action.ACKNOWLEDGE, Action.RESOLVE]
