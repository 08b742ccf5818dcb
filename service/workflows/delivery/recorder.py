"""Outcomes recorded as they come, by one commit for all that came during the one before.

Nobody waits to be one of many: what comes alone is recorded alone and at once.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from service.workflows.delivery.batch import Batch
from service.workflows.delivery.outcome import Outcome
from service.workflows.delivery.record import run_record, run_record_together
from service.workflows.notify.sending import defects_fail
from service.workflows.ports.channels import Defect
from service.workflows.ports.outages import StorageUnavailable
from service.workflows.ports.unit_of_work import Ports


class Recorder:
    """The record of one worker's deliveries."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._turn = asyncio.Lock()
        self._waiting: dict[str, Outcome] = {}
        self._recorded: set[str] = set()

    async def run_record(self, batch: Batch, outcome: Outcome) -> None:
        """Returns when the outcome is committed. What cannot be recorded with others is recorded by itself."""
        if not _is_plain(batch, outcome):
            await run_record(self._ports, batch, outcome)
            return
        id = outcome.notification.id
        self._waiting[id] = outcome
        async with self._turn:
            if id in self._waiting:
                await self._run_record_waiting()
        if id not in self._recorded:
            await run_record(self._ports, batch, outcome)
        self._recorded.discard(id)

    async def _run_record_waiting(self) -> None:
        """Where that fails nothing is recorded: each is then tried by itself, and says why it cannot be."""
        waiting, self._waiting = self._waiting, {}
        with suppress(Defect, StorageUnavailable), defects_fail(next(iter(waiting))):
            self._recorded |= await run_record_together(self._ports, list(waiting.values()))


def _is_plain(batch: Batch, outcome: Outcome) -> bool:
    """One alert's message, taken by all of its addresses, that changes nothing but its own record."""
    is_alone = batch.summary_id is None and batch.head.notification.group_key is None
    said_of_addresses = outcome.refused or outcome.delayed or outcome.is_remainder
    return is_alone and outcome.is_sent and not said_of_addresses
