"""Sending what is due. DueNotification in one transaction, sent outside any, recorded in another."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from service.domain.messages.message import compose, prefaced
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.notification import (
    DELIVERY_BATCH,
    LONGEST_RETRY,
    Action,
    Delivery,
    Notification,
    NotificationState,
    Receipt,
    after_failure,
    after_success,
    alike,
)
from service.workflows.charts.picture import run_picture
from service.workflows.delivery.address import Letter, address
from service.workflows.delivery.bulletin import mend_what_is_stale, note_said, reference
from service.workflows.delivery.fall_back import fall_back, hold_alert
from service.workflows.delivery.parcels import drop_what_is_over, leave_in_turn, pack
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)
"""Real time after which a notification whose sender died is taken by another worker."""
NEAR, LATER = timedelta(seconds=5), timedelta(seconds=1)
"""What is due so soon may be due by the queue's clock already, which differs a little: it is looked for once more."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """What was claimed, and of it what may leave now: the rest keeps to its channel's rate."""

    claimed: int
    letters: list[Letter]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """`error` is what the channel refused with, where `permanent` says that it always would.

    `quiet_for` is how long the channel wants to hear nothing at all.
    """

    notification: Notification
    receipt: Receipt | None
    error: str = ""
    permanent: bool = False
    quiet_for: timedelta | None = None


async def run_delivery(ports: Ports) -> int:
    """Sends everything that is due, in batches, and returns how many messages were sent.

    A batch's messages go out side by side, so that a slow channel holds up no other. Raises an ExceptionGroup of
    what no channel should raise, after all others have been sent and recorded.
    """
    sent = 0
    while (batch := await _run_claim(ports)).claimed:
        sends = [_run_send(ports, letter) for letter in batch.letters]
        results = await asyncio.gather(*sends, return_exceptions=True)
        defects = [result for result in results if isinstance(result, Exception)]
        if defects:
            raise ExceptionGroup("messages that could not even be tried", defects)
        sent += sum(1 for result in results if result is True)
    return sent


async def _run_claim(ports: Ports) -> _Batch:
    now = ports.clock()
    async with ports.uow() as uow:
        claims = await uow.notifications.claim(now=now, limit=DELIVERY_BATCH, lease=LEASE)
        parcels = await leave_in_turn(uow, await drop_what_is_over(uow, pack(claims), now), now)
        letters = [await address(uow, parcel, ports.public_url) for parcel in parcels]
        if not claims:
            due = await uow.notifications.next_due()
            if due is not None and now < due <= now + NEAR:
                await uow.jobs.deliver(due + LATER)
        return _Batch(len(claims), letters)


async def _run_send(ports: Ports, letter: Letter) -> bool:
    outcome = await _send(ports, letter)
    if outcome.receipt is not None:
        async with ports.uow() as uow:
            await _record_sent(uow, ports, letter, outcome)
        return True
    # One alert after the other: whoever gives up a call holds its alert, and must not hold two.
    for each, failed in _shared(letter, outcome):
        async with ports.uow() as uow:
            await _record(uow, ports, each, failed)
    return False


async def _record_sent(uow: UnitOfWork, ports: Ports, letter: Letter, outcome: _Outcome) -> None:
    bulletin = letter.bulletin
    for each, sent in _shared(letter, outcome):
        await _record(uow, ports, each, sent)
        told = each.claim.event.alert
        await note_said(uow, sent.notification, bulletin.versions[told.id] if bulletin else told.version)
    if bulletin is not None and bulletin.action is not Action.OPEN:
        await mend_what_is_stale(uow, bulletin, outcome.notification, ports.clock())


def _shared(letter: Letter, outcome: _Outcome) -> list[tuple[Letter, _Outcome]]:
    """Each claim of a letter by itself, with what became of it."""
    said = outcome.notification
    if letter.bulletin is not None and outcome.receipt is not None:
        said = replace(said, sent_with=letter.bulletin.id)
    others = [
        (replace(letter, claim=one), replace(outcome, notification=alike(said, one.notification)))
        for one in letter.others
    ]
    return [(letter, replace(outcome, notification=said)), *others]


async def _record(uow: UnitOfWork, ports: Ports, letter: Letter, outcome: _Outcome) -> None:
    notification, now = outcome.notification, ports.clock()
    if notification.state is NotificationState.DEAD:
        await hold_alert(uow, notification)
    await uow.notifications.save(notification, post=outcome.receipt.post if outcome.receipt else None)
    if outcome.quiet_for is not None:
        until = now + min(outcome.quiet_for, LONGEST_RETRY)
        await uow.channel_health.hold(notification.channel, now=now, until=until)
    place = notification.receiver_id, notification.channel
    match notification.state:
        case NotificationState.SENT:
            await uow.channel_health.note_well(*place)
        case NotificationState.QUEUED:
            await uow.jobs.deliver(notification.due_at)
        case NotificationState.DEAD:
            # A slow sender may have been overtaken: what another one has sent is not dead.
            if (await uow.notifications.get(notification.id)).state is NotificationState.SENT:
                return
            if letter.exists:
                disabled_at = now if outcome.permanent else None
                await uow.channel_health.note_dead(*place, outcome.error, at=now, disabled_at=disabled_at)
            await fall_back(uow, notification, now)


async def _send(ports: Ports, letter: Letter) -> _Outcome:
    claim, now = letter.claim, ports.clock()
    notification = claim.notification
    try:
        if letter.config is None:
            raise DeliveryError(letter.obstacle, permanent=True)
        delivery = await _run_write(ports, letter, letter.config, now)
        receipt = await ports.channels.open(letter.config).send(delivery)
    except DeliveryError as error:
        log.warning("notification_failed", notification_id=notification.id, reason=error.reason)
        failed = after_failure(
            notification,
            reason=error.reason,
            permanent=error.permanent,
            retry_after=error.retry_after,
            now=ports.clock(),
        )
        return _Outcome(failed, None, letter.known_error or error.reason, error.permanent, error.retry_after)
    log.info("notification_sent", notification_id=notification.id, reason=notification.reason.value)
    return _Outcome(after_success(notification, receipt, ports.clock()), receipt)


async def _run_write(ports: Ports, letter: Letter, config: ChannelConfig, now: datetime) -> Delivery:
    claim, bulletin = letter.claim, letter.bulletin
    notification = claim.notification
    if bulletin is not None:
        return Delivery(notification.id, bulletin.action, bulletin.message, bulletin.post, now)
    message = prefaced(compose(claim.event, notification.action, ports.public_url), letter.preface)
    picture = await run_picture(ports, claim.event, notification.action, config.traits.chart)
    return Delivery(notification.id, notification.action, message, reference(claim), now, picture)
