"""Recording what became of a delivery: sent, due again later, or dead and delivered elsewhere instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from service.domain.alerts.alert import AlertEvent, Command
from service.domain.notify.circuits import OPENING, Concern, said_of_addresses
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
    after_part,
    after_refusal,
    after_rest,
    after_success,
    after_taking,
    alike,
)
from service.domain.notify.planning import Address, plan_notifications
from service.domain.notify.receivers import channel_key
from service.domain.values.resources import new_id
from service.workflows.configuration.notify import route_table
from service.workflows.delivery.batch import Batch
from service.workflows.delivery.compose import LAST_RESORT, ChannelGone
from service.workflows.notify.circuits import ChannelRests, close, close_remainder, refuse, refusing, rest_ends, resting
from service.workflows.ports.channels import Defect, DeliveryError
from service.workflows.ports.notify import DueNotification, NotificationFilter
from service.workflows.ports.outages import Outages
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

log = structlog.get_logger(__name__)

ANSWERS = frozenset({Command.ACKNOWLEDGE, Command.SNOOZE, Command.RESOLVE})
MOST_OF_AN_ALERT = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """A batch's first notification as it is after an attempt, which the others of the batch share.

    `post` is the channel's reference to the message, `failure` why it was not taken, `refused` which addresses of the
    channel will never take one, `delayed` which may later. A remainder went to the addresses that were left, and says
    nothing of the others.
    """

    notification: Notification
    post: str | None = None
    failure: DeliveryError | None = None
    refused: str = ""
    delayed: str = ""
    is_remainder: bool = False

    @property
    def is_sent(self) -> bool:
        return self.notification.state is NotificationState.SENT

    @property
    def blames(self) -> DeliveryError | None:
        """The failure, where it says something about the health of the channel."""
        if isinstance(self.failure, ChannelGone | ChannelRests) or self.notification.channel == LAST_RESORT:
            return None
        return self.failure

    @property
    def needs_another(self) -> bool:
        """Whether somebody else is to get the message: it is given up, or has to wait for its channel's repair."""
        waits = self.failure is not None and (
            self.failure.concerns in OPENING or isinstance(self.failure, ChannelRests)
        )
        return self.notification.state is NotificationState.DEAD or waits


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
    record = after_part if receipt.left_to else after_success
    said = replace(record(notification, receipt, now), sent_with=batch.summary_id or notification.sent_with)
    return Outcome(
        said,
        receipt.post,
        refused=receipt.refused,
        delayed=receipt.delayed,
        is_remainder=bool(notification.left_to),
    )


def failed(batch: Batch, error: DeliveryError, now: datetime) -> Outcome:
    notification = batch.head.notification
    return Outcome(_tried(notification, error, now), None, error)


def _tried(notification: Notification, error: DeliveryError, now: datetime) -> Notification:
    if isinstance(error, ChannelRests):
        return after_rest(notification, reason=error.reason, until=error.until, now=now)
    if error.concerns in OPENING:
        return after_refusal(notification, reason=error.reason, now=now)
    given_up = error.concerns is Concern.MESSAGE or _is_hopeless(notification, error)
    return after_failure(notification, reason=error.reason, permanent=given_up, retry_after=error.retry_after, now=now)


def _is_hopeless(notification: Notification, error: DeliveryError) -> bool:
    return isinstance(error, Defect) and len(notification.attempts) + 1 >= MOST_DEFECTS


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
            await _give_up(uow, outcome, now)
    if notification.state is NotificationState.DEAD or (outcome.needs_another and notification.due_at > now):
        await _fall_back(uow, notification, now)


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


# ------------------------------------------------------------------------------------------- the fallback


async def _give_up(uow: UnitOfWork, outcome: Outcome, now: datetime) -> None:
    notification, failure = outcome.notification, outcome.blames
    if failure is not None and not await _is_sent(uow, notification):
        await uow.channel_health.note_dead(notification.receiver_id, notification.channel, failure.reason, at=now)


async def _is_sent(uow: UnitOfWork, notification: Notification) -> bool:
    """Whether a slow sender was overtaken: what another one has sent is not dead, and needs no fallback."""
    return (await uow.notifications.get(notification.id)).state is NotificationState.SENT


async def _fall_back(uow: UnitOfWork, dead: Notification, now: datetime) -> None:
    """Queues a call's content for the default route's receiver, then for the console.

    Never in a circle: what was itself a fallback goes to the console, and what the console refuses is given up. A
    channel that was notified of the same thing is not notified twice.
    """
    calls = dead.action in FIRING_ACTIONS and dead.channel != LAST_RESORT
    if not calls or await _is_sent(uow, dead):
        return
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
    for address in await _default_channels(uow, now):
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


async def _default_channels(uow: UnitOfWork, now: datetime) -> Sequence[Address]:
    table = await route_table(uow)
    if table is None:
        return ()
    receiver = await uow.receivers.get(table.spec.items[-1].receiver_id)
    closed = await resting(uow, now)
    addresses = [Address(receiver.id, channel_key(channel), channel) for channel in receiver.spec.channels]
    return [address for address in addresses if (address.receiver_id, address.key) not in closed]


async def _is_known_elsewhere(uow: UnitOfWork, dead: Notification) -> bool:
    """Whether another channel has taken the same call, or still may: it refuses no messages."""
    page = await uow.notifications.page(NotificationFilter((dead.alert_id,)), limit=MOST_OF_AN_ALERT, cursor=None)
    same = [one for one in page.items if (one.call, one.action) == (dead.call, dead.action) and one.id != dead.id]
    closed = await refusing(uow)
    return any(
        one.state is NotificationState.SENT
        or (one.state is NotificationState.QUEUED and (one.receiver_id, one.channel) not in closed)
        for one in same
    )
