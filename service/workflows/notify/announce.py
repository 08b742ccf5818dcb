"""Announcing the moves of alerts to whoever the routes lead to, unless something holds it back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from service.domain.alerts.alert import FIRING_COMMANDS, AlertEvent, Command
from service.domain.notify.notification import Action, Notification, NotificationState
from service.domain.notify.routing.groups import Group
from service.domain.notify.routing.pipeline import Plan, enqueue, route_alert
from service.domain.notify.routing.repeats import settled
from service.domain.notify.routing.situation import Situation
from service.workflows.notify.escalate import begin_chain
from service.workflows.notify.follow_up import (
    find_addresses,
    follow_up,
    schedule,
    store,
    update_summaries,
)
from service.workflows.ports.unit_of_work import UnitOfWork


async def announce(uow: UnitOfWork, situation: Situation, events: Sequence[AlertEvent]) -> None:
    """Queues the notifications of moves, in the moves' own transaction, once all of them are saved.

    A firing alert notifies whoever the routes lead to now. Other moves notify everybody who has been notified of the
    alert before. `situation` is the one before the moves.
    """
    notifications: list[Notification] = []
    chains: list[tuple[AlertEvent, str]] = []
    for event in events:
        situation = situation.after(event)
        if event.command in FIRING_COMMANDS:
            plan = route_alert(event.alert, situation)
            notifications += await _fire(uow, situation, event, plan)
            chains += [(event, one.policy_id) for one in plan.escalations]
        else:
            notifications += await follow_up(uow, situation, event)
    await store(uow, notifications)
    for event, policy_id in chains:
        notifications += await begin_chain(uow, situation, policy_id, chain=event, standing=event)
    await schedule(uow, situation.now, notifications)


async def _fire(uow: UnitOfWork, situation: Situation, event: AlertEvent, plan: Plan) -> list[Notification]:
    """A channel that is notified now has nothing to catch up on: it hears how things stand."""
    if event.command is Command.OPEN:  # a raise never waits, and opens the alert for whoever has not heard of it
        return await collect(uow, plan, enqueue(event, plan, unheard=()), event.at)
    alert_id = event.alert.id
    notified, held = await uow.notified.of(alert_id), await uow.notified.held_back(alert_id)
    if held:
        await uow.notified.settle(alert_id, settled(plan, held), event.at)
    unheard = {one.channel for one in held} - {key for _, key in notified}
    return [
        *enqueue(event, plan, unheard=unheard),
        *await update_summaries(uow, event, find_addresses(situation, notified)),
    ]


async def collect(
    uow: UnitOfWork, plan: Plan, notifications: Iterable[Notification], now: datetime
) -> list[Notification]:
    """The same notifications; openings in channels that collect are due when their group's next message leaves."""
    return [await _collected(uow, plan.groups.get(one.channel), one, now) for one in notifications]


async def _collected(uow: UnitOfWork, group: Group | None, one: Notification, now: datetime) -> Notification:
    if group is None or one.action is not Action.OPEN or one.state is not NotificationState.QUEUED:
        return one
    return replace(one, group_key=group.key, due_at=await uow.groups.join(group, now))
