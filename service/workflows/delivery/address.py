"""From a claimed notification to what its sender needs: the channel as it is now, and what to say beforehand."""

from __future__ import annotations

from dataclasses import dataclass, replace

from service.domain.alerts.alert import Reason
from service.domain.messages.undelivered import not_delivered
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.escalation import escalated, running_chain
from service.domain.notify.notification import Notification
from service.domain.notify.receivers import Receiver, find_channel
from service.domain.notify.undelivered import FailingChannel
from service.domain.values.errors import NotFound
from service.domain.values.plain_text import minute
from service.workflows.delivery.bulletin import Bulletin, as_it_stands, write_bulletin
from service.workflows.delivery.fall_back import LAST_RESORT
from service.workflows.delivery.parcels import Parcel
from service.workflows.ports.notify import DueNotification
from service.workflows.ports.unit_of_work import UnitOfWork

GONE = "the channel is no longer part of its receiver"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to send. Without `config` there is an `obstacle`.

    `exists`: the receiver has this channel. `known_error` is what a disabled one was disabled for. `preface` says
    why this channel is told, where that is not plain. `others` are told by the same message, which is the `bulletin`.
    """

    claim: DueNotification
    config: ChannelConfig | None
    obstacle: str = ""
    exists: bool = True
    known_error: str = ""
    preface: str = ""
    others: tuple[DueNotification, ...] = ()
    bulletin: Bulletin | None = None


async def address(uow: UnitOfWork, parcel: Parcel, public_url: str) -> Letter:
    letter = await read_letter(uow, as_it_stands(parcel))
    bulletin = await write_bulletin(uow, parcel, public_url)
    return replace(letter, others=parcel.claims[1:], bulletin=bulletin)


async def read_letter(uow: UnitOfWork, claim: DueNotification) -> Letter:
    notification = claim.notification
    preface = await _preface(uow, notification)
    if notification.channel == LAST_RESORT:
        return Letter(claim, Console(), exists=False, preface=preface)
    receiver = await _receiver(uow, notification.receiver_id)
    config = find_channel(receiver, notification.channel) if receiver else None
    if config is None:
        return Letter(claim, None, GONE, exists=False)
    disabled = await _disabled(uow, notification)
    if disabled is not None and disabled.disabled_at is not None:
        since = minute(disabled.disabled_at)
        return Letter(
            claim, None, f"the channel is disabled since {since}: {disabled.error}", known_error=disabled.error
        )
    return Letter(claim, config, preface=preface)


async def _receiver(uow: UnitOfWork, receiver_id: str) -> Receiver | None:
    try:
        return (await uow.receivers.get(receiver_id)).spec
    except NotFound:
        return None


async def _disabled(uow: UnitOfWork, notification: Notification) -> FailingChannel | None:
    place = notification.receiver_id, notification.channel
    failing = [one for one in await uow.channel_health.failing() if one.disabled_at is not None]
    return next((one for one in failing if (one.receiver_id, one.channel) == place), None)


async def _preface(uow: UnitOfWork, notification: Notification) -> str:
    if notification.fallback_for is not None:
        failed = await uow.notifications.get(notification.fallback_for)
        names = {receiver.id: receiver.name for receiver in await uow.receivers.all()}
        reason = failed.attempts[-1].detail if failed.attempts else ""
        return not_delivered(names.get(failed.receiver_id, failed.receiver_id), failed.channel, reason)
    if notification.reason is Reason.ESCALATED:
        chain = running_chain(await uow.alerts.events(notification.alert_id))
        if chain is not None:
            return escalated(chain.at, notification.step, notification.round)
    return ""
