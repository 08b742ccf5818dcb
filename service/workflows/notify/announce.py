"""Saying what an alert's moves are, to whom the routes lead, unless something holds it back."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from service.domain.alerts.alert import AlertEvent, Command
from service.domain.notify.notification import Action, Notification
from service.domain.notify.planning import Address, plan_notifications
from service.domain.notify.receivers import channel_key, find_channel
from service.domain.notify.routing.again import settled
from service.domain.notify.routing.pipeline import enqueue
from service.workflows.notify.escalate import schedule_steps
from service.workflows.notify.gather import RINGING, gather, mends, places_to_mend
from service.workflows.notify.routing import plan
from service.workflows.ports.unit_of_work import UnitOfWork


async def announce(uow: UnitOfWork, event: AlertEvent, *, besides: Collection[str] = ()) -> None:
    """Queues what an alert's move says, in the move's own transaction.

    A ring goes where the routes lead now; what follows it goes to everybody who has been rung for the alert,
    but for the channels `besides`, which have been told already.
    """
    places, rings = await places_to_mend(uow, event), event.command in RINGING
    told = await _told(uow, event.alert.id) if places or not rings else []
    if rings:
        await _ring(uow, event)
    else:
        await queue(uow, event.at, plan_notifications(event, [one for one in told if one.key not in besides]))
    if places:
        await queue(uow, event.at, mends(event, told, places))


async def _ring(uow: UnitOfWork, event: AlertEvent) -> None:
    """A channel that rings now has nothing to catch up on: it hears how things stand."""
    alert_id = event.alert.id
    planned = await plan(uow, event.alert, event.at)
    told = {key for _, key in await uow.notified.of(alert_id)}
    held = await uow.notified.held_back(alert_id)
    await uow.notified.settle(alert_id, settled(planned, held), event.at)
    notifications = enqueue(event, planned, unheard={one.channel for one in held} - told)
    if event.command is Command.OPEN:  # a raise never waits, and opens the alert for whoever has not heard of it
        notifications = await gather(uow, planned, notifications, event.at)
    await queue(uow, event.at, notifications)
    for chain in planned.policies:
        await schedule_steps(uow, event, chain.policy_id, chain=event)


async def queue(uow: UnitOfWork, now: datetime, notifications: list[Notification]) -> None:
    """Stores what is to be sent, and has it sent when it is due."""
    for notification in notifications:
        await uow.notifications.add(notification)
    for due in sorted({max(now, one.due_at) for one in notifications}):
        await uow.jobs.deliver(due)


async def _told(uow: UnitOfWork, alert_id: str) -> list[Address]:
    """Everybody who was rung.

    A channel whose address changed in between was rung under two keys. It is told once, unless it can edit: then each
    of its posts is brought up to date.
    """
    receivers = {receiver.id: receiver.spec for receiver in await uow.receivers.all()}
    told = await uow.notified.of(alert_id)
    addresses = []
    for receiver_id, key in told:
        channel = find_channel(receivers[receiver_id], key) if receiver_id in receivers else None
        if channel is None:
            continue
        own_key = channel_key(channel)
        if own_key == key or Action.AMEND in channel.traits.actions or (receiver_id, own_key) not in told:
            addresses.append(Address(receiver_id, key, channel))
    return addresses
