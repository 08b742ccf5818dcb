"""Where an alert would ring at an instant, from what is stored."""

from __future__ import annotations

from datetime import datetime

from service.domain.alerts.alert import Alert, Reason
from service.domain.notify.planning import Address
from service.domain.notify.receivers import channel_key
from service.domain.notify.routing import pipeline
from service.domain.notify.routing.pipeline import Plan, Surroundings, plan_ring
from service.domain.notify.routing.routes import RouteTable
from service.workflows.notify.labelling import label
from service.workflows.ports.unit_of_work import UnitOfWork


async def plan(uow: UnitOfWork, alert: Alert, now: datetime) -> Plan:
    """Whom a ring of an alert would reach at this instant."""
    return plan_ring(alert, await label(uow, alert), await surroundings(uow, alert.source_id, now))


async def quiet_reason(uow: UnitOfWork, alert: Alert, now: datetime) -> Reason | None:
    """Why nobody may be rung for an alert, by whichever way: a silence, or another alert. None where they may."""
    around = await surroundings(uow, alert.source_id, now)
    silenced = pipeline.silence(await label(uow, alert), around.silences, now)
    return silenced or pipeline.inhibit(alert, around.open_alerts)


async def surroundings(uow: UnitOfWork, source_id: str, now: datetime) -> Surroundings:
    tables = await uow.routes.all()
    return Surroundings(
        table=tables[0].spec if tables else RouteTable(()),
        silences=await uow.silences.all(),
        addresses={
            receiver.id: [Address(receiver.id, channel_key(channel), channel) for channel in receiver.spec.channels]
            for receiver in await uow.receivers.all()
        },
        open_alerts=await uow.alerts.open(source_id),
        now=now,
    )
