"""Time that passes while messages are sent."""

from __future__ import annotations

from datetime import timedelta

from service.workflows.delivery.deliver import run_delivery
from service.workflows.ports.unit_of_work import Ports
from tests.fakes.clock import FakeClock

SECOND = timedelta(seconds=1)


async def deliver_for(ports: Ports, clock: FakeClock, time: timedelta) -> None:
    """Lets time pass from one due message to the next, at least a second each, and to its end."""
    end = clock() + time
    while clock() < end:
        async with ports.uow() as uow:
            due = await uow.notifications.next_due()
        clock.move_to(min(max(due or end, clock() + SECOND), end))
        await run_delivery(ports)
