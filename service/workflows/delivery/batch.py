"""Claiming what is due: which notifications leave as one message, and which wait for their channel."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from service.domain.alerts.alert import AlertEvent, Reason
from service.domain.messages.named import with_names
from service.domain.messages.summary import opening_now
from service.domain.notify.channels.registry import traits_of
from service.domain.notify.channels.traits import Audience, Rate
from service.domain.notify.notification import (
    FIRING_ACTIONS,
    MOST_AT_ONCE,
    TAKEN,
    Action,
    Attempt,
    Notification,
    NotificationCause,
    NotificationState,
)
from service.domain.values.names import Names
from service.workflows.ports.notify import DueNotification, Summary
from service.workflows.ports.unit_of_work import UnitOfWork

QUIETING = frozenset({Action.RESOLVE, Action.ACKNOWLEDGE, Action.SNOOZE})
"""The actions that end the calls of an on-call tool."""
_SAID = dict.fromkeys(FIRING_ACTIONS, "a later call had more to say") | {
    Action.RESOLVE: "it was over",
    Action.ACKNOWLEDGE: "somebody had acknowledged it",
    Action.SNOOZE: "somebody had snoozed it",
}
LEASE = timedelta(minutes=2)
"""Real time after which a notification whose sender died is taken by another worker."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Notifications of one channel of a receiver that leave as one message; the first one stands for all.

    `edits` is the summary that the message updates. `present` are the newest events of the alerts that a summary, new
    or updated, lists; it is empty for a message about one alert alone.
    """

    notifications: tuple[DueNotification, ...]
    edits: Summary | None = None
    present: tuple[AlertEvent, ...] = ()

    @property
    def head(self) -> DueNotification:
        return self.notifications[0]

    @property
    def events(self) -> tuple[AlertEvent, ...]:
        """All that the message is about."""
        return (*(due.event for due in self.notifications), *self.present)

    def named(self, names: Names) -> Batch:
        """The same with the names of people in the place of their numbers."""
        due = tuple(replace(one, event=with_names(one.event, names)) for one in self.notifications)
        return replace(self, notifications=due, present=tuple(with_names(event, names) for event in self.present))

    @property
    def is_taken(self) -> bool:
        """Whether the channel has the message: its sender died before all was added."""
        return self.head.notification.is_taken

    @property
    def summary_id(self) -> str | None:
        """The id of the summary that the message is; None for a message about one alert alone."""
        if self.edits is not None:
            return self.edits.id
        if self.is_taken:
            return self.head.notification.sent_with
        return self.head.notification.id if len(self.notifications) > 1 else None

    def reported_version(self, due: DueNotification) -> int:
        """The version of its alert that the message reports for one of the notifications."""
        alert = due.event.alert
        return {event.alert.id: event.alert.version for event in self.present}.get(alert.id, alert.version)


async def claim_batches(uow: UnitOfWork, now: datetime, besides: Collection[str] = ()) -> list[Batch] | None:
    """The messages that may leave now, after the others were put off; None where nothing was due.

    None is for the channels `besides` which there are others.
    """
    due = await uow.notifications.claim(now=now, limit=MOST_AT_ONCE, lease=LEASE, besides=besides)
    if not due:
        return None
    batches = await _drop_resolved(uow, _leaving_together(due), now)
    batches = [
        one for one in batches if not (await _is_left_too_long(uow, one, now) or await _is_said_later(uow, one, now))
    ]
    return [await _with_summary(uow, batch) for batch in await _in_turn(uow, batches, now)]


# ----------------------------------------------------------------------------------- leaving together


def _leaving_together(due: Iterable[DueNotification]) -> list[Batch]:
    """An alert's message by itself, the collected alerts of a group, or the updates of one summary."""
    together: dict[tuple[str, ...], list[DueNotification]] = {}
    for one in sorted(due, key=lambda one: (one.notification.due_at, one.notification.id)):
        together.setdefault(_belongs_to(one), []).append(one)
    return [
        Batch(tuple(batch), edits=batch[0].summary if _edits_its_summary(batch[0]) else None)
        for batch in together.values()
    ]


def _belongs_to(due: DueNotification) -> tuple[str, ...]:
    one = due.notification
    if one.is_taken:
        return TAKEN, one.sent_with or one.id, one.channel
    if _is_collected(one):
        return "group", one.group_key or "", one.channel, one.receiver_id
    if due.summary is not None and _edits_its_summary(due):
        return "summary", due.summary.id, one.channel, one.receiver_id
    return "alert", one.id


def _is_collected(one: Notification) -> bool:
    return one.action is Action.OPEN and one.group_key is not None


def _edits_its_summary(due: DueNotification) -> bool:
    """Where an alert has no message of its own, what follows its opening updates the summary."""
    one = due.notification
    if due.summary is None or one.action in FIRING_ACTIONS or not traits_of(one.channel).kept_current:
        return False
    return one.cause is NotificationCause.SUMMARY or not due.notified_alone


async def _drop_resolved(uow: UnitOfWork, batches: Iterable[Batch], now: datetime) -> list[Batch]:
    """Drops collected alerts that all resolved before their message left; the others are read as they stand."""
    kept = []
    for batch in batches:
        if not _is_collected(batch.head.notification):
            kept.append(batch)
            continue
        present = await uow.groups.present({one.notification.alert_id for one in batch.notifications})
        if any(event.alert.is_open for event in present) or any(map(_may_have_left, batch.notifications)):
            kept.append(_as_they_stand(batch, present))
        else:
            await _drop(uow, batch, present, now)
    return kept


async def _is_left_too_long(uow: UnitOfWork, batch: Batch, now: datetime) -> bool:
    """Whether the addresses that a message was left to hear no more of it: their alert is over, and they of its end."""
    one = batch.head.notification
    if not one.left_to or one.action is Action.RESOLVE:
        return False
    if any(event.alert.is_open for event in await uow.groups.present({one.alert_id})):
        return False
    settled = (*one.attempts, Attempt(now, "settled", f"it was over before {', '.join(one.left_to)} took it"))
    sent = replace(one, state=NotificationState.SENT, sent_at=one.attempts[-1].at, left_to=(), attempts=settled)
    await uow.notifications.save(sent, post=None)
    return True


async def _is_said_later(uow: UnitOfWork, batch: Batch, now: datetime) -> bool:
    """Whether a call that waited for its channel is left out: what waits behind it says how things stand.

    That is the end of its alert; for an on-call tool also that somebody has it; of a raise that waited behind others a
    later one, too. Else a call that failed stays: it is what shows that the channel is away. One that may have left is
    not left out.
    """
    due, one = batch.head, batch.head.notification
    may_have_left = one.is_taken or bool(one.left_to) or due.retaken
    if one.action not in FIRING_ACTIONS or one.group_key is not None or may_have_left:
        return False
    if not one.attempts and one.action is Action.OPEN:
        return False
    wakes_people = traits_of(one.channel).audience is Audience.ON_CALL
    words = FIRING_ACTIONS | (QUIETING if wakes_people else {Action.RESOLVE})
    last_word = await uow.notifications.last_word(one.alert_id, one.channel, words)
    if last_word is None or last_word.id == one.id:
        return False
    if one.attempts and last_word.action in FIRING_ACTIONS:
        return False
    reason = Reason.OVER if last_word.action is Action.RESOLVE else Reason.NOTHING_NEW
    settled = Attempt(now, "settled", f"{_SAID[last_word.action]} before its channel took it")
    await uow.notifications.settle_before(last_word, reason, settled)
    return True


def _as_they_stand(batch: Batch, present: Sequence[AlertEvent]) -> Batch:
    """A collected alert that leaves alone is reported as it stands by now; several are listed."""
    if len(batch.notifications) > 1:
        return replace(batch, present=tuple(present))
    return Batch((replace(batch.head, event=opening_now(present[0])),))


def _may_have_left(due: DueNotification) -> bool:
    return due.retaken or due.notification.was_tried


async def _drop(uow: UnitOfWork, batch: Batch, present: Sequence[AlertEvent], now: datetime) -> None:
    versions = {event.alert.id: event.alert.version for event in present}
    settled = (Attempt(now, "settled", "resolved before its message left"),)
    for one in batch.notifications:
        over = replace(one.notification, state=NotificationState.SUPPRESSED, reason=Reason.OVER, attempts=settled)
        await uow.notifications.save(over, post=None)
        await uow.groups.settle_behind(over, version=versions[over.alert_id])


async def _with_summary(uow: UnitOfWork, batch: Batch) -> Batch:
    if batch.edits is None:
        return batch
    return replace(batch, present=tuple(await uow.groups.present(await uow.groups.members(batch.edits.id))))


# ------------------------------------------------------------------------------------ the channel's rate


async def _in_turn(uow: UnitOfWork, batches: Sequence[Batch], now: datetime) -> list[Batch]:
    """The batches that may leave now, in their order; the others are due later, and nobody sleeps.

    All workers share a channel's turns, so that together they keep its rate. A batch takes one turn and waits as a
    whole. A raise never waits: it is tried once even where the channel asked for quiet.
    """
    held = await uow.channel_health.held({batch.head.notification.channel for batch in batches}, now)
    leaving: set[str] = set()
    # One order for all workers: each waits for a turn while it holds others.
    for channel, group in groupby(sorted(batches, key=_channel), key=_channel):
        of_channel = sorted(group, key=lambda batch: batch.head.notification.due_at)
        if channel in held:
            of_channel = await _put_off(uow, of_channel, held[channel])
        rate = traits_of(channel).rate
        granted = len(of_channel) if rate is None else await _take_turn(uow, channel, rate, of_channel, now)
        leaving |= {batch.head.notification.id for batch in of_channel[:granted]}
    return [batch for batch in batches if batch.head.notification.id in leaving]


def _channel(batch: Batch) -> str:
    return batch.head.notification.channel


async def _put_off(uow: UnitOfWork, batches: Sequence[Batch], until: datetime) -> list[Batch]:
    """Those that do not wait. The others have not failed: they were not tried."""
    urged = await uow.notifications.urged({batch.head.notification.id for batch in batches})
    await _wait(uow, [(batch, until) for batch in batches if batch.head.notification.id not in urged])
    await uow.jobs.deliver(until)
    return [batch for batch in batches if batch.head.notification.id in urged]


async def _take_turn(uow: UnitOfWork, channel: str, rate: Rate, batches: Sequence[Batch], now: datetime) -> int:
    """How many of the batches have a turn now."""
    granted, next_turn = await uow.channel_health.take_turn(channel, rate, len(batches), now)
    due = [
        (batch, next_turn + rate.turn * (position // rate.messages)) for position, batch in enumerate(batches[granted:])
    ]
    await _wait(uow, due)
    for at in sorted({at for _, at in due}):
        await uow.jobs.deliver(at)
    return granted


async def _wait(uow: UnitOfWork, due: Iterable[tuple[Batch, datetime]]) -> None:
    await uow.notifications.postpone({one.notification.id: at for batch, at in due for one in batch.notifications})
