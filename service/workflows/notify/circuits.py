"""The circuits of channels: the one place that says whether a message may be sent to a channel now.

A refusal that concerns the channel or its credential opens its circuit. While it is open the channel rests, and then
one message probes it; the first one that is taken closes it. Nothing else does, and nothing keeps it open for ever.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from service.domain.notify.circuits import OPENING, FailingChannel, after_refusal, probed, said_of_addresses
from service.domain.values.errors import NotFound
from service.domain.values.plain_text import minute
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.unit_of_work import UnitOfWork


class ChannelRests(DeliveryError):
    """The message was not tried: the channel refused another one, and rests until then."""

    def __init__(self, error: str, until: datetime) -> None:
        super().__init__(f"{error} (the answer to an earlier message; next try {minute(until)})")
        self.until = until


async def enter(uow: UnitOfWork, receiver_id: str, channel: str, now: datetime) -> None:
    """Lets a message through, as the probe where the circuit is open. Raises ChannelRests."""
    failing = await uow.channel_health.lock(receiver_id, channel)
    if failing is None or failing.next_try is None or await _is_always_tried(uow, receiver_id):
        return
    if (until := failing.rests_until(now)) is not None:
        raise ChannelRests(failing.error, until)
    await uow.channel_health.keep(probed(failing, now))


async def refuse(
    uow: UnitOfWork, receiver_id: str, channel: str, failure: DeliveryError, now: datetime
) -> datetime | None:
    """Notes a failure. Returns when the channel is tried next; None where its circuit is closed."""
    failing = await uow.channel_health.lock(receiver_id, channel)
    if failure.concerns not in OPENING and (failing is None or failing.next_try is None):
        return None
    known = failing or FailingChannel(receiver_id, channel, now, failure.reason, dead=0)
    resting = after_refusal(known, failure.reason, failure.concerns, now)
    await uow.channel_health.keep(resting)
    return resting.next_try


async def rest_ends(uow: UnitOfWork, receiver_id: str, channel: str, now: datetime) -> datetime:
    """When a message that was not tried is due: now, where another one was taken meanwhile."""
    failing = await uow.channel_health.lock(receiver_id, channel)
    return (failing.rests_until(now) if failing else None) or now


async def close(uow: UnitOfWork, receiver_id: str, channel: str, now: datetime, *, of_addresses: str = "") -> None:
    """The channel took a message: what waited for that leaves now.

    `of_addresses` says which of its addresses did not: it stays among the failing channels, and gets every message.
    """
    before = await uow.channel_health.lock(receiver_id, channel) if of_addresses else None
    had_failed = await uow.channel_health.note_well(receiver_id, channel, at=now)
    if of_addresses:
        since = before.failing_since if before else now
        await uow.channel_health.keep(FailingChannel(receiver_id, channel, since, of_addresses, dead=0))
    if had_failed or of_addresses:
        await uow.jobs.deliver(now)


async def close_all(uow: UnitOfWork, channels: Collection[tuple[str, str]], now: datetime) -> None:
    """Several took messages: channels are (receiver id, channel key). One order for all who lock more than one."""
    for receiver_id, channel in sorted(await uow.channel_health.failing_of(channels)):
        await close(uow, receiver_id, channel, now)


async def close_remainder(
    uow: UnitOfWork, receiver_id: str, channel: str, now: datetime, *, refused: str, delayed: str
) -> None:
    """The addresses that were left took a message, but for those named. What is known of the others stays."""
    known = await uow.channel_health.lock(receiver_id, channel)
    said = said_of_addresses(refused, delayed)
    if known is not None and known.only_lacks_addresses and not refused:
        lasting = known.lasting
        said = "; ".join(part for part in (lasting, said) if part)
    elif not refused:
        return
    await close(uow, receiver_id, channel, now, of_addresses=said)


async def resting(uow: UnitOfWork, now: datetime) -> set[tuple[str, str]]:
    """The (receiver id, channel key) of every channel to which nothing is sent now."""
    found = [one for one in await uow.channel_health.failing() if one.rests_until(now) is not None]
    return {(one.receiver_id, one.channel) for one in found if not await _is_always_tried(uow, one.receiver_id)}


async def refusing(uow: UnitOfWork) -> set[tuple[str, str]]:
    """The same of every channel whose circuit is open, though its next message may be sent."""
    return {(one.receiver_id, one.channel) for one in await uow.channel_health.failing() if one.next_try is not None}


async def _is_always_tried(uow: UnitOfWork, receiver_id: str) -> bool:
    """Whether it is the default route's receiver and has one channel: nobody else would get the message."""
    tables = await uow.routes.all()
    if not tables or tables[0].spec.items[-1].receiver_id != receiver_id:
        return False
    try:
        return len((await uow.receivers.get(receiver_id)).spec.channels) == 1
    except NotFound:
        return False
