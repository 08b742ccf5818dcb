"""Drills: business time runs faster, so that only simulated sources may be polled, and what it leaves lies ahead."""

from __future__ import annotations

from datetime import datetime

from service.domain.sources.source import back_in_time, lies_ahead
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


async def run_find_refused_sources(ports: Ports) -> list[str]:
    """Returns the enabled sources that this process may not connect to, each with its address."""
    async with ports.uow() as uow:
        sources = [source for source in await uow.sources.all() if source.spec.enabled]
    refused = [source for source in sources if ports.egress.sources.objection(source.spec.base_url) is not None]
    return [f"the source {source.name!r} ({source.spec.base_url})" for source in refused]


async def return_to_present(uow: UnitOfWork, now: datetime) -> None:
    """Makes enabled sources due, and failing until they are read, that a clock ahead of this one has polled."""
    for source in await uow.sources.all():
        state = await uow.polling_states.get(source.id)
        if not source.spec.enabled or not lies_ahead(state, source.spec.poll_interval, now):
            continue
        held = await uow.polling_states.hold(source.id)
        if lies_ahead(held, source.spec.poll_interval, now):
            await uow.polling_states.save(back_in_time(held, now))
