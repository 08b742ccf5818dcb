"""Announcing the moves of alerts to whoever the routes lead to, unless something holds it back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from service.domain.alerts.alert import FIRING_COMMANDS, AlertEvent, Command
from service.domain.notify.notification import Action, Notification, NotificationState
from service.domain.notify.routing.groups import Group
from service.domain.notify.routing.pipeline import Plan, enqueue, route_alert
from service.domain.notify.routing.repeats import settled
from service.domain.notify.routing.situation import Situation
from service.workflows.notify.escalate import Chain, begin_chains
from service.workflows.notify.follow_up import (
    Notified,
    find_addresses,
    follow_up,
    read_notified,
    schedule,
    store,
    update_summaries,
)
from service.workflows.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Before:
    """The past of some moves' alerts: who was notified, and what was held back, by alert id."""

    notified: Notified
    held: Mapping[str, Sequence[Notification]]


async def announce(uow: UnitOfWork, situation: Situation, events: Sequence[AlertEvent]) -> None:
    """Queues the notifications of moves, in the moves' own transaction, once all of them are saved.

    A firing alert notifies whoever the routes lead to now. Other moves notify everybody who has been notified of the
    alert before. `situation` is the one that the moves have led to. The number of statements is that of one move.
    """
    before = await _read_before(uow, events)
    plans = [(event, route_alert(event.alert, situation)) for event in events if event.command in FIRING_COMMANDS]
    notifications = await collect(uow, _openings(plans), situation.now)
    for event, plan in plans:
        if event.command is not Command.OPEN:
            notifications += _fire_again(situation, event, plan, before)
    for event in events:
        if event.command not in FIRING_COMMANDS:
            notifications += follow_up(situation, event, before.notified)
    await _settle(uow, situation, plans, before)
    await store(uow, notifications)
    chains = [Chain(one.policy_id, began=event, standing=event) for event, plan in plans for one in plan.escalations]
    await schedule(uow, situation.now, [*notifications, *await begin_chains(uow, situation, chains)])


async def _read_before(uow: UnitOfWork, events: Iterable[AlertEvent]) -> Before:
    """Nothing, of an alert that has just been opened."""
    older = [event for event in events if event.command is not Command.OPEN]
    fire_again = [event.alert.id for event in older if event.command in FIRING_COMMANDS]
    return Before(
        notified=await read_notified(uow, [event.alert.id for event in older]),
        held=await uow.notified.held_back(fire_again) if fire_again else {},
    )


def _openings(plans: Iterable[tuple[AlertEvent, Plan]]) -> list[tuple[Plan, Notification]]:
    """The notifications of opened alerts. A raise never waits, and opens the alert for whoever has not heard of it."""
    opened = [(event, plan) for event, plan in plans if event.command is Command.OPEN]
    return [(plan, one) for event, plan in opened for one in enqueue(event, plan, unheard=())]


def _fire_again(situation: Situation, event: AlertEvent, plan: Plan, before: Before) -> list[Notification]:
    """A channel that is notified now has nothing to catch up on: it hears how things stand."""
    alert_id = event.alert.id
    channels = before.notified.channels[alert_id]
    unheard = {one.channel for one in before.held[alert_id]} - {key for _, key in channels}
    return [
        *enqueue(event, plan, unheard=unheard),
        *update_summaries(event, find_addresses(situation, channels), before.notified),
    ]


async def _settle(
    uow: UnitOfWork, situation: Situation, plans: Iterable[tuple[AlertEvent, Plan]], before: Before
) -> None:
    held = [(event.alert.id, plan, before.held.get(event.alert.id, ())) for event, plan in plans]
    await uow.notified.settle({id: settled(plan, of_alert) for id, plan, of_alert in held if of_alert}, situation.now)


async def collect(uow: UnitOfWork, planned: Iterable[tuple[Plan, Notification]], now: datetime) -> list[Notification]:
    """The same notifications; openings in channels that collect are due when their group's next message leaves."""
    grouped = [(_group_of(plan, one), one) for plan, one in planned]
    due = await uow.groups.join({group.key: group for group, _ in grouped if group is not None}.values(), now)
    return [
        one if group is None else replace(one, group_key=group.key, due_at=due[group.key]) for group, one in grouped
    ]


def _group_of(plan: Plan, one: Notification) -> Group | None:
    """The group that a notification leaves with; None where it leaves at once, or not now."""
    is_opening = one.action is Action.OPEN and one.state is NotificationState.QUEUED
    return plan.groups.get(one.channel) if is_opening else None
