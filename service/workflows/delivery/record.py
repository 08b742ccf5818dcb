"""Recording what became of deliveries, in the circuits of their channels, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from service.domain.alerts.alert import AlertEvent
from service.domain.notify.circuits import Concern, said_of_addresses
from service.domain.notify.notification import (
    LONGEST_RETRY,
    Action,
    Notification,
    NotificationCause,
    NotificationState,
    Receipt,
    after_taking,
    alike,
)
from service.domain.values.resources import new_id
from service.workflows.delivery.batch import Batch
from service.workflows.delivery.fallback import fall_back, fall_back_behind, note_given_up
from service.workflows.delivery.outcome import Outcome
from service.workflows.notify.circuits import ChannelRests, close, close_all, close_remainder, refuse, rest_ends
from service.workflows.ports.notify import DueNotification, Saved
from service.workflows.ports.outages import Outages
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


async def run_keep(ports: Ports, batch: Batch, receipt: Receipt) -> None:
    """Stores the receipt the moment it is known: whoever goes on with the message must not send it again."""
    now = ports.clock()
    async with ports.uow() as uow:
        for due in batch.notifications:
            taken = after_taking(due.notification, receipt, now)
            kept = replace(taken, sent_with=batch.summary_id or taken.sent_with)
            await uow.notifications.keep(kept, post=receipt.post)


async def run_record_together(ports: Ports, outcomes: Sequence[Outcome]) -> set[str]:
    """Records messages about one alert each that their channels took, by one commit.

    Returns the ids of those that are on record: one that somebody else is changing is not.
    """
    async with ports.uow() as uow:
        recorded = await uow.notifications.save_free([Saved(one.notification, one.post) for one in outcomes])
        said = [one.notification for one in outcomes if one.notification.id in recorded]
        await close_all(uow, {(one.receiver_id, one.channel) for one in said}, ports.clock())
    for outcome in outcomes:
        _note_channel(ports.outages, outcome)
    return recorded


async def run_record(ports: Ports, batch: Batch, outcome: Outcome) -> None:
    """Records the outcome for every notification of the batch, and logs how its channel fares."""
    _note_channel(ports.outages, outcome)
    if outcome.is_sent:
        async with ports.uow() as uow:
            await _record_sent(uow, batch, outcome, ports.clock())
        return
    # One alert after the other: whoever gives up a call locks its alert, and must not lock two.
    for due in batch.notifications:
        async with ports.uow() as uow:
            await _record(uow, _of(outcome, due, batch), ports.clock())


def _note_channel(outages: Outages, outcome: Outcome) -> None:
    system = f"channel {outcome.notification.channel}"
    if outcome.is_sent:
        outages.worked(system)
    elif outcome.blames is not None:
        outages.failed(system, outcome.blames.reason)


def _of(outcome: Outcome, due: DueNotification, batch: Batch) -> Outcome:
    if due is batch.head:
        return outcome
    return replace(outcome, notification=alike(outcome.notification, due.notification))


async def _record_sent(uow: UnitOfWork, batch: Batch, outcome: Outcome, now: datetime) -> None:
    for due in batch.notifications:
        each = _of(outcome, due, batch)
        await _record(uow, each, now)
        await _settle_behind(uow, each.notification, batch.reported_version(due))
    if batch.edits is not None:
        await _update_again(uow, batch, now)


async def _settle_behind(uow: UnitOfWork, opened: Notification, version: int) -> None:
    """A collected opening reports the alert as it stood when it left, and all that waited behind it with it."""
    if opened.action is Action.OPEN and opened.group_key is not None and version > opened.alert_version:
        await uow.groups.settle_behind(opened, version=version)


async def _update_again(uow: UnitOfWork, batch: Batch, now: datetime) -> None:
    """Updates the summary once more where an alert has moved meanwhile: of two updates the older may come last."""
    reported = {event.alert.id: event.alert.version for event in batch.present}
    for event in await uow.groups.present(reported):
        if event.alert.version != reported[event.alert.id]:
            await uow.notifications.add(_update(event, batch.head.notification, now))
            await uow.jobs.deliver(now)


def _update(event: AlertEvent, like: Notification, now: datetime) -> Notification:
    return Notification(
        id=new_id("ntf", now),
        alert_id=event.alert.id,
        alert_version=event.alert.version,
        receiver_id=like.receiver_id,
        channel=like.channel,
        action=Action.AMEND,
        reason=event.reason,
        level=str(event.alert.version),
        state=NotificationState.QUEUED,
        created_at=now,
        due_at=now,
        cause=NotificationCause.SUMMARY,
    )


async def _record(uow: UnitOfWork, outcome: Outcome, now: datetime) -> None:
    if outcome.needs_another:
        # People's answers come before the fallback, which then reports them, or after it, and reach its channel, too.
        # The alert is locked before its notifications, as where an alert moves: else the two could wait for each other.
        await uow.alerts.lock(outcome.notification.alert_id)
    notification = await _in_circuit(uow, outcome, now)
    await uow.notifications.save(notification, post=outcome.post)
    if outcome.failure is not None and outcome.failure.retry_after is not None:
        until = now + min(outcome.failure.retry_after, LONGEST_RETRY)
        await uow.channel_health.hold(notification.channel, now=now, until=until)
    if outcome.failure is None:
        await _note_taken(uow, outcome, now)
    match notification.state:
        case NotificationState.QUEUED:
            await uow.jobs.deliver(notification.due_at)
        case NotificationState.DEAD:
            await note_given_up(uow, outcome, now)
    if notification.state is NotificationState.DEAD or (outcome.needs_another and notification.due_at > now):
        await fall_back(uow, notification, now)
        if notification.state is NotificationState.QUEUED:
            await fall_back_behind(uow, notification, now)


async def _note_taken(uow: UnitOfWork, outcome: Outcome, now: datetime) -> None:
    place = outcome.notification.receiver_id, outcome.notification.channel
    if outcome.is_remainder:
        await close_remainder(uow, *place, now, refused=outcome.refused, delayed=outcome.delayed)
    else:
        await close(uow, *place, now, of_addresses=said_of_addresses(outcome.refused, outcome.delayed))


async def _in_circuit(uow: UnitOfWork, outcome: Outcome, now: datetime) -> Notification:
    """The notification, due when its channel is tried next where it was the channel that failed."""
    notification, failure = outcome.notification, outcome.blames
    if isinstance(outcome.failure, ChannelRests):
        due_at = await rest_ends(uow, notification.receiver_id, notification.channel, now)
        return replace(notification, due_at=due_at)
    if failure is None or failure.concerns is Concern.MESSAGE:
        return notification
    next_try = await refuse(uow, notification.receiver_id, notification.channel, failure, now)
    return notification if next_try is None else replace(notification, due_at=next_try)
