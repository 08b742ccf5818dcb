"""Fallbacks: a call that its channel does not take goes to the default route's receiver, then to the console."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from service.domain.alerts.alert import AlertEvent, Command
from service.domain.notify.notification import FIRING_ACTIONS, Action, Notification, NotificationState
from service.domain.notify.planning import Address, plan_notifications
from service.domain.notify.receivers import channel_key
from service.domain.values.resources import new_id
from service.workflows.configuration.notify import route_table
from service.workflows.delivery.address import LAST_RESORT
from service.workflows.delivery.outcome import Outcome
from service.workflows.notify.circuits import refusing, resting
from service.workflows.ports.notify import NotificationFilter
from service.workflows.ports.unit_of_work import UnitOfWork

log = structlog.get_logger(__name__)

ANSWERS = frozenset({Command.ACKNOWLEDGE, Command.SNOOZE, Command.RESOLVE})
MOST_OF_AN_ALERT = 500


async def note_given_up(uow: UnitOfWork, outcome: Outcome, now: datetime) -> None:
    notification, failure = outcome.notification, outcome.blames
    if failure is not None and not await _is_sent(uow, notification):
        await uow.channel_health.note_dead(notification.receiver_id, notification.channel, failure.reason, at=now)


async def _is_sent(uow: UnitOfWork, notification: Notification) -> bool:
    """Whether a slow sender was overtaken: what another one has sent is not dead, and needs no fallback."""
    return (await uow.notifications.get(notification.id)).state is NotificationState.SENT


async def fall_back(uow: UnitOfWork, dead: Notification, now: datetime) -> None:
    """Queues a call's content for the default route's receiver, then for the console.

    Never in a circle: what was itself a fallback goes to the console, and what the console refuses is given up. A
    channel that was notified of the same thing is not notified twice. One that has the alert already gets a raise: of
    two openings there the first post would never be brought up to date again. An end is no call, and goes elsewhere
    where nobody has heard of the alert at all.
    """
    if dead.channel == LAST_RESORT or await _is_sent(uow, dead):
        return
    if dead.action not in FIRING_ACTIONS and not await _is_unheard_end(uow, dead):
        return
    added = dead.fallback_for is None and await _notify_default_receiver(uow, dead, now)
    if not added and not await _is_known_elsewhere(uow, dead):
        added = await uow.notifications.add(_instead(dead, "", LAST_RESORT, now))
    if added:
        log.warning("notification_fell_back", notification_id=dead.id, alert_id=dead.alert_id, channel=dead.channel)
        await uow.jobs.deliver(now)


async def fall_back_behind(uow: UnitOfWork, blocked: Notification, now: datetime) -> None:
    """The same for calls behind one that its channel does not take: they would be tried after it alone."""
    for call in reversed(await _calls(uow, blocked.alert_id)):
        waits = call.state is NotificationState.QUEUED and call.channel == blocked.channel
        if waits and call.id != blocked.id and not call.attempts:
            await fall_back(uow, call, now)


async def _notify_default_receiver(uow: UnitOfWork, dead: Notification, now: datetime) -> bool:
    """Reports what became of the alert since, too: else a page that is opened so late would never be closed."""
    added = False
    since, before = await _answers_since(uow, dead), (await uow.notified.calls([dead.alert_id]))[dead.alert_id]
    for address in await _default_channels(uow, now):
        calls = {call for channel, call in before if channel == address.key}
        instead = _instead(dead, address.receiver_id, address.key, now)
        call = replace(instead, action=Action.RAISE) if calls else instead
        if dead.call not in calls and await uow.notifications.add(call):
            added = True
            for notification in [one for event in since for one in plan_notifications(event, [address])]:
                await uow.notifications.add(notification)
    return added


def _instead(dead: Notification, receiver_id: str, channel: str, now: datetime) -> Notification:
    return replace(
        dead,
        id=new_id("ntf", now),
        receiver_id=receiver_id,
        channel=channel,
        state=NotificationState.QUEUED,
        created_at=now,
        due_at=now,
        attempts=(),
        fallback_for=dead.fallback_for or dead.id,
        group_key=None,
    )


async def _answers_since(uow: UnitOfWork, dead: Notification) -> list[AlertEvent]:
    """The answers of people to the alert, or its end, while the call was on its way."""
    events = await uow.alerts.events(dead.alert_id)
    return [one for one in events if one.alert.version > dead.alert_version and one.command in ANSWERS]


async def _default_channels(uow: UnitOfWork, now: datetime) -> Sequence[Address]:
    table = await route_table(uow)
    if table is None:
        return ()
    receiver = await uow.receivers.get(table.spec.items[-1].receiver_id)
    closed = await resting(uow, now)
    addresses = [Address(receiver.id, channel_key(channel), channel) for channel in receiver.spec.channels]
    return [address for address in addresses if (address.receiver_id, address.key) not in closed]


async def _is_unheard_end(uow: UnitOfWork, dead: Notification) -> bool:
    """Whether an end is the first that anybody would hear of its alert: the calls came to nothing while it fired."""
    is_end = dead.action is Action.RESOLVE
    return is_end and not any(one.state is NotificationState.SENT for one in await _calls(uow, dead.alert_id))


async def _calls(uow: UnitOfWork, alert_id: str) -> list[Notification]:
    page = await uow.notifications.page(NotificationFilter((alert_id,)), limit=MOST_OF_AN_ALERT, cursor=None)
    return [one for one in page.items if one.action in FIRING_ACTIONS]


async def _is_known_elsewhere(uow: UnitOfWork, dead: Notification) -> bool:
    """Whether another channel has taken the same call, or still may: it refuses no messages."""
    same = [one for one in await _calls(uow, dead.alert_id) if one.call == dead.call and one.id != dead.id]
    closed = await refusing(uow)
    return any(
        one.state is NotificationState.SENT
        or (one.state is NotificationState.QUEUED and (one.receiver_id, one.channel) not in closed)
        for one in same
    )
