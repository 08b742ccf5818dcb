"""What the schedule does besides polling: the minute's evaluation, due deliveries, retention."""

from __future__ import annotations

from datetime import timedelta

from service.domain.periods import Window
from service.workflows.ports import Ports

MINUTES_KEPT = timedelta(hours=48)
AHEAD = timedelta(days=45)


async def run_minute(ports: Ports) -> None:
    """Queues an evaluation of every source, polled or not, because time alone moves things; and due deliveries."""
    now = ports.clock()
    async with ports.uow() as uow:
        for source_id in await uow.feeds.all_ids():
            await uow.jobs.evaluate(source_id)
        due = await uow.notifications.next_due()
        if due is not None and due <= now:
            await uow.jobs.deliver(now)


async def run_retention(ports: Ports, keep: timedelta) -> None:
    """Forgets facts older than `keep`, and minutes older than two days; makes room for the month ahead."""
    now = ports.clock()
    await ports.storage.make_room(Window(now, now + AHEAD))
    await ports.storage.forget(facts_before=(now - keep).date(), minutes_before=now - MINUTES_KEPT)
