"""Every minute: what was held back rings where nothing holds it any more, and what nobody answers is repeated."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from service.domain.alerts import AlertState, Reason
from service.domain.escalation import running_chain
from service.domain.routing.again import chains, release, repeat, settled
from service.domain.routing.pipeline import find_lanes, plan_ring
from service.workflows.announce import queue
from service.workflows.escalate import schedule_steps
from service.workflows.labelling import label
from service.workflows.ports import Ports, UnitOfWork
from service.workflows.routing import surroundings


async def run_rings_again(ports: Ports) -> None:
    """Each alert in a transaction of its own, in which nobody else moves it. Safe to run twice, or twice at once."""
    now = ports.clock()
    async with ports.uow() as uow:
        waiting = await uow.rings.alerts_held_back()
        tables = await uow.routes.all()
        repeats = any(route.repeat_interval for table in tables for route in table.spec.items)
        firing = await uow.rings.alerts_firing() if repeats else []
    for alert_id in waiting:
        async with ports.uow() as uow:
            await _release(uow, alert_id, now)
    for alert_id in firing:
        async with ports.uow() as uow:
            await _repeat(uow, alert_id, now)


async def _release(uow: UnitOfWork, alert_id: str, now: datetime) -> None:
    alert = await uow.rings.lock(alert_id)
    held = await uow.rings.held(alert_id)
    if alert.state is not AlertState.FIRING or not held:
        return
    plan = plan_ring(alert, await label(uow, alert), await surroundings(uow, alert.source_id, now))
    events = await uow.alerts.events(alert_id)
    told = {key for _, key in await uow.notifications.told(alert_id)}
    await queue(uow, now, release(events[-1], plan, held, told, now))
    began = running_chain(events)
    assert began is not None, "an alert begins by ringing"
    for policy_id in chains(plan, held):
        await schedule_steps(uow, replace(began, at=now, reason=Reason.HOLD_OVER), policy_id)
    await uow.rings.settle(alert_id, settled(plan, held), now)


async def _repeat(uow: UnitOfWork, alert_id: str, now: datetime) -> None:
    alert = await uow.rings.lock(alert_id)
    if alert.state is not AlertState.FIRING:
        return
    around = await surroundings(uow, alert.source_id, now)
    lanes = find_lanes(alert, await label(uow, alert), around)
    event = (await uow.alerts.events(alert_id))[-1]
    last = {one.channel: one for one in await uow.rings.last(alert_id)}
    await queue(uow, now, repeat(event, lanes, around.addresses, last, now))
