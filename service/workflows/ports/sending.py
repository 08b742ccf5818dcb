"""Sends a message and then what is added to it: whatever is raised meanwhile is an outcome."""

from __future__ import annotations

from dataclasses import replace

import structlog

from service.domain.notify.notification import Delivery, Receipt
from service.workflows.ports.channels import Channel, ChannelWithSteps, Defect, DeliveryError
from service.workflows.ports.platform import VaultError

log = structlog.get_logger(__name__)


async def send_whole(channel: Channel, delivery: Delivery) -> Receipt:
    """Sends the message and all that is added to it. Raises DeliveryError where it was not taken."""
    try:
        receipt = await channel.send(delivery)
    except (DeliveryError, VaultError):
        raise
    except Exception as error:
        log.exception("sender_defect", notification_id=delivery.id)
        raise Defect(error) from None
    return await added(channel, delivery, receipt) if isinstance(channel, ChannelWithSteps) else receipt


async def added(channel: ChannelWithSteps, delivery: Delivery, receipt: Receipt) -> Receipt:
    """The receipt, with what was added and what could not be."""
    try:
        return await channel.add(delivery, receipt)
    except Exception as error:
        log.exception("steps_after_sending_failed", notification_id=delivery.id)
        return replace(receipt, detail=f"{receipt.detail}; not all was added: {type(error).__name__}")
