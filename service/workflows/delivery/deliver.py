"""Sending what is due: a batch is claimed, its delivery is composed and sent, and the outcome is recorded.

The claim, what composing reads, and the record are transactions of their own. The message is sent outside any.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from service.domain.notify.notification import Action, Receipt
from service.workflows.delivery.batch import Batch, claim_batches
from service.workflows.delivery.compose import run_compose
from service.workflows.delivery.outcome import Outcome, failed, run_keep, run_record, sent
from service.workflows.notify.sending import added, defects_fail, send
from service.workflows.ports.channels import ChannelWithSteps, DeliveryError
from service.workflows.ports.unit_of_work import Ports

NEAR, LATER = timedelta(seconds=5), timedelta(seconds=1)
"""The queue's clock differs a little: what is due so soon may be due there already, and is looked for once more."""


async def run_delivery(ports: Ports) -> int:
    """Sends everything that is due, and returns how many messages were sent.

    What was claimed at once is sent side by side, so that a slow channel holds up no other. Whatever a sender raises is
    a failed attempt. Raises an ExceptionGroup where the database is away, after all others have been recorded.
    """
    count = 0
    while (batches := await _run_claim(ports)) is not None:
        results = await asyncio.gather(*(_run_send(ports, batch) for batch in batches), return_exceptions=True)
        defects = [result for result in results if isinstance(result, Exception)]
        if defects:
            raise ExceptionGroup("messages whose outcome could not be recorded", defects)
        count += results.count(True)
    return count


async def _run_claim(ports: Ports) -> list[Batch] | None:
    now = ports.clock()
    async with ports.uow() as uow:
        batches = await claim_batches(uow, now)
        if batches is None:
            due = await uow.notifications.next_due()
            if due is not None and now < due <= now + NEAR:
                await uow.jobs.deliver(due + LATER)
        return batches


async def _run_send(ports: Ports, batch: Batch) -> bool:
    """Whether the channel took the message."""
    outcome = await _outcome(ports, batch)
    try:
        with defects_fail(batch.head.notification.id):
            await run_record(ports, batch, outcome)
    except DeliveryError as error:  # an outcome that cannot be stored would be tried again for ever
        outcome = failed(batch, error, ports.clock())
        await run_record(ports, batch, outcome)
    return outcome.is_sent


async def _outcome(ports: Ports, batch: Batch) -> Outcome:
    try:
        with defects_fail(batch.head.notification.id):
            return await _run_steps(ports, batch)
    except DeliveryError as error:
        return _unsuccessful(ports, batch, error)


def _unsuccessful(ports: Ports, batch: Batch, error: DeliveryError) -> Outcome:
    """Returns the outcome of a failure: what the channel has stays sent, whatever could not be added to it."""
    if batch.is_taken:
        taken = batch.head.notification.attempts[-1].detail
        return sent(batch, Receipt(None, f"{taken}; not all was added: {error.reason}"), ports.clock())
    return failed(batch, error, ports.clock())


async def _run_steps(ports: Ports, batch: Batch) -> Outcome:
    """Sends the message, unless the channel has it, and then adds what belongs to it."""
    config, delivery = await run_compose(ports, batch)
    channel = ports.channels.open(config)
    if batch.is_taken:
        receipt = Receipt(delivery.post, batch.head.notification.attempts[-1].detail)
        delivery = replace(delivery, post=None if delivery.action is Action.OPEN else delivery.post)
    else:
        receipt, delivery = await send(channel, delivery)
    if not isinstance(channel, ChannelWithSteps):
        return sent(batch, receipt, ports.clock())
    if not batch.is_taken:
        await run_keep(ports, batch, receipt)
    return sent(batch, await added(channel, delivery, receipt), ports.clock())
