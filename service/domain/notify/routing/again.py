"""Ringing without a move: what was held back is free, or a repetition is due."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from service.domain.alerts.alert import Alert, AlertEvent, Command, Reason
from service.domain.notify.notification import Notification, NotificationState
from service.domain.notify.planning import Address, plan_notifications
from service.domain.notify.routing.pipeline import Lane, Plan
from service.domain.notify.routing.repeating import repeats_after

REPEATED = -2
"""The step of repetitions, which are counted in rounds."""


def release(
    event: AlertEvent, plan: Plan, held: Sequence[Notification], told: Collection[str], now: datetime
) -> list[Notification]:
    """The highest level that was held back, once, in the channels that are free now.

    `event` is the alert's last: the message says how things stand. `told` are the channels that were rung before. Where
    nobody was, the routes of today decide alone: they may have been edited meanwhile.
    """
    waiting = {one.channel for one in held}
    addresses = [one for one in plan.ring if one.key in waiting or not told]
    level = str(max(int(one.level) for one in held))
    opening, raising = (
        _again(event, Command.OPEN, Reason.HOLD_OVER, now),
        _again(event, Command.RAISE, Reason.HOLD_OVER, now),
    )
    planned = [
        *plan_notifications(opening, [one for one in addresses if one.key not in told]),
        *plan_notifications(raising, [one for one in addresses if one.key in told]),
    ]
    return [replace(one, level=level) for one in planned]


def chains(plan: Plan, held: Iterable[Notification]) -> list[str]:
    """The escalation policies that were kept from beginning, and may begin."""
    kept = {one.receiver_id for one in held}
    return [chain.policy_id for chain in plan.policies if chain.receiver_id in kept]


def settled(plan: Plan, held: Iterable[Notification]) -> set[str]:
    """Channels with nothing to wait for any more: they ring now, or others do and no route leads there by now."""
    if not plan.ring and not plan.policies:
        return set()
    still = {address.key for address, _ in plan.hold}
    return {one.channel for one in held} - still


def repeat(
    event: AlertEvent,
    lanes: Iterable[Lane],
    addresses: Mapping[str, Sequence[Address]],
    last_rings: Mapping[str, Notification],
    now: datetime,
) -> list[Notification]:
    """One more ring in each channel whose last one, sent or given up, is the route's interval ago.

    Of several routes to a channel the first one's interval counts. Escalation policies repeat by themselves.
    """
    asked = _again(event, Command.RAISE, Reason.REPEAT_DUE, now)
    due: dict[str, Notification] = {}
    for address, interval in _repeating(event.alert, lanes, addresses):
        last = last_rings.get(address.key)
        if last is None or not _is_due(last, interval, now):
            continue
        for planned in plan_notifications(asked, [address], step=REPEATED, round=last.round + 1):
            due[address.key] = replace(planned, level=last.level)
    return list(due.values())


def _repeating(
    alert: Alert, lanes: Iterable[Lane], addresses: Mapping[str, Sequence[Address]]
) -> Iterator[tuple[Address, timedelta]]:
    seen: set[str] = set()
    for lane in lanes:
        if lane.held is not None or lane.route.escalation_policy_id is not None:
            continue
        interval = repeats_after(lane.route, alert.kind, alert.severity)
        for address in addresses.get(lane.route.receiver_id, ()):
            if address.key not in seen and interval is not None:
                yield address, interval
            seen.add(address.key)


def _is_due(last: Notification, interval: timedelta, now: datetime) -> bool:
    return last.state is not NotificationState.QUEUED and last.created_at + interval <= now


def _again(event: AlertEvent, command: Command, reason: Reason, now: datetime) -> AlertEvent:
    return replace(event, command=command, reason=reason, at=now)
