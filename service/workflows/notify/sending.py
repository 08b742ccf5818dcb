"""Sends a message and then what is added to it: whatever is raised meanwhile is an outcome."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import structlog

from service.domain.notify.circuits import Concern
from service.domain.notify.notification import Delivery, Receipt
from service.workflows.ports.channels import Channel, ChannelWithSteps, Defect, DeliveryError
from service.workflows.ports.outages import StorageUnavailable

log = structlog.get_logger(__name__)


@contextmanager
def defects_fail(message_id: str) -> Iterator[None]:
    """Turns whatever nobody foresaw inside into a Defect, a failed attempt, and logs where it was thrown.

    StorageUnavailable passes: a database that is away is no fault of the message.
    """
    try:
        yield
    except (DeliveryError, StorageUnavailable):
        raise
    except Exception as error:
        log.exception("sender_defect", message_id=message_id)
        raise Defect(error) from None


async def send_whole(channel: Channel, delivery: Delivery) -> Receipt:
    """Sends the message and all that is added to it. Raises DeliveryError where it was not taken."""
    with defects_fail(delivery.id):
        receipt, sent = await send(channel, delivery)
    return await added(channel, sent, receipt) if isinstance(channel, ChannelWithSteps) else receipt


async def send(channel: Channel, delivery: Delivery) -> tuple[Receipt, Delivery]:
    """Sends the message. One that is refused for its form or size is tried once more in the plainest form.

    Returns the receipt, and the delivery as it was taken. Raises DeliveryError.
    """
    try:
        return await channel.send(delivery), delivery
    except DeliveryError as refusal:
        if refusal.concerns is not Concern.MESSAGE:
            raise
        log.warning("message_refused", message_id=delivery.id, reason=refusal.reason)
        plain = delivery.plainest()
        receipt = await channel.send(plain)
        return replace(receipt, detail=f"{receipt.detail}, as text alone: {refusal.reason}"), plain


async def added(channel: ChannelWithSteps, delivery: Delivery, receipt: Receipt) -> Receipt:
    """The receipt, with what was added and what could not be."""
    try:
        with defects_fail(delivery.id):
            return await channel.add(delivery, receipt)
    except DeliveryError as error:
        return replace(receipt, detail=f"{receipt.detail}; not all was added: {error.reason}")
