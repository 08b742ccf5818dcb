"""Writes of sources beside polls that run: neither waits for the other for ever."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from sqlalchemy import text

from service.workflows.configuration.spend import Sources
from tests.adapters.postgres.queue.queue_runs import until
from tests.workflows.yard import MINUTE, Yard


async def test_a_source_that_is_changed_while_its_poll_ends_waits_for_it_and_holds_nothing_that_it_needs(
    yard: Yard,
) -> None:
    """Deadlocks: a poll holds its source and then queues the evaluation."""
    await yard.poll()
    await yard.settle()
    spec = replace(yard.source.spec, poll_interval=10 * MINUTE)
    async with yard.ports.uow() as uow:
        await uow.polling_states.hold(yard.source.id)
        change = asyncio.create_task(yard.change(Sources(), yard.source, spec))
        await until(lambda: _waits(yard))
        await uow.jobs.evaluate(yard.source.id)
    changed = await change
    assert changed.spec == spec


async def _waits(yard: Yard) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with yard.engine.connect() as connection:
        return bool(await connection.scalar(text(waiting)))
