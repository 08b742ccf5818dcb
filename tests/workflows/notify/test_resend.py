"""What an Alertmanager was told is told again every minute, past the notifications, until shortly after its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from service.domain.alerts.alert import AlertEvent, AlertState
from service.domain.notify.channels.alertmanager import Alertmanager
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import Action, Delivery, NotificationState
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.silences import Silence
from service.domain.values.severity import Severity
from service.workflows.configuration.notify import Receivers, Silences
from service.workflows.notify.circuits import refuse
from service.workflows.notify.resend import run_resend
from service.workflows.ports.channels import DeliveryError
from tests.sample_alerts import ALERT, OPENED_EVENT, RAISED_EVENT, RESOLVED_EVENT, RESTATED_EVENT
from tests.workflows.yard import HOUR, MINUTE, Yard, announce_one

MEMBERS = Alertmanager(("http://am-1.example:9093", "http://am-2.example:9093"))
WARNING = replace(OPENED_EVENT, alert=replace(OPENED_EVENT.alert, severity=Severity.WARNING))
SECOND = timedelta(seconds=1)


async def tell(yard: Yard, event: AlertEvent = OPENED_EVENT, version: int = 1) -> None:
    """An alert's move, told to the channels that take it."""
    now = yard.clock()
    moved = replace(event, at=now, alert=replace(event.alert, version=version, changed_at=now))
    async with yard.ports.uow() as uow:
        await uow.alerts.save(moved)
        await announce_one(uow, moved)
    await yard.settle()


async def repeated(yard: Yard, *, after: timedelta = MINUTE) -> list[Delivery]:
    """What the next repetition sends."""
    yard.clock.advance(after)
    before = len(yard.channels.sent)
    await run_resend(yard.ports)
    sent = yard.channels.sent[before:]
    assert {config for config, _ in sent} <= {MEMBERS}
    return [delivery for _, delivery in sent]


async def test_an_open_alert_is_told_again_with_its_post_and_nothing_is_written(yard: Yard) -> None:
    await yard.receive_with(MEMBERS, Console(), Email(("finops@example.com",)))
    await tell(yard)
    (told,) = [delivery for config, delivery in yard.channels.sent if config == MEMBERS]
    before = await yard.rows("notifications", "posts", "alerts", "alert_events")
    (first,) = await repeated(yard)
    (second,) = await repeated(yard)
    assert (first.message, first.action) == (told.message, Action.OPEN)
    assert first.post is not None
    assert first.post == second.post
    assert (first.at, second.at) == (told.at + MINUTE, told.at + 2 * MINUTE)
    assert await yard.rows("notifications", "posts", "alerts", "alert_events") == before


async def test_it_is_told_again_as_it_stands_by_now(yard: Yard) -> None:
    await yard.receive_with(MEMBERS)
    await tell(yard)
    yard.clock.advance(HOUR)
    await tell(yard, RESTATED_EVENT, version=2)
    (again,) = await repeated(yard)
    assert again.message == yard.channels.sent[1][1].message
    assert "9.80" in again.message.headline


async def test_a_raise_that_was_held_back_is_not_told_by_way_of_a_repetition(yard: Yard) -> None:
    await yard.receive_with(MEMBERS)
    await tell(yard, WARNING)
    now = yard.clock()
    silence = Silence((Matcher("kind", Op.EQUAL, "budget"),), now, now + HOUR, "load test", "token:ann")
    await yard.create(Silences(), "quiet", silence)
    yard.clock.advance(MINUTE)
    await tell(yard, RAISED_EVENT, version=2)
    assert [one.state for one in await yard.notifications()] == [NotificationState.SENT, NotificationState.SUPPRESSED]
    (again,) = await repeated(yard)
    assert again.message.severity is Severity.WARNING


async def test_an_end_is_told_again_for_five_minutes_at_its_own_time(yard: Yard) -> None:
    await yard.receive_with(MEMBERS)
    await tell(yard)
    yard.clock.advance(HOUR)
    await tell(yard, RESOLVED_EVENT, version=2)
    ended = yard.clock()
    for _ in range(4):
        (again,) = await repeated(yard)
        assert (again.action, again.message.state, again.at) == (Action.RESOLVE, AlertState.RESOLVED, ended)
    assert await repeated(yard) == []


async def test_an_end_that_waits_in_the_queue_is_told_in_time(yard: Yard) -> None:
    """And never before what it ends: an Alertmanager refuses that."""
    await yard.receive_with(MEMBERS)
    await tell(yard)
    sent_at = yard.clock()
    yard.channels.refusals["alertmanager"] = DeliveryError("busy")
    yard.clock.advance(-SECOND)
    await tell(yard, RESOLVED_EVENT, version=2)
    yard.channels.refusals.clear()
    (again,) = await repeated(yard, after=2 * SECOND)
    assert (again.message.state, again.at) == (AlertState.RESOLVED, sent_at)


async def test_what_was_never_taken_is_left_to_the_queue(yard: Yard) -> None:
    await yard.receive_with(MEMBERS)
    yard.channels.refusals["alertmanager"] = DeliveryError("busy")
    await tell(yard)
    yard.channels.refusals.clear()
    assert await repeated(yard) == []


async def test_a_failure_is_left_to_the_next_minute_and_closes_no_channel(yard: Yard) -> None:
    await yard.receive_with(MEMBERS)
    await tell(yard)
    yard.channels.refusals["alertmanager"] = DeliveryError("HTTP 400", Concern.CHANNEL)
    assert await repeated(yard) == []
    yard.channels.refusals.clear()
    assert len(await repeated(yard)) == 1
    async with yard.ports.uow() as uow:
        assert await uow.channel_health.failing() == []


async def test_a_channel_that_rests_or_is_gone_hears_no_more(yard: Yard) -> None:
    await yard.receive_with(MEMBERS, Console())
    await tell(yard)
    (notification, _) = await yard.notifications()
    async with yard.ports.uow() as uow:
        place, now = (yard.receiver.id, notification.channel), yard.clock()
        await refuse(uow, *place, DeliveryError("HTTP 404", Concern.CHANNEL), now + MINUTE)
    assert await repeated(yard) == []
    await yard.receive_with(Console())
    assert await repeated(yard) == []


async def test_an_address_that_was_edited_is_told_once_by_its_newest_post(yard: Yard) -> None:
    await yard.receive_with(replace(MEMBERS, urls=MEMBERS.urls[:1]))
    await tell(yard, WARNING)
    await yard.receive_with(MEMBERS)
    await tell(yard, RAISED_EVENT, version=2)
    (again,) = await repeated(yard)
    assert again.message.severity is Severity.CRITICAL
    assert again.post == "post-2"


async def test_every_alert_of_every_receiver_is_told_again(yard: Yard) -> None:
    await yard.receive_with(MEMBERS)
    await tell(yard)
    other = replace(ALERT, id=f"{ALERT.id[:-1]}8", fingerprint="budget:bdg_2")
    await tell(yard, replace(OPENED_EVENT, alert=other))
    await yard.create(Receivers(), "unrelated", Receiver((Alertmanager(("http://am-3.example",)),)))
    assert {one.message.alert_id for one in await repeated(yard)} == {ALERT.id, other.id}


async def test_a_channel_that_raises_what_nobody_foresaw_holds_up_no_other(yard: Yard) -> None:
    other = Alertmanager(("http://am-3.example:9093",))
    await yard.receive_with(MEMBERS, other)
    await tell(yard)

    async def stumble(config: ChannelConfig) -> None:
        if config == MEMBERS:
            raise KeyError("a secret")

    yard.channels.meanwhile = stumble
    yard.clock.advance(MINUTE)
    before = len(yard.channels.sent)
    assert await run_resend(yard.ports) == 1
    assert [config for config, _ in yard.channels.sent[before:]] == [other]
