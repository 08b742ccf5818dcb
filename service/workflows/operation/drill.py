"""Drills: business time runs faster, so that only simulated sources may be polled, and what it leaves lies ahead."""

from __future__ import annotations

from service.domain.sources.source import back_in_time, lies_ahead
from service.workflows.ports.unit_of_work import Ports


async def run_find_refused_sources(ports: Ports) -> list[str]:
    """Returns the enabled sources that this process may not connect to, each with its address."""
    async with ports.uow() as uow:
        sources = [source for source in await uow.sources.readable() if source.spec.enabled]
    refused = [source for source in sources if ports.egress.sources.objection(source.spec.base_url) is not None]
    return [f"the source {source.name!r} ({source.spec.base_url})" for source in refused]


async def run_return_to_present(ports: Ports) -> None:
    """Makes enabled sources due, and failing until they are read, that a clock ahead of this one has polled."""
    now = ports.clock()
    async with ports.uow() as uow:
        ahead = await uow.polling_states.ahead(now)
        sources = await uow.sources.readable() if ahead else []
    for source in [one for one in sources if one.id in ahead]:
        async with ports.uow() as uow:
            state = await uow.polling_states.hold(source.id)
            if lies_ahead(state, source.spec.poll_interval, now):
                await uow.polling_states.save(back_in_time(state, now))
