"""Sending what is due: messages are claimed, addressed, sent and recorded, and others are claimed meanwhile.

A claim, what its messages are composed of, and their record are transactions of their own. Each message is sent
outside any.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

from service.domain.notify.notification import MOST_AT_ONCE, Action, Receipt
from service.workflows.delivery.address import Addressed, run_address
from service.workflows.delivery.batch import Batch, claim_batches
from service.workflows.delivery.compose import run_compose, run_illustrate
from service.workflows.delivery.outcome import Outcome, failed, sent
from service.workflows.delivery.record import run_keep
from service.workflows.delivery.recorder import Recorder
from service.workflows.notify.sending import added, defects_fail, send
from service.workflows.ports.channels import ChannelWithSteps, DeliveryError
from service.workflows.ports.spans import identified
from service.workflows.ports.unit_of_work import Ports

NEAR, LATER = timedelta(seconds=5), timedelta(seconds=1)
"""The queue's clock differs a little: what is due so soon may be due there already, and is looked for once more."""
MOST_UNDER_WAY = 2 * MOST_AT_ONCE
"""Messages on their way at once: while some are sent the next ones are claimed."""
MOST_OF_A_CHANNEL = MOST_AT_ONCE
"""Messages to one channel after which no more are claimed for it: one that hangs leaves room for others."""


async def run_delivery(ports: Ports) -> int:
    """Sends everything that is due, and returns how many messages were sent.

    Messages are sent side by side, so that a slow channel holds up no other. Whatever a sender raises is a failed
    attempt. Raises StorageUnavailable, or an ExceptionGroup of what could not be recorded, after all others have been.
    """
    with identified(ports.spans, "delivery", {}):
        return await _run_delivery(ports)


async def _run_delivery(ports: Ports) -> int:
    pump = _Pump(ports)
    try:
        await pump.run()
    except asyncio.CancelledError:
        pump.cancel()
        raise
    finally:
        await pump.finish()
    if pump.defects:
        raise ExceptionGroup("messages whose outcome could not be recorded", pump.defects)
    return pump.count


class _Pump:
    """Keeps messages under way for as long as some are due."""

    def __init__(self, ports: Ports) -> None:
        self.count = 0
        self.defects: list[Exception] = []
        self._ports = ports
        self._recorder = Recorder(ports)
        self._under_way: dict[asyncio.Task[bool], str] = {}

    async def run(self) -> None:
        while not self.defects:
            batches = await self._run_claim()
            for batch, addressed in await run_address(self._ports, batches or []):
                sending = asyncio.create_task(_run_send(self._ports, self._recorder, batch, addressed))
                self._under_way[sending] = batch.head.notification.channel
            if batches is None and not self._under_way:
                return
            if batches is None:
                await self._wait_for_one()
            while len(self._under_way) > MOST_UNDER_WAY - MOST_AT_ONCE:
                await self._wait_for_one()

    async def _run_claim(self) -> list[Batch] | None:
        now = self._ports.clock()
        full = [channel for channel, many in Counter(self._under_way.values()).items() if many >= MOST_OF_A_CHANNEL]
        async with self._ports.uow() as uow:
            batches = await claim_batches(uow, now, full)
            if batches is None and not self._under_way:
                due = await uow.notifications.next_due()
                if due is not None and now < due <= now + NEAR:
                    await uow.jobs.deliver(due + LATER)
            return batches

    async def _wait_for_one(self) -> None:
        done, _ = await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        self._note(done)

    def _note(self, done: set[asyncio.Task[bool]]) -> None:
        for task in done:
            del self._under_way[task]
            if task.cancelled():
                continue
            error = task.exception()
            if isinstance(error, Exception):
                self.defects.append(error)
            self.count += error is None and task.result()

    def cancel(self) -> None:
        for task in self._under_way:
            task.cancel()

    async def finish(self) -> None:
        if self._under_way:
            done, _ = await asyncio.wait(self._under_way)
            self._note(done)


async def _run_send(ports: Ports, recorder: Recorder, batch: Batch, addressed: Addressed | DeliveryError) -> bool:
    """Whether the channel took the message."""
    head = batch.head.notification
    with identified(ports.spans, "message", {"notification_id": head.id, "alert_id": head.alert_id}) as note:
        note({"channel": head.channel})
        is_sent = await _run_send_one(ports, recorder, batch, addressed)
        note({"outcome": "sent" if is_sent else "not sent"})
    return is_sent


async def _run_send_one(ports: Ports, recorder: Recorder, batch: Batch, addressed: Addressed | DeliveryError) -> bool:
    outcome = await _outcome(ports, batch, addressed)
    try:
        with defects_fail(batch.head.notification.id):
            await recorder.run_record(batch, outcome)
    except DeliveryError as error:  # an outcome that cannot be stored would be tried again for ever
        outcome = failed(batch, error, ports.clock())
        await recorder.run_record(batch, outcome)
    return outcome.is_sent


async def _outcome(ports: Ports, batch: Batch, addressed: Addressed | DeliveryError) -> Outcome:
    try:
        with defects_fail(batch.head.notification.id):
            if isinstance(addressed, DeliveryError):
                raise addressed
            return await _run_steps(ports, addressed)
    except DeliveryError as error:
        return _unsuccessful(ports, batch, error)


def _unsuccessful(ports: Ports, batch: Batch, error: DeliveryError) -> Outcome:
    """Returns the outcome of a failure: what the channel has stays sent, whatever could not be added to it."""
    if batch.is_taken:
        taken = batch.head.notification.attempts[-1].detail
        return sent(batch, Receipt(None, f"{taken}; not all was added: {error.reason}"), ports.clock())
    return failed(batch, error, ports.clock())


async def _run_steps(ports: Ports, addressed: Addressed) -> Outcome:
    """Sends the message, unless the channel has it, and then adds what belongs to it."""
    batch = addressed.batch
    delivery = await run_compose(ports, addressed)
    channel = ports.channels.open(addressed.channel)
    if batch.is_taken:
        receipt = Receipt(delivery.post, batch.head.notification.attempts[-1].detail)
        delivery = replace(delivery, post=None if delivery.action is Action.OPEN else delivery.post)
    else:
        receipt, delivery = await send(channel, delivery)
    if not isinstance(channel, ChannelWithSteps):
        return sent(batch, receipt, ports.clock())
    if not batch.is_taken:
        await run_keep(ports, batch, receipt)
    delivery = await run_illustrate(ports, addressed, delivery)
    return sent(batch, await added(channel, delivery, receipt), ports.clock())
