"""Sending a digest to one channel, and what becomes of it there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog

from service.domain.digests.runs import ChannelPlace, DigestRun, RunState, refused, sending_of, taken
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.circuits import Concern, said_of_addresses
from service.domain.notify.notification import Delivery, Receipt
from service.workflows.notify.circuits import ChannelRests, close, close_remainder, enter, refuse
from service.workflows.notify.sending import send_whole
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.unit_of_work import Ports

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=5)
"""Real time for which a run is left to whoever sends it; after a crash another worker goes on."""


@dataclass(frozen=True, slots=True)
class DigestChannel:
    """A channel of a receiver, by the place that a run knows it by."""

    place: ChannelPlace
    receiver_id: str
    channel: ChannelConfig

    @property
    def key(self) -> str:
        return self.place[1]


async def run_send(ports: Ports, run: DigestRun, to: DigestChannel, delivery: Delivery) -> DigestRun:
    """Returns the run after an attempt, which is recorded: the channel took it, or it is due again, or given up."""
    run, receipt = await _send(ports, run, to, delivery)
    await _run_record(ports, run, to)
    if receipt is not None:
        await _run_note_taken(ports, to, delivery, receipt)
    return run


async def _send(
    ports: Ports, run: DigestRun, to: DigestChannel, delivery: Delivery
) -> tuple[DigestRun, Receipt | None]:
    """The run after the attempt, with the channel's receipt; None where it did not take the message."""
    system = f"channel {to.key}"
    try:
        await _run_enter(ports, to)
        receipt = await send_whole(ports.channels.open(to.channel), delivery)
    except DeliveryError as error:
        if not isinstance(error, ChannelRests):
            ports.outages.failed(system, error.reason)
        await _run_refuse(ports, to, error)
        hopeless, now = error.concerns is Concern.MESSAGE, ports.clock()
        return refused(run, to.place, error.reason, permanent=hopeless, retry_after=error.retry_after, now=now), None
    ports.outages.worked(system)
    log.info("digest_sent", run_id=run.id, channel=to.key)
    return taken(run, to.place, receipt, ports.clock()), receipt


async def _run_enter(ports: Ports, to: DigestChannel) -> None:
    async with ports.uow() as uow:
        await enter(uow, to.receiver_id, to.key, ports.clock())


async def _run_refuse(ports: Ports, to: DigestChannel, error: DeliveryError) -> None:
    if isinstance(error, ChannelRests) or error.concerns is Concern.MESSAGE:
        return
    async with ports.uow() as uow:
        await refuse(uow, to.receiver_id, to.key, error, ports.clock())


async def _run_record(ports: Ports, run: DigestRun, to: DigestChannel) -> None:
    """Records one channel's outcome; the run stays claimed. A channel that takes no digest is a failing channel."""
    now, sending = ports.clock(), sending_of(run, to.place)
    async with ports.uow() as uow:
        await uow.digest_runs.keep(run, now=now, lease=LEASE)
        if sending.state is RunState.DEAD:
            await uow.channel_health.note_dead(to.receiver_id, to.key, sending.detail, at=now)
    if sending.state is RunState.DEAD:
        log.warning("digest_given_up", run_id=run.id, channel=to.key, reason=sending.detail)


async def _run_note_taken(ports: Ports, to: DigestChannel, delivery: Delivery, receipt: Receipt) -> None:
    now = ports.clock()
    async with ports.uow() as uow:
        if delivery.left_to:
            await close_remainder(uow, to.receiver_id, to.key, now, refused=receipt.refused, delayed=receipt.delayed)
        else:
            of_addresses = said_of_addresses(receipt.refused, receipt.delayed)
            await close(uow, to.receiver_id, to.key, now, of_addresses=of_addresses)
