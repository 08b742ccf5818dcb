"""From a firing alert to notifications, one function a step: silence, inhibit, mute, group, route, dedupe, enqueue.

What is held back is stored all the same, with the step's reason, and is sent later where that still makes sense.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from service.domain.alerts.alert import Alert, AlertEvent, Command, Reason
from service.domain.alerts.evidence import ALERT_KINDS
from service.domain.notify.channels.traits import Audience
from service.domain.notify.notification import Notification, NotificationCause, NotificationState
from service.domain.notify.planning import ACTIONS, Address, plan_notifications, planned
from service.domain.notify.routing.groups import Group, group
from service.domain.notify.routing.labels import Labels
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.notify.routing.silences import Silence, describe_silence, silencing
from service.domain.notify.routing.situation import Situation
from service.domain.values.resources import Resource


@dataclass(frozen=True, slots=True)
class MatchedRoute:
    """A route that matches an alert, and whom it leads to: receivers' ids.

    `held` is why it notifies nobody now, `group` how it collects.
    """

    route: Route
    receiver_ids: tuple[str, ...]
    held: Reason | None
    group: Group | None = None


@dataclass(frozen=True, slots=True)
class Escalation:
    """An escalation policy that begins instead of notifying its route's receivers."""

    policy_id: str
    receiver_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom a firing alert notifies now, whom it does not and why, which escalation policies begin and which do not.

    `groups` are those of the channels, by key, to which openings go collected. `silenced_by` names the silences.
    """

    recipients: tuple[Address, ...] = ()
    held_back: tuple[tuple[Address, Reason], ...] = ()
    escalations: tuple[Escalation, ...] = ()
    held_escalations: tuple[tuple[Escalation, Reason], ...] = ()
    groups: Mapping[str, Group] = field(default_factory=dict)
    silenced_by: str = ""


def route_alert(alert: Alert, situation: Situation) -> Plan:
    """All steps but the last."""
    labels = situation.labels(alert)
    silences = silences_of(alert, labels, situation)
    plan = plan_of(match_routes(alert, labels, situation), labels, situation)
    return replace(plan, silenced_by="; ".join(describe_silence(one) for one in silences))


def plan_of(matched: Sequence[MatchedRoute], labels: Labels, situation: Situation) -> Plan:
    """The plan of the routes that match an alert, or labels: kinds that call nobody reach what people read alone."""
    plan = dedupe(matched, situation)
    calls = all(ALERT_KINDS[kind].calls for kind in labels.get("kind", ()))
    return plan if calls else _without_calls(plan, situation)


def match_routes(alert: Alert | None, labels: Labels, situation: Situation) -> list[MatchedRoute]:
    """The routes that match, in order, and what holds each back. Labels without an alert are inhibited by none."""
    now = situation.now
    held = hold_reason(alert, labels, situation)
    owners = situation.owners(alert, labels)
    return [
        MatchedRoute(one, one.receivers(owners), held or mute(one, now), group(one, labels))
        for one in route(labels, situation.configuration.routes)
    ]


def hold_reason(alert: Alert | None, labels: Labels, situation: Situation) -> Reason | None:
    """Why nobody is notified of an alert by any route: a silence, or another alert. None where they are."""
    silenced = silence(labels, _silences_for(alert, situation), situation.now)
    return silenced or (inhibit(alert, situation.open_in(alert.scope)) if alert else None)


def step_hold(alert: Alert, policy_id: str, situation: Situation) -> Reason | None:
    """Why a policy that has begun calls nobody now: as `hold_reason`, or since all routes to it are muted."""
    labels = situation.labels(alert)
    matched = match_routes(alert, labels, situation)
    leading = [one.held for one in matched if one.route.escalation_policy_id == policy_id]
    muted = leading[0] if leading and None not in leading else None
    return hold_reason(alert, labels, situation) or muted


def silences_of(alert: Alert | None, labels: Labels, situation: Situation) -> tuple[Resource[Silence], ...]:
    """The silences that hold an alert, or labels alone, back now."""
    return silencing(_silences_for(alert, situation), labels, situation.now)


def _silences_for(alert: Alert | None, situation: Situation) -> list[Resource[Silence]]:
    """The silences that may hold an alert back."""
    silences = situation.configuration.silences.values()
    return [one for one in silences if alert is None or alert.evidence.may_be_silenced_by(one.id)]


def route(labels: Labels, table: RouteTable) -> tuple[Route, ...]:
    return table.matching(labels)


def silence(labels: Labels, silences: Iterable[Resource[Silence]], now: datetime) -> Reason | None:
    return Reason.SILENCED if silencing(silences, labels, now) else None


def inhibit(alert: Alert, open_alerts: Iterable[Alert]) -> Reason | None:
    return Reason.INHIBITED if any(inhibits(other, alert) for other in open_alerts) else None


def inhibits(other: Alert, alert: Alert) -> bool:
    """Whether another open alert of the same scope keeps this one quiet, by what the kinds of both say."""
    return other.is_open and other.scope == alert.scope and other.evidence.inhibits(alert.evidence)


def mute(route: Route, now: datetime) -> Reason | None:
    return Reason.MUTED_TIME if route.is_muted(now) else None


def dedupe(routes: Iterable[MatchedRoute], situation: Situation) -> Plan:
    """Notifies a channel that several routes lead to once, and does so where one of them is free.

    A route with an escalation policy leaves the notifying to the policy, where that can be read. Where several free
    routes lead to a channel, one that does not collect notifies it at once; else the first one's group counts.
    """
    recipients: dict[str, Address] = {}
    held_back: dict[str, tuple[Address, Reason]] = {}
    escalations: dict[str, Escalation] = {}
    held_escalations: dict[str, tuple[Escalation, Reason]] = {}
    groups: dict[str, list[Group | None]] = defaultdict(list)
    for one in routes:
        policy = one.route.escalation_policy_id
        if one.held is None and policy is not None and situation.can_call(policy):
            escalations.setdefault(policy, Escalation(policy, one.receiver_ids))
            continue
        if one.held is not None and policy is not None:
            held_escalations.setdefault(policy, (Escalation(policy, one.receiver_ids), one.held))
        for address in situation.addresses(*one.receiver_ids):
            if one.held is None:
                recipients.setdefault(address.key, address)
                for_people = address.channel.traits.audience is Audience.PEOPLE
                groups[address.key].append(one.group if for_people else None)
            else:
                held_back.setdefault(address.key, (address, one.held))
    return Plan(
        tuple(recipients.values()),
        tuple(one for key, one in held_back.items() if key not in recipients),
        tuple(escalations.values()),
        tuple(one for policy, one in held_escalations.items() if policy not in escalations),
        {key: of_key[0] for key, of_key in groups.items() if of_key[0] is not None and None not in of_key},
    )


def _without_calls(plan: Plan, situation: Situation) -> Plan:
    """The plan with channels that people read alone: no policy begins, and its route's receiver is notified."""
    of_policies = (address for one in plan.escalations for address in situation.addresses(*one.receiver_ids))
    readable = {
        one.key: one for one in (*plan.recipients, *of_policies) if one.channel.traits.audience is Audience.PEOPLE
    }
    return replace(plan, recipients=tuple(readable.values()), escalations=(), held_escalations=())


def enqueue(event: AlertEvent, plan: Plan, *, unheard: Collection[str]) -> list[Notification]:
    """The notifications of a firing alert. To `unheard` channels, which missed its opening, it is one."""
    opening = replace(event, command=Command.OPEN)
    known = [one for one in plan.recipients if one.key not in unheard]
    new = [one for one in plan.recipients if one.key in unheard]
    return [*plan_notifications(event, known), *plan_notifications(opening, new), *_held(event, plan)]


def _held(event: AlertEvent, plan: Plan) -> list[Notification]:
    """Returns what is held back, by channel and by policy: a policy may be where its receiver is notified."""
    cause = NotificationCause.HELD_BACK
    held = [
        (reason, one) for address, reason in plan.held_back for one in plan_notifications(event, [address], cause=cause)
    ]
    for escalation, reason in plan.held_escalations:
        place = policy_key(escalation.policy_id)
        held += [
            (reason, planned(event, receiver_id, place, ACTIONS[event.command], cause=cause))
            for receiver_id in escalation.receiver_ids[:1]
        ]
    return [
        replace(
            one,
            reason=reason,
            state=NotificationState.SUPPRESSED,
            held_by=plan.silenced_by if reason is Reason.SILENCED else "",
        )
        for reason, one in held
    ]


def policy_key(policy_id: str) -> str:
    """Returns what stands in the place of a channel's key where an escalation policy is held back."""
    return f"policy:{policy_id}"
