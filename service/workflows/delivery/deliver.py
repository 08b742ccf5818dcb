"""Sending what is due: a batch is claimed, its delivery is composed and sent, and the outcome is recorded.

The claim, what composing reads, and the record are transactions of their own. The message is sent outside any.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from service.workflows.delivery.batch import Batch, claim_batches
from service.workflows.delivery.compose import run_compose
from service.workflows.delivery.outcome import Outcome, failed, run_record, sent
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.unit_of_work import Ports

NEAR, LATER = timedelta(seconds=5), timedelta(seconds=1)
"""The queue's clock differs a little: what is due so soon may be due there already, and is looked for once more."""


async def run_delivery(ports: Ports) -> int:
    """Sends everything that is due, and returns how many messages were sent.

    What was claimed at once is sent side by side, so that a slow channel holds up no other. Raises an ExceptionGroup of
    what no channel should raise, after all others have been sent and recorded.
    """
    count = 0
    while (batches := await _run_claim(ports)) is not None:
        results = await asyncio.gather(*(_run_send(ports, batch) for batch in batches), return_exceptions=True)
        defects = [result for result in results if isinstance(result, Exception)]
        if defects:
            raise ExceptionGroup("messages that could not even be tried", defects)
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
    outcome = await _send(ports, batch)
    await run_record(ports, batch, outcome)
    return outcome.is_sent


async def _send(ports: Ports, batch: Batch) -> Outcome:
    try:
        channel, delivery = await run_compose(ports, batch)
        receipt = await ports.channels.open(channel).send(delivery)
    except DeliveryError as error:
        return failed(batch, error, ports.clock())
    return sent(batch, receipt, ports.clock())
