"""The way of a ring, one function for each step: silence, inhibit, mute, group, route, dedupe, enqueue.

What is held back is written down all the same, with the step's reason, and rings later where that still makes sense.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from service.domain.alerts.alert import Alert, AlertEvent, Command, Reason
from service.domain.alerts.evidence import BudgetEvidence
from service.domain.notify.channels.traits import Audience
from service.domain.notify.notification import Notification, NotificationState
from service.domain.notify.planning import Address, plan_notifications
from service.domain.notify.routing.groups import Gathering, group
from service.domain.notify.routing.labels import Labels
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.notify.routing.silences import Silence, silencing
from service.domain.values.resources import Resource

HELD_BACK = -1
"""The step of what was held back: the real ring, when it comes, is another notification."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What decides about a ring besides the alert: the configuration and the other open alerts, at an instant."""

    table: RouteTable
    silences: Sequence[Resource[Silence]]
    addresses: Mapping[str, Sequence[Address]]
    """Those of each receiver, by its id."""
    open_alerts: Sequence[Alert]
    now: datetime


@dataclass(frozen=True, slots=True)
class Lane:
    """A matching route on its way to its receiver. `held` is why it rings nobody now, `gathering` how it collects."""

    route: Route
    held: Reason | None
    gathering: Gathering | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """An escalation policy that rings in the stead of its route's receiver."""

    policy_id: str
    receiver_id: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom a ring reaches now, whom it does not and why, and which escalation policies begin.

    `gatherings` are those of the channels, by key, to which openings go collected.
    """

    ring: tuple[Address, ...] = ()
    hold: tuple[tuple[Address, Reason], ...] = ()
    policies: tuple[Chain, ...] = ()
    gatherings: Mapping[str, Gathering] = field(default_factory=dict)


def plan_ring(alert: Alert, labels: Labels, around: Surroundings) -> Plan:
    """All steps but the last."""
    return dedupe(find_lanes(alert, labels, around), around.addresses)


def find_lanes(alert: Alert | None, labels: Labels, around: Surroundings) -> list[Lane]:
    """The routes that match, in order, and what holds each back. What is no alert is inhibited by none."""
    quiet = silence(labels, around.silences, around.now) or (inhibit(alert, around.open_alerts) if alert else None)
    return [Lane(one, quiet or mute(one, around.now), group(one, labels)) for one in route(labels, around.table)]


def route(labels: Labels, table: RouteTable) -> tuple[Route, ...]:
    return table.matching(labels)


def silence(labels: Labels, silences: Iterable[Resource[Silence]], now: datetime) -> Reason | None:
    return Reason.SILENCED if silencing(silences, labels, now) else None


def inhibit(alert: Alert, open_alerts: Iterable[Alert]) -> Reason | None:
    return Reason.INHIBITED if any(inhibits(other, alert) for other in open_alerts) else None


def inhibits(other: Alert, alert: Alert) -> bool:
    """Spend that has crossed a threshold keeps quiet the forecast of the same budget, scope and period."""
    evidence, actual = alert.evidence, other.evidence
    return (
        isinstance(evidence, BudgetEvidence)
        and isinstance(actual, BudgetEvidence)
        and evidence.by_forecast
        and not actual.by_forecast
        and other.is_open
        and (actual.budget_id, other.scope, actual.period) == (evidence.budget_id, alert.scope, evidence.period)
    )


def mute(route: Route, now: datetime) -> Reason | None:
    return Reason.MUTED_TIME if route.is_muted(now) else None


def dedupe(lanes: Iterable[Lane], addresses: Mapping[str, Sequence[Address]]) -> Plan:
    """A channel that several routes lead to is rung once, and is rung where one of them is free.

    A route with an escalation policy leaves the ringing to the policy. Where several free routes lead to a channel,
    one that does not collect rings it at once; else the first one's group counts.
    """
    ring: dict[str, Address] = {}
    hold: dict[str, tuple[Address, Reason]] = {}
    policies: dict[str, Chain] = {}
    gatherings: dict[str, list[Gathering | None]] = defaultdict(list)
    for lane in lanes:
        policy = lane.route.escalation_policy_id
        if lane.held is None and policy is not None:
            policies.setdefault(policy, Chain(policy, lane.route.receiver_id))
            continue
        for address in addresses.get(lane.route.receiver_id, ()):
            if lane.held is None:
                ring.setdefault(address.key, address)
                for_people = address.channel.traits.audience is Audience.PEOPLE
                gatherings[address.key].append(lane.gathering if for_people else None)
            else:
                hold.setdefault(address.key, (address, lane.held))
    return Plan(
        tuple(ring.values()),
        tuple(one for key, one in hold.items() if key not in ring),
        tuple(policies.values()),
        {key: of_key[0] for key, of_key in gatherings.items() if of_key[0] is not None and None not in of_key},
    )


def enqueue(event: AlertEvent, plan: Plan, *, unheard: Collection[str]) -> list[Notification]:
    """The notifications of a ring. To `unheard` channels, from which the alert's opening was kept, it is an opening."""
    opening = replace(event, command=Command.OPEN)
    known = [one for one in plan.ring if one.key not in unheard]
    new = [one for one in plan.ring if one.key in unheard]
    held = [
        replace(notification, reason=reason, state=NotificationState.SUPPRESSED)
        for address, reason in plan.hold
        for notification in plan_notifications(event, [address], step=HELD_BACK)
    ]
    return [*plan_notifications(event, known), *plan_notifications(opening, new), *held]
