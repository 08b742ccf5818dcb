"""Notifying everybody who was notified of an alert before how it goes on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from service.domain.alerts.alert import FIRING_COMMANDS, AlertEvent, Command
from service.domain.notify.channels.registry import traits_of
from service.domain.notify.notification import Action, Notification, NotificationCause
from service.domain.notify.planning import Address, plan_notifications
from service.domain.notify.receivers import channel_key, find_channel
from service.domain.notify.routing.situation import Situation
from service.workflows.ports.unit_of_work import UnitOfWork


async def follow_up(
    uow: UnitOfWork, situation: Situation, event: AlertEvent, *, besides: Collection[str] = ()
) -> list[Notification]:
    """The notifications of a move for the alert's notified channels, but for the channels `besides`."""
    addresses = find_addresses(situation, await uow.notified.of(event.alert.id))
    return [
        *plan_notifications(event, [one for one in addresses if one.key not in besides]),
        *await update_summaries(uow, event, addresses),
    ]


def find_addresses(situation: Situation, notified: Collection[tuple[str, str]]) -> list[Address]:
    """Where the notified channels, by (receiver id, channel key), are reached now.

    A channel whose address changed in between was notified under two keys. It is notified once, unless it can edit:
    then each of its posts is brought up to date.
    """
    receivers = situation.configuration.receivers
    addresses = []
    for receiver_id, key in notified:
        channel = find_channel(receivers[receiver_id].spec, key) if receiver_id in receivers else None
        if channel is None:
            continue
        own_key = channel_key(channel)
        if own_key == key or Action.AMEND in channel.traits.actions or (receiver_id, own_key) not in notified:
            addresses.append(Address(receiver_id, key, channel))
    return addresses


async def update_summaries(uow: UnitOfWork, event: AlertEvent, addresses: Iterable[Address]) -> list[Notification]:
    """The notifications that bring summaries up to date, where nothing else does.

    An alert without a message of its own needs none: what follows its opening edits the summary. An end is also said in
    a summary's thread; of all else an edit is enough.
    """
    listings = {
        (one.receiver_id, one.channel)
        for one in await uow.groups.listings(event.alert.id)
        if traits_of(one.channel).kept_current and (one.notified_alone or event.command in FIRING_COMMANDS)
    }
    command = Command.RESOLVE if event.command is Command.RESOLVE else Command.AMEND
    there = [one for one in addresses if (one.receiver_id, one.key) in listings]
    return plan_notifications(replace(event, command=command), there, cause=NotificationCause.SUMMARY)


async def queue(uow: UnitOfWork, now: datetime, notifications: Sequence[Notification]) -> None:
    """Stores notifications, and has them sent when they are due."""
    await store(uow, notifications)
    await schedule(uow, now, notifications)


async def store(uow: UnitOfWork, notifications: Iterable[Notification]) -> None:
    for notification in notifications:
        await uow.notifications.add(notification)


async def schedule(uow: UnitOfWork, now: datetime, notifications: Iterable[Notification]) -> None:
    for due in sorted({max(now, one.due_at) for one in notifications}):
        await uow.jobs.deliver(due)
