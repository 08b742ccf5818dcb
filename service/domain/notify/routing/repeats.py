"""Notifications without a move: what was held back is released, or a repetition is due."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from service.domain.alerts.alert import AlertEvent, Command, Reason
from service.domain.alerts.evidence import ALERT_KINDS
from service.domain.notify.notification import Notification, NotificationCause, NotificationState
from service.domain.notify.planning import Address, plan_notifications
from service.domain.notify.routing.pipeline import Escalation, MatchedRoute, Plan, policy_key
from service.domain.notify.routing.routes import Route
from service.domain.notify.routing.situation import Situation
from service.domain.values.severity import Severity

DEFAULT_REPEAT = timedelta(hours=4)
REPEATED_BY_DEFAULT = frozenset({Severity.ERROR, Severity.CRITICAL})
"""The severities of kinds that repeat: spend is going wrong right now. A budget fired, and has nothing new to say."""


# ------------------------------------------------------------------------------------------- released


def release(
    event: AlertEvent, plan: Plan, held: Sequence[Notification], notified: Collection[str], now: datetime
) -> list[Notification]:
    """Notifies the channels that are free now of the highest level that was held back, once.

    `event` is the alert's last: the message says how things stand. `notified` are the channels that were notified
    before. Where none was, the routes of today decide alone: they may have been edited meanwhile.
    """
    waiting = {one.channel for one in held}
    addresses = [one for one in plan.recipients if one.key in waiting or not notified]
    level = str(max(int(one.level) for one in held))
    opening, raising = (
        _now(event, Command.OPEN, Reason.HOLD_OVER, now),
        _now(event, Command.RAISE, Reason.HOLD_OVER, now),
    )
    planned = [
        *plan_notifications(opening, [one for one in addresses if one.key not in notified]),
        *plan_notifications(raising, [one for one in addresses if one.key in notified]),
    ]
    return [replace(one, level=level) for one in planned]


def released_policies(plan: Plan, held: Sequence[Notification], notified: Collection[str]) -> list[str]:
    """The escalation policies that were kept from beginning, or that routes of today put in the place of such.

    Where nobody was notified, and nobody else is now, the routes of today decide alone.
    """
    kept, planned = {one.channel for one in held}, {policy_key(one.policy_id) for one in _policies(plan)}
    # What no policy of today stands for is known by its receiver; the previous release keeps no policy at all.
    receivers = {one.receiver_id for one in held} - {one.receiver_id for one in held if one.channel in planned}
    began = [
        one for one in plan.escalations if policy_key(one.policy_id) in kept or receivers.intersection(one.receiver_ids)
    ]
    if not began and not notified and not plan.recipients:
        began = [*plan.escalations]
    return [one.policy_id for one in began]


def settled(plan: Plan, held: Iterable[Notification]) -> set[str]:
    """Channels and policies that wait no longer: they are notified or begin now, or others do and no route leads there
    by now."""
    if not plan.recipients and not plan.escalations:
        return set()
    return {one.channel for one in held if not _waits(plan, one)}


def _waits(plan: Plan, one: Notification) -> bool:
    """Whether something still holds it back: it, or a policy that routes of today put in its place."""
    policies = [escalation for escalation, _ in plan.held_escalations]
    still = {address.key for address, _ in plan.held_back} | {policy_key(each.policy_id) for each in policies}
    free = {address.key for address in plan.recipients} | {policy_key(each.policy_id) for each in plan.escalations}
    is_replaced = one.channel not in free and any(one.receiver_id in each.receiver_ids for each in policies)
    return one.channel in still or is_replaced


def _policies(plan: Plan) -> list[Escalation]:
    return [*plan.escalations, *(one for one, _ in plan.held_escalations)]


# ------------------------------------------------------------------------------------------- repeated


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest notification of a channel, sent or given up, and the repeats of its level there until now."""

    notification: Notification
    repeats: int


def repeats_after(route: Route, kind: str, severity: str) -> timedelta | None:
    """How long after the last notification a route repeats alerts of this kind and severity; None: never.

    Where the route says nothing, only what is loud is repeated. Escalation policies repeat by themselves.
    """
    if route.escalation_policy_id is not None:
        return None
    if route.repeat_interval is not None:
        return route.repeat_interval or None
    repeats = kind in ALERT_KINDS and ALERT_KINDS[kind].repeats
    return DEFAULT_REPEAT if repeats and severity in REPEATED_BY_DEFAULT else None


def may_repeat(routes: Iterable[Route], kind: str, severity: str) -> bool:
    """Whether any of the routes, matching or not, repeats such an alert."""
    return any(repeats_after(route, kind, severity) is not None for route in routes)


def repeat(
    event: AlertEvent, situation: Situation, routes: Iterable[MatchedRoute], newest: Mapping[str, Latest]
) -> list[Notification]:
    """One more notification for each channel whose newest one is the route's interval ago.

    Of several routes to a channel the first one's interval counts.
    """
    repeated = _now(event, Command.RAISE, Reason.REPEAT_DUE, situation.now)
    due: dict[str, Notification] = {}
    for address, interval in _repeating(event, situation, routes):
        last = newest.get(address.key)
        if last is None or not _is_due(last.notification, interval, situation.now):
            continue
        for planned in plan_notifications(repeated, [address], cause=NotificationCause.REPEAT, round=last.repeats + 1):
            due[address.key] = replace(planned, level=last.notification.level)
    return list(due.values())


def _repeating(
    event: AlertEvent, situation: Situation, routes: Iterable[MatchedRoute]
) -> Iterator[tuple[Address, timedelta]]:
    seen: set[str] = set()
    for one in routes:
        if one.held is not None or one.route.escalation_policy_id is not None:
            continue
        interval = repeats_after(one.route, event.alert.kind, event.alert.severity)
        for address in situation.addresses(*one.receiver_ids):
            if address.key not in seen and interval is not None:
                yield address, interval
            seen.add(address.key)


def _is_due(last: Notification, interval: timedelta, now: datetime) -> bool:
    return last.state is not NotificationState.QUEUED and last.created_at + interval <= now


def _now(event: AlertEvent, command: Command, reason: Reason, now: datetime) -> AlertEvent:
    return replace(event, command=command, reason=reason, at=now)
