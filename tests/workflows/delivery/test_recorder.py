"""Outcomes that come together are one commit, and none of them waits for, or falls with, another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sqlalchemy import text

from service.domain.notify.channels.email import Email
from service.domain.notify.notification import Receipt
from service.workflows.delivery.batch import Batch, claim_batches
from service.workflows.delivery.outcome import sent
from service.workflows.delivery.recorder import Recorder
from tests.adapters.postgres.queue.queue_runs import until
from tests.statements import counted
from tests.workflows.delivery.sending import QUEUED, SENT, open_alert
from tests.workflows.yard import Yard

MAIL = Email(("finops@example.com",))


async def claimed(yard: Yard, count: int) -> list[Batch]:
    await yard.receive_with(MAIL)
    for number in range(count):
        await open_alert(yard, number)
    async with yard.ports.uow() as uow:
        return await claim_batches(uow, yard.clock()) or []


async def record(yard: Yard, batches: Sequence[Batch], *, spoilt: Batch | None = None) -> list[BaseException | None]:
    """Says that all were sent, at once; of the spoilt one's receipt PostgreSQL keeps no word."""
    recorder = Recorder(yard.ports)
    receipts = {id(batch): Receipt("ts_1", "\x00" if batch is spoilt else "taken") for batch in batches}
    said = (recorder.run_record(batch, sent(batch, receipts[id(batch)], yard.clock())) for batch in batches)
    return await asyncio.gather(*said, return_exceptions=True)


async def test_what_comes_during_a_commit_is_one_commit(yard: Yard) -> None:
    batches = await claimed(yard, 20)
    with counted(yard.engine) as statements:
        assert await record(yard, batches) == [None] * 20
    assert statements["UPDATE notifications"] <= 2
    assert {one.state for one in await yard.notifications()} == {SENT}


async def test_an_outcome_that_cannot_be_stored_fails_alone(yard: Yard) -> None:
    batches = await claimed(yard, 5)
    errors = await record(yard, batches, spoilt=batches[3])
    assert [error is None for error in errors] == [True, True, True, False, True]
    states = {one.id: one.state for one in await yard.notifications()}
    assert states.pop(batches[3].head.notification.id) is QUEUED
    assert set(states.values()) == {SENT}


async def test_what_somebody_else_is_changing_waits_alone(yard: Yard) -> None:
    """An evaluation holds a notification for as long as it lasts."""
    batches = await claimed(yard, 5)
    held = batches[2].head.notification.id
    async with yard.engine.connect() as connection:
        await connection.execute(text("SELECT id FROM notifications WHERE id = :id FOR UPDATE"), {"id": held})
        recording = asyncio.create_task(record(yard, batches))
        await until(lambda: _are_sent(yard, 4))
        assert not recording.done()
        await connection.rollback()
    assert await recording == [None] * 5
    assert {one.state for one in await yard.notifications()} == {SENT}


async def _are_sent(yard: Yard, count: int) -> bool:
    return sum(one.state is SENT for one in await yard.notifications()) == count
