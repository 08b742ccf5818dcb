"""Every minute: what was held back is released where nothing holds it any more, what nobody answers is repeated."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from service.domain.alerts.alert import AlertState, Reason
from service.domain.alerts.reconcile import brought_up_to_date
from service.domain.notify.escalation import running_chain
from service.domain.notify.notification import Action
from service.domain.notify.routing.pipeline import match_routes, route_alert
from service.domain.notify.routing.repeats import may_repeat, release, released_policies, repeat, settled
from service.workflows.notify.announce import collect
from service.workflows.notify.escalate import Chain, begin_chains
from service.workflows.notify.follow_up import follow_up, queue, read_notified, schedule, store
from service.workflows.notify.situation import read_situation
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


async def run_repeats(ports: Ports) -> None:
    """Each alert in a transaction of its own, in which nobody else moves it. Safe to run twice, or twice at once."""
    now = ports.clock()
    async with ports.uow() as uow:
        waiting = await uow.notified.alerts_held_back()
        routes = [route for table in await uow.routes.all() for route in table.spec.items]
        firing = [one.id for one in await uow.alerts.firing() if may_repeat(routes, one.kind, one.severity)]
    for alert_id in waiting:
        async with ports.uow() as uow:
            await _release(uow, alert_id, now)
    for alert_id in firing:
        async with ports.uow() as uow:
            await _repeat(uow, alert_id, now)


async def _release(uow: UnitOfWork, alert_id: str, now: datetime) -> None:
    alert = await uow.alerts.lock(alert_id)
    held = (await uow.notified.held_back([alert_id]))[alert_id]
    if alert.state is not AlertState.FIRING or alert.newest.is_calm or not held:
        return
    situation = await read_situation(uow, alert.source_id, now)
    plan = route_alert(alert, situation)
    events = await uow.alerts.events(alert_id)
    notified = {key for _, key in (await uow.notified.of([alert_id]))[alert_id]}
    amendment = brought_up_to_date(alert, now)
    standing, policies = amendment or replace(events[-1], at=now), released_policies(plan, held, notified)
    notifications = release(standing, plan, held, notified, now)
    if amendment is not None and (notifications or policies):
        await uow.alerts.save(amendment)
    if all(one.action is Action.OPEN for one in held):  # a raise never waits
        notifications = await collect(uow, [(plan, one) for one in notifications], now)
    await store(uow, notifications)
    began = running_chain(events)
    assert began is not None, "an alert begins by firing"
    again = replace(began, at=now, reason=Reason.HOLD_OVER)
    notifications += await begin_chains(uow, situation, [Chain(id, again, standing) for id in policies])
    await schedule(uow, now, notifications)
    if amendment is not None and notifications:
        besides = {one.channel for one in notifications}
        notified_by_now = await read_notified(uow, [alert_id])
        await queue(uow, now, follow_up(situation, amendment, notified_by_now, besides=besides))
    await uow.notified.settle({alert_id: settled(plan, held)}, now)


async def _repeat(uow: UnitOfWork, alert_id: str, now: datetime) -> None:
    alert = await uow.alerts.lock(alert_id)
    if alert.state is not AlertState.FIRING or alert.newest.is_calm:
        return
    situation = await read_situation(uow, alert.source_id, now)
    routes = match_routes(alert, situation.labels(alert), situation)
    newest = {one.notification.channel: one for one in await uow.notified.newest(alert_id)}
    amendment = brought_up_to_date(alert, now)
    event = amendment or (await uow.alerts.events(alert_id))[-1]
    notifications = repeat(event, situation, routes, newest)
    if amendment is None or not notifications:
        await queue(uow, now, notifications)
        return
    await uow.alerts.save(amendment)
    await queue(uow, now, notifications)
    besides = {one.channel for one in notifications}
    notified = await read_notified(uow, [alert_id])
    await queue(uow, now, follow_up(situation, amendment, notified, besides=besides))
