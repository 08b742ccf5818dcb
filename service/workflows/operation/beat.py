"""The dead man's switch: a sign of life for as long as every source is being evaluated."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from service.workflows.ports.channels import Heartbeat, HeartbeatError
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

log = structlog.get_logger(__name__)

FRESH = timedelta(minutes=5)
"""How long ago the last evaluation of each enabled source may be."""


async def run_heartbeat(ports: Ports, heartbeat: Heartbeat) -> bool:
    """Gives the sign, unless evaluation has stopped somewhere; says whether it arrived. Errors are logged."""
    async with ports.uow() as uow:
        late = await _late_sources(uow, ports.clock())
    if late:
        log.warning("heartbeat_withheld", sources=late)
        return False
    try:
        await heartbeat.beat()
    except HeartbeatError as error:
        log.warning("heartbeat_failed", reason=str(error))
        return False
    return True


async def _late_sources(uow: UnitOfWork, now: datetime) -> list[str]:
    """Names of the enabled sources that nothing has evaluated lately."""
    late = []
    for source in await uow.sources.all():
        evaluated_at = (await uow.polling_states.get(source.id)).evaluated_at
        if source.spec.enabled and (evaluated_at is None or now - evaluated_at > FRESH):
            late.append(source.name)
    return late
