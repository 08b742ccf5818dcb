"""Addressing messages: each one's channel as it is configured now, and what its text needs to know besides.

All of it is read once for all messages of a claim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from service.domain.alerts.alert import AlertEvent, Reason
from service.domain.messages.kinds.undelivered import not_delivered
from service.domain.messages.named import actors_in
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.circuits import Concern
from service.domain.notify.escalation import escalated, running_chain
from service.domain.notify.notification import Action, Notification
from service.domain.notify.receivers import Receiver, find_channel
from service.domain.values.names import Names
from service.domain.values.resources import Resource
from service.domain.values.scopes import ScopeKey
from service.workflows.delivery.batch import Batch
from service.workflows.notify.circuits import enter
from service.workflows.notify.sending import defects_fail
from service.workflows.ports.channels import Defect, DeliveryError
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

TOLD_BY_HISTORY = frozenset({Action.RESOLVE, Action.SNOOZE})
"""The moves whose words depend on those before: who answered; whether it slept already."""
BEHIND_ANOTHER = "an earlier message still waits there"
LAST_RESORT = "console:last_resort"
"""The worker's own output: a channel without a receiver, for calls that no other channel takes."""


class ChannelGone(DeliveryError):
    """The receiver was deleted, or has lost the channel."""

    def __init__(self) -> None:
        super().__init__("the channel is no longer part of its receiver", Concern.MESSAGE)


@dataclass(frozen=True, slots=True)
class Addressed:
    """A batch, its channel, why that one is notified where it is not plain, the alert's events where it is over, and
    the names of people that its alerts are about.
    """

    batch: Batch
    channel: ChannelConfig
    preface: str = ""
    history: Sequence[AlertEvent] = ()
    names: Names = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Known:
    """Rows read for all: by receiver's, alert's and failed notification's id; and the channels that fail."""

    receivers: Mapping[str, Resource[Receiver]]
    events: Mapping[str, Sequence[AlertEvent]]
    failed: Mapping[str, Notification]
    names: Names
    failing: frozenset[tuple[str, str]]


async def run_address(ports: Ports, batches: Sequence[Batch]) -> list[tuple[Batch, Addressed | DeliveryError]]:
    """Each batch with its channel, or why it has none. One that cannot be read for holds up no other."""
    if not batches:
        return []
    try:
        with defects_fail(batches[0].head.notification.id):
            async with ports.uow() as uow:
                return await _address(uow, batches, ports.clock())
    except Defect as defect:
        middle = len(batches) // 2
        if middle == 0:
            return [(batches[0], defect)]
        return [*await run_address(ports, batches[:middle]), *await run_address(ports, batches[middle:])]


async def _address(
    uow: UnitOfWork, batches: Sequence[Batch], now: datetime
) -> list[tuple[Batch, Addressed | DeliveryError]]:
    """In one order for all workers: circuits are locked."""
    known = await _read(uow, batches)
    found: list[tuple[Batch, Addressed | DeliveryError]] = []
    for batch in sorted(batches, key=lambda batch: _place(batch.head.notification)):
        try:
            found.append((batch, await _addressed(uow, batch, known, now)))
        except DeliveryError as error:
            found.append((batch, error))
    return found


async def _read(uow: UnitOfWork, batches: Sequence[Batch]) -> _Known:
    notifications = [batch.head.notification for batch in batches]
    fallbacks = {one.fallback_for for one in notifications if one.fallback_for is not None}
    failed = await uow.notifications.some(fallbacks) if fallbacks else {}
    told = {one.alert_id for one in notifications if one.action in TOLD_BY_HISTORY or _is_escalated(one)}
    receivers = {one.receiver_id for one in (*notifications, *failed.values())}
    return _Known(
        receivers=await uow.receivers.some(receivers),
        events=await uow.alerts.events_of(told) if told else {},
        failed=failed,
        names=await _names(uow, batches),
        failing=frozenset(await uow.channel_health.failing_of({_place(one) for one in notifications})),
    )


async def _addressed(uow: UnitOfWork, batch: Batch, known: _Known, now: datetime) -> Addressed:
    """Raises DeliveryError: ChannelGone and ChannelRests among others."""
    one = batch.head.notification
    with defects_fail(one.id):
        history = known.events[one.alert_id] if one.action in TOLD_BY_HISTORY else ()
        channel = _channel(one, known)
        # What the console prints stands among the log's lines, where no person is named.
        names = {} if isinstance(channel, Console) else known.names
        addressed = Addressed(batch, channel, _preface(one, known), history, names)
    if not batch.is_taken and _place(one) in known.failing:
        await enter(uow, one.receiver_id, one.channel, now)
    return addressed


async def _names(uow: UnitOfWork, batches: Sequence[Batch]) -> Names:
    """The names of people, as far as their sources let them be known."""
    actors: dict[str, set[ScopeKey]] = {}
    for alert in (event.alert for batch in batches for event in batch.events):
        if found := actors_in(alert):
            actors.setdefault(alert.source_id, set()).update(found)
    named = [await uow.directory.names(source_id, keys) for source_id, keys in actors.items()]
    return {key: name for names in named for key, name in names.items()}


def _place(one: Notification) -> tuple[str, str]:
    return one.receiver_id, one.channel


def _channel(one: Notification, known: _Known) -> ChannelConfig:
    if one.channel == LAST_RESORT:
        return Console()
    receiver = known.receivers.get(one.receiver_id)
    channel = find_channel(receiver.spec, one.channel) if receiver else None
    if channel is None:
        raise ChannelGone
    return channel


def _preface(one: Notification, known: _Known) -> str:
    """Why this channel is notified, where that is not plain: as a fallback, or by an escalation step."""
    if one.fallback_for is not None:
        failed = known.failed[one.fallback_for]
        receiver = known.receivers.get(failed.receiver_id)
        reason = failed.attempts[-1].detail if failed.attempts else BEHIND_ANOTHER
        return not_delivered(receiver.name if receiver else failed.receiver_id, failed.channel, reason)
    if _is_escalated(one):
        chain = running_chain(known.events[one.alert_id])
        if chain is not None:
            return escalated(chain.at, one.step, one.round)
    return ""


def _is_escalated(one: Notification) -> bool:
    return one.reason is Reason.ESCALATED
