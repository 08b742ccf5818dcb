"""Notifying everybody who was notified of an alert before how it goes on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from service.domain.alerts.alert import FIRING_COMMANDS, AlertEvent, Command
from service.domain.notify.channels.registry import traits_of
from service.domain.notify.notification import Action, Notification, NotificationCause
from service.domain.notify.planning import Address, plan_notifications
from service.domain.notify.receivers import channel_key, find_channel
from service.domain.notify.routing.situation import Situation
from service.workflows.ports.notify import SummaryListing
from service.workflows.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Notified:
    """Who was notified of some alerts before, by alert id: (receiver id, channel key), and who by a summary."""

    channels: Mapping[str, Collection[tuple[str, str]]]
    listings: Mapping[str, Sequence[SummaryListing]]


async def read_notified(uow: UnitOfWork, alert_ids: Collection[str]) -> Notified:
    if not alert_ids:
        return Notified({}, {})
    return Notified(await uow.notified.of(alert_ids), await uow.groups.listings(alert_ids))


def follow_up(
    situation: Situation, event: AlertEvent, notified: Notified, *, besides: Collection[str] = ()
) -> list[Notification]:
    """The notifications of a move for the alert's notified channels, but for the channels `besides`."""
    addresses = find_addresses(situation, notified.channels[event.alert.id])
    return [
        *plan_notifications(event, [one for one in addresses if one.key not in besides]),
        *update_summaries(event, addresses, notified),
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


def update_summaries(event: AlertEvent, addresses: Iterable[Address], notified: Notified) -> list[Notification]:
    """The notifications that bring summaries up to date, where nothing else does.

    An alert without a message of its own needs none: what follows its opening edits the summary. An end is also said in
    a summary's thread; of all else an edit is enough.
    """
    listings = {
        (one.receiver_id, one.channel)
        for one in notified.listings[event.alert.id]
        if traits_of(one.channel).kept_current and (one.notified_alone or event.command in FIRING_COMMANDS)
    }
    command = Command.RESOLVE if event.command is Command.RESOLVE else Command.AMEND
    there = [one for one in addresses if (one.receiver_id, one.key) in listings]
    return plan_notifications(replace(event, command=command), there, cause=NotificationCause.SUMMARY)


async def queue(uow: UnitOfWork, now: datetime, notifications: Sequence[Notification]) -> None:
    """Stores notifications, and has them sent when they are due."""
    await store(uow, notifications)
    await schedule(uow, now, notifications)


async def store(uow: UnitOfWork, notifications: Sequence[Notification]) -> None:
    await uow.notifications.add_all(notifications)


async def schedule(uow: UnitOfWork, now: datetime, notifications: Iterable[Notification]) -> None:
    for due in sorted({max(now, one.due_at) for one in notifications}):
        await uow.jobs.deliver(due)
