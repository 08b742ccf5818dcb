"""Sending what is due. Claimed in one transaction, sent outside any, recorded in another."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from service.domain.messages import compose, prefaced
from service.domain.notifications import (
    DELIVERY_BATCH,
    Delivery,
    Notification,
    NotificationState,
    Receipt,
    after_failure,
    after_success,
)
from service.workflows.address import Letter, read_letter
from service.workflows.chart import run_picture
from service.workflows.fall_back import fall_back
from service.workflows.pace import keep_pace
from service.workflows.ports import DeliveryError, Ports, UnitOfWork

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
    """`error` is what the channel refused with, where `permanent` says that it always would."""

    notification: Notification
    receipt: Receipt | None
    error: str = ""
    permanent: bool = False


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
        letters = [await read_letter(uow, claim) for claim in await keep_pace(uow, claims, now)]
        if not claims:
            due = await uow.notifications.next_due()
            if due is not None and now < due <= now + NEAR:
                await uow.jobs.deliver(due + LATER)
        return _Batch(len(claims), letters)


async def _run_send(ports: Ports, letter: Letter) -> bool:
    outcome = await _send(ports, letter)
    async with ports.uow() as uow:
        await _record(uow, ports, letter, outcome)
    return outcome.receipt is not None


async def _record(uow: UnitOfWork, ports: Ports, letter: Letter, outcome: _Outcome) -> None:
    notification, now = outcome.notification, ports.clock()
    await uow.notifications.save(notification, post=outcome.receipt.post if outcome.receipt else None)
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
    message = prefaced(compose(claim.event, notification.action, ports.public_url), letter.preface)
    try:
        if letter.config is None:
            raise DeliveryError(letter.obstacle, permanent=True)
        picture = await run_picture(ports, claim.event, notification.action, letter.config)
        delivery = Delivery(notification.id, notification.action, message, claim.post, now, picture)
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
        return _Outcome(failed, None, letter.known_error or error.reason, error.permanent)
    log.info("notification_sent", notification_id=notification.id, reason=notification.reason.value)
    return _Outcome(after_success(notification, receipt, ports.clock()), receipt)
