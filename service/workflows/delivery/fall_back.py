"""What becomes of a message that its channel will never take: somebody else is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import structlog

from service.domain.alerts.alert import AlertEvent, Command
from service.domain.notify.notification import Action, Notification, NotificationState
from service.domain.notify.planning import Address, plan_notifications
from service.domain.notify.receivers import channel_key
from service.domain.values.resources import new_id
from service.workflows.configuration.notify import route_table
from service.workflows.ports.notify import NotificationFilter
from service.workflows.ports.unit_of_work import UnitOfWork

log = structlog.get_logger(__name__)

LAST_RESORT = "console:last_resort"
"""The worker's own output: a channel without a receiver, for calls that nothing else would take."""
CALLS = frozenset({Action.OPEN, Action.RAISE})
ANSWERS = frozenset({Command.ACKNOWLEDGE, Command.SNOOZE, Command.RESOLVE})
MOST_OF_AN_ALERT = 500


async def hold_alert(uow: UnitOfWork, dead: Notification) -> None:
    """Keeps people's answers until the transaction ends: one comes before the fallback, which then tells of it, or
    after it, and is told to whom it fell back.

    The alert comes before its notifications, as where an alert moves: else the two could wait for each other.
    """
    await uow.alerts.lock(dead.alert_id)


async def fall_back(uow: UnitOfWork, dead: Notification, now: datetime) -> None:
    """Queues a dead call's content for the default route's receiver, then for the console.

    Never in a circle: what was itself a fallback goes to the console, and what the console refuses is given up. A
    channel that has been told of the same thing is not told twice. What has become of the alert since, it is told, too:
    else a page that is opened so late would never be closed.
    """
    if dead.action not in CALLS or dead.channel == LAST_RESORT:
        return
    added = False
    if dead.fallback_for is None:
        since = await _answers_since(uow, dead)
        for address in await _default_channels(uow):
            if await uow.notifications.add(_again(dead, address.receiver_id, address.key, now)):
                added = True
                for notification in [one for event in since for one in plan_notifications(event, [address])]:
                    await uow.notifications.add(notification)
    if not added and not await _is_known_elsewhere(uow, dead):
        added = await uow.notifications.add(_again(dead, "", LAST_RESORT, now))
    if added:
        log.warning("notification_fell_back", notification_id=dead.id, channel=dead.channel)
        await uow.jobs.deliver(now)


def _again(dead: Notification, receiver_id: str, channel: str, now: datetime) -> Notification:
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
    """What people did about the alert, or its end, while the call was on its way."""
    events = await uow.alerts.events(dead.alert_id)
    return [one for one in events if one.alert.version > dead.alert_version and one.command in ANSWERS]


async def _default_channels(uow: UnitOfWork) -> list[Address]:
    table = await route_table(uow)
    if table is None:
        return []
    receiver = await uow.receivers.get(table.spec.items[-1].receiver_id)
    disabled = {
        one.channel
        for one in await uow.channel_health.failing()
        if one.receiver_id == receiver.id and one.disabled_at is not None
    }
    addresses = [Address(receiver.id, channel_key(channel), channel) for channel in receiver.spec.channels]
    return [address for address in addresses if address.key not in disabled]


async def _is_known_elsewhere(uow: UnitOfWork, dead: Notification) -> bool:
    """Whether another channel has taken the same call, or still may."""
    page = await uow.notifications.page(NotificationFilter(dead.alert_id), limit=MOST_OF_AN_ALERT, cursor=None)
    return any(_is_same_call(one, dead) for one in _alive(page.items))


def _alive(notifications: Iterable[Notification]) -> list[Notification]:
    return [one for one in notifications if one.state in (NotificationState.QUEUED, NotificationState.SENT)]


def _is_same_call(one: Notification, dead: Notification) -> bool:
    return (one.level, one.action, one.step, one.round) == (dead.level, dead.action, dead.step, dead.round)
