"""Sending what is due. Claimed in one transaction, sent outside any, recorded in another."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from service.domain.errors import NotFound
from service.domain.messages import compose
from service.domain.notifications import (
    DELIVERY_BATCH,
    Delivery,
    Notification,
    NotificationState,
    Receipt,
    after_failure,
    after_success,
)
from service.domain.receivers import ChannelConfig, find_channel
from service.workflows.ports import Claimed, DeliveryError, Ports, UnitOfWork

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)
"""Real time after which a notification whose sender died is taken by another worker."""


async def run_delivery(ports: Ports) -> int:
    """Sends everything that is due, in batches, and returns how many messages were sent.

    A batch's messages go out side by side, so that a slow channel holds up no other. Raises an ExceptionGroup of
    what no channel should raise, after all others have been sent and recorded.
    """
    sent = 0
    while claimed := await _run_claim(ports):
        sends = [_run_send(ports, claim, config) for claim, config in claimed]
        results = await asyncio.gather(*sends, return_exceptions=True)
        defects = [result for result in results if isinstance(result, Exception)]
        if defects:
            raise ExceptionGroup("messages that could not even be tried", defects)
        sent += sum(1 for result in results if result is True)
    return sent


Sendable = tuple[Claimed, ChannelConfig | None]


async def _run_claim(ports: Ports) -> list[Sendable]:
    async with ports.uow() as uow:
        claims = await uow.notifications.claim(now=ports.clock(), limit=DELIVERY_BATCH, lease=LEASE)
        return [(claim, await _channel_of(uow, claim.notification)) for claim in claims]


async def _channel_of(uow: UnitOfWork, notification: Notification) -> ChannelConfig | None:
    """The channel as it is configured now; None when it has been taken out of its receiver."""
    try:
        receiver = await uow.receivers.get(notification.receiver_id)
    except NotFound:
        return None
    return find_channel(receiver.spec, notification.channel)


async def _run_send(ports: Ports, claim: Claimed, config: ChannelConfig | None) -> bool:
    notification, receipt = await _send(ports, claim, config)
    async with ports.uow() as uow:
        await uow.notifications.save(notification, post=receipt.post if receipt else None)
        if notification.state is NotificationState.QUEUED:
            await uow.jobs.deliver(notification.due_at)
    return receipt is not None


async def _send(ports: Ports, claim: Claimed, config: ChannelConfig | None) -> tuple[Notification, Receipt | None]:
    notification, now = claim.notification, ports.clock()
    message = compose(claim.event, notification.action, ports.public_url)
    delivery = Delivery(notification.id, notification.action, message, claim.post, at=now)
    try:
        if config is None:
            raise DeliveryError("the channel is no longer part of its receiver", permanent=True)
        receipt = await ports.channels.open(config).send(delivery)
    except DeliveryError as error:
        log.warning("notification_failed", notification_id=notification.id, reason=error.reason)
        failed = after_failure(
            notification,
            reason=error.reason,
            permanent=error.permanent,
            retry_after=error.retry_after,
            now=ports.clock(),
        )
        return failed, None
    log.info("notification_sent", notification_id=notification.id, reason=notification.reason.value)
    return after_success(notification, receipt, ports.clock()), receipt
