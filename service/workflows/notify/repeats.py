"""Every minute: what was held back rings where nothing holds it any more, and what nobody answers is repeated."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from service.domain.alerts.alert import AlertState, Reason
from service.domain.alerts.reconcile import brought_up_to_date
from service.domain.notify.escalation import running_chain
from service.domain.notify.notification import Action
from service.domain.notify.routing.again import chains, release, repeat, settled
from service.domain.notify.routing.pipeline import find_lanes, plan_ring
from service.domain.notify.routing.repeating import may_repeat
from service.workflows.notify.announce import announce, queue
from service.workflows.notify.escalate import schedule_steps
from service.workflows.notify.gather import gather
from service.workflows.notify.labelling import label
from service.workflows.notify.routing import surroundings
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


async def run_rings_again(ports: Ports) -> None:
    """Each alert in a transaction of its own, in which nobody else moves it. Safe to run twice, or twice at once."""
    now = ports.clock()
    async with ports.uow() as uow:
        waiting = await uow.notified.alerts_held_back()
        tables = await uow.routes.all()
        routes = [route for table in tables for route in table.spec.items]
        firing = [one.id for one in await uow.alerts.firing() if may_repeat(routes, one.kind, one.severity)]
    for alert_id in waiting:
        async with ports.uow() as uow:
            await _release(uow, alert_id, now)
    for alert_id in firing:
        async with ports.uow() as uow:
            await _repeat(uow, alert_id, now)


async def _release(uow: UnitOfWork, alert_id: str, now: datetime) -> None:
    alert = await uow.alerts.lock(alert_id)
    held = await uow.notified.held_back(alert_id)
    if alert.state is not AlertState.FIRING or not held:
        return
    plan = plan_ring(alert, await label(uow, alert), await surroundings(uow, alert.source_id, now))
    events = await uow.alerts.events(alert_id)
    told = {key for _, key in await uow.notified.of(alert_id)}
    amendment = brought_up_to_date(alert, now)
    standing, policies = amendment or replace(events[-1], at=now), chains(plan, held)
    notifications = release(standing, plan, held, told, now)
    if amendment is not None and (notifications or policies):
        await uow.alerts.save(amendment)
    if all(one.action is Action.OPEN for one in held):  # a raise never waits
        notifications = await gather(uow, plan, notifications, now)
    await queue(uow, now, notifications)
    began = running_chain(events)
    assert began is not None, "an alert begins by ringing"
    chain, rung = replace(began, at=now, reason=Reason.HOLD_OVER), {one.channel for one in notifications}
    for policy_id in policies:
        rung |= await schedule_steps(uow, standing, policy_id, chain=chain)
    if amendment is not None and rung:
        await announce(uow, amendment, besides=rung)
    await uow.notified.settle(alert_id, settled(plan, held), now)


async def _repeat(uow: UnitOfWork, alert_id: str, now: datetime) -> None:
    alert = await uow.alerts.lock(alert_id)
    if alert.state is not AlertState.FIRING:
        return
    around = await surroundings(uow, alert.source_id, now)
    lanes = find_lanes(alert, await label(uow, alert), around)
    last = {one.channel: one for one in await uow.notified.newest(alert_id)}
    amendment = brought_up_to_date(alert, now)
    event = amendment or (await uow.alerts.events(alert_id))[-1]
    notifications = repeat(event, lanes, around.addresses, last, now)
    if amendment is None or not notifications:
        await queue(uow, now, notifications)
        return
    await uow.alerts.save(amendment)
    await queue(uow, now, notifications)
    await announce(uow, amendment, besides={one.channel for one in notifications})
