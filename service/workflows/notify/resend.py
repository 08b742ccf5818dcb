"""Every minute: channels that forget alerts, such as an Alertmanager, are sent again what they were sent last."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from service.domain.alerts.alert import AlertState
from service.domain.messages.message import compose
from service.domain.notify.channels.registry import KINDS, ChannelConfig
from service.domain.notify.notification import MOST_AT_ONCE, Action, Delivery
from service.domain.notify.receivers import find_channel
from service.workflows.notify.circuits import resting
from service.workflows.notify.page_links import linked
from service.workflows.notify.sending import send_whole
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.notify import LatestSent
from service.workflows.ports.outages import Outages
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

REPETITIONS = "repetitions"

INTERVAL = timedelta(minutes=1)
AFTER_THE_END = timedelta(minutes=5)
"""How long an end is repeated: for a member that was away, or took it before a repetition that was under way."""
REPEATED = tuple(name for name, kind in KINDS.items() if kind.traits.repeated)


@dataclass(frozen=True, slots=True)
class _Repetition:
    config: ChannelConfig
    sent: LatestSent


async def run_resend(ports: Ports) -> int:
    """Sends all of it once more, past the notifications, and returns how much was taken.

    What fails is logged, and is due in a minute again. What waits in the queue for its first time is not sent here.
    """
    now = ports.clock()
    async with ports.uow() as uow:
        sent = [
            one for kind in REPEATED for one in await uow.notified.latest_sent(kind, resolved_after=now - AFTER_THE_END)
        ]
        repetitions = await _address(uow, sent, now) if sent else []
    outcomes: list[str | DeliveryError] = []
    for begin in range(0, len(repetitions), MOST_AT_ONCE):
        batch = repetitions[begin : begin + MOST_AT_ONCE]
        outcomes += await asyncio.gather(*(_send(ports, one, now) for one in batch))
    return _report(ports.outages, outcomes)


async def _address(uow: UnitOfWork, sent: Sequence[LatestSent], now: datetime) -> list[_Repetition]:
    """Leaves out channels that are gone or rest. One whose address changed since knows an alert under two keys."""
    receivers = {receiver.id: receiver.spec for receiver in await uow.receivers.readable()}
    closed = await resting(uow, now)
    newest: dict[tuple[ChannelConfig, str], _Repetition] = {}
    for one in sorted(sent, key=lambda one: one.notification.alert_version):
        place = one.notification.receiver_id, one.notification.channel
        receiver = receivers.get(one.notification.receiver_id)
        config = find_channel(receiver, one.notification.channel) if receiver else None
        if config is not None and place not in closed:
            newest[config, one.notification.alert_id] = _Repetition(config, one)
    return list(newest.values())


async def _send(ports: Ports, repetition: _Repetition, now: datetime) -> str | DeliveryError:
    """Returns what the channel answered, or why it did not take it."""
    delivery = _delivery(repetition.sent, ports.public_url, now)
    delivery = replace(
        delivery, message=linked(ports, delivery.message, repetition.sent.notification.receiver_id, repetition.config)
    )
    try:
        return (await send_whole(ports.channels.open(repetition.config), delivery)).detail
    except DeliveryError as error:
        return error


def _delivery(sent: LatestSent, public_url: str, now: datetime) -> Delivery:
    """Repeats the message as of now; an end as of its own time, but not before what it ends."""
    notification, event = sent.notification, sent.event
    is_over = event.alert.state is AlertState.RESOLVED
    action = Action.RESOLVE if is_over else notification.action
    at = max(event.at, notification.sent_at or event.at) if is_over else now
    return Delivery(notification.id, action, compose(event, action, public_url), sent.post, at)


def _report(outages: Outages, outcomes: Sequence[str | DeliveryError]) -> int:
    """Makes one outage of all failures: there may be one for each open alert, every minute."""
    failures = [one for one in outcomes if isinstance(one, DeliveryError)]
    if failures:
        reasons = sorted({failure.reason for failure in failures})
        outages.failed(REPETITIONS, f"{len(failures)} alerts could not be repeated: {'; '.join(reasons)}")
    elif outcomes:
        outages.worked(REPETITIONS)
    return len(outcomes) - len(failures)
