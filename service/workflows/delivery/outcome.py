"""Recording what became of a delivery: sent, due again later, or dead and delivered elsewhere instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from service.domain.alerts.alert import AlertEvent, Command
from service.domain.notify.notification import (
    FIRING_ACTIONS,
    LONGEST_RETRY,
    MOST_DEFECTS,
    Action,
    Notification,
    NotificationCause,
    NotificationState,
    Receipt,
    after_failure,
    after_success,
    after_taking,
    alike,
)
from service.domain.notify.planning import Address, plan_notifications
from service.domain.notify.receivers import channel_key
from service.domain.values.resources import new_id
from service.workflows.configuration.notify import route_table
from service.workflows.delivery.batch import Batch
from service.workflows.delivery.compose import LAST_RESORT, ChannelDisabled, ChannelGone
from service.workflows.ports.channels import Defect, DeliveryError
from service.workflows.ports.notify import DueNotification, NotificationFilter
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

log = structlog.get_logger(__name__)

ANSWERS = frozenset({Command.ACKNOWLEDGE, Command.SNOOZE, Command.RESOLVE})
MOST_OF_AN_ALERT = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """A batch's first notification as it is after an attempt, which the others of the batch share.

    `post` is the channel's reference to the message. `error` is what the channel's health keeps of a failure, and None
    where no channel is to blame. `permanent`: the channel would always refuse. `quiet_for`: how long it wants no
    message.
    """

    notification: Notification
    post: str | None = None
    error: str | None = None
    permanent: bool = False
    quiet_for: timedelta | None = None

    @property
    def is_sent(self) -> bool:
        return self.notification.state is NotificationState.SENT


async def run_keep(ports: Ports, batch: Batch, receipt: Receipt) -> None:
    """Stores the receipt the moment it is known: whoever goes on with the message must not send it again."""
    now = ports.clock()
    async with ports.uow() as uow:
        for due in batch.notifications:
            taken = after_taking(due.notification, receipt, now)
            kept = replace(taken, sent_with=batch.summary_id or taken.sent_with)
            await uow.notifications.keep(kept, post=receipt.post)


def sent(batch: Batch, receipt: Receipt, now: datetime) -> Outcome:
    notification = batch.head.notification
    log.info("notification_sent", notification_id=notification.id, reason=notification.reason.value)
    said = replace(after_success(notification, receipt, now), sent_with=batch.summary_id or notification.sent_with)
    return Outcome(said, receipt.post)


def failed(batch: Batch, error: DeliveryError, now: datetime) -> Outcome:
    notification = batch.head.notification
    log.warning("notification_failed", notification_id=notification.id, reason=error.reason)
    tried = after_failure(
        notification,
        reason=error.reason,
        permanent=error.permanent or _is_hopeless(notification, error),
        retry_after=error.retry_after,
        now=now,
    )
    return Outcome(tried, None, _blame(notification, error), error.permanent, error.retry_after)


def _is_hopeless(notification: Notification, error: DeliveryError) -> bool:
    return isinstance(error, Defect) and len(notification.attempts) + 1 >= MOST_DEFECTS


def _blame(notification: Notification, error: DeliveryError) -> str | None:
    if isinstance(error, ChannelGone) or notification.channel == LAST_RESORT:
        return None
    return error.cause if isinstance(error, ChannelDisabled) else error.reason


async def run_record(ports: Ports, batch: Batch, outcome: Outcome) -> None:
    """Records the outcome for every notification of the batch."""
    if outcome.is_sent:
        async with ports.uow() as uow:
            await _record_sent(uow, batch, outcome, ports.clock())
        return
    # One alert after the other: whoever gives up a call locks its alert, and must not lock two.
    for due in batch.notifications:
        async with ports.uow() as uow:
            await _record(uow, _of(outcome, due, batch), ports.clock())


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
    notification = outcome.notification
    if notification.state is NotificationState.DEAD:
        # People's answers come before the fallback, which then reports them, or after it, and reach its channel, too.
        # The alert is locked before its notifications, as where an alert moves: else the two could wait for each other.
        await uow.alerts.lock(notification.alert_id)
    await uow.notifications.save(notification, post=outcome.post)
    if outcome.quiet_for is not None:
        until = now + min(outcome.quiet_for, LONGEST_RETRY)
        await uow.channel_health.hold(notification.channel, now=now, until=until)
    match notification.state:
        case NotificationState.SENT:
            await uow.channel_health.note_well(notification.receiver_id, notification.channel)
        case NotificationState.QUEUED:
            await uow.jobs.deliver(notification.due_at)
        case NotificationState.DEAD:
            await _give_up(uow, outcome, now)


# ------------------------------------------------------------------------------------------- the fallback


async def _give_up(uow: UnitOfWork, outcome: Outcome, now: datetime) -> None:
    notification = outcome.notification
    # A slow sender may have been overtaken: what another one has sent is not dead.
    if (await uow.notifications.get(notification.id)).state is NotificationState.SENT:
        return
    if outcome.error is not None:
        disabled_at = now if outcome.permanent else None
        await uow.channel_health.note_dead(
            notification.receiver_id, notification.channel, outcome.error, at=now, disabled_at=disabled_at
        )
    if notification.action in FIRING_ACTIONS and notification.channel != LAST_RESORT:
        await _fall_back(uow, notification, now)


async def _fall_back(uow: UnitOfWork, dead: Notification, now: datetime) -> None:
    """Queues a dead call's content for the default route's receiver, then for the console.

    Never in a circle: what was itself a fallback goes to the console, and what the console refuses is given up. A
    channel that was notified of the same thing is not notified twice.
    """
    added = dead.fallback_for is None and await _notify_default_receiver(uow, dead, now)
    if not added and not await _is_known_elsewhere(uow, dead):
        added = await uow.notifications.add(_instead(dead, "", LAST_RESORT, now))
    if added:
        log.warning("notification_fell_back", notification_id=dead.id, channel=dead.channel)
        await uow.jobs.deliver(now)


async def _notify_default_receiver(uow: UnitOfWork, dead: Notification, now: datetime) -> bool:
    """Reports what became of the alert since, too: else a page that is opened so late would never be closed."""
    added = False
    since = await _answers_since(uow, dead)
    for address in await _default_channels(uow):
        if await uow.notifications.add(_instead(dead, address.receiver_id, address.key, now)):
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


async def _default_channels(uow: UnitOfWork) -> Sequence[Address]:
    table = await route_table(uow)
    if table is None:
        return ()
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
    page = await uow.notifications.page(NotificationFilter((dead.alert_id,)), limit=MOST_OF_AN_ALERT, cursor=None)
    alive = (NotificationState.QUEUED, NotificationState.SENT)
    return any(one.state in alive and (one.call, one.action) == (dead.call, dead.action) for one in page.items)
