"""From claims to what leaves as one message: an alert by itself, several collected ones, the edits of a summary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from service.domain.alerts.alert import AlertEvent, Reason
from service.domain.notify.channels.registry import traits_of
from service.domain.notify.notification import SUMMARY_STEP, Action, Attempt, Notification, NotificationState
from service.workflows.delivery.pace import keep_pace
from service.workflows.ports.notify import DueNotification, Summary
from service.workflows.ports.unit_of_work import UnitOfWork

_RINGS = frozenset({Action.OPEN, Action.RAISE})


@dataclass(frozen=True, slots=True)
class Parcel:
    """Claims of one channel and receiver that leave together; the first stands for all.

    `present` are the newest events of collected alerts that nobody there has been told of yet. `edits` is the summary
    that is brought up to date.
    """

    claims: tuple[DueNotification, ...]
    present: tuple[AlertEvent, ...] = ()
    edits: Summary | None = None

    @property
    def head(self) -> DueNotification:
        return self.claims[0]


def pack(claims: Iterable[DueNotification]) -> list[Parcel]:
    bundles: dict[tuple[str, ...], list[DueNotification]] = {}
    for claim in sorted(claims, key=lambda claim: (claim.notification.due_at, claim.notification.id)):
        bundles.setdefault(_bundle(claim), []).append(claim)
    return [
        Parcel(tuple(bundle), edits=bundle[0].summary if _edits_its_summary(bundle[0]) else None)
        for bundle in bundles.values()
    ]


def _bundle(claim: DueNotification) -> tuple[str, ...]:
    one = claim.notification
    if _is_collected(one):
        return "group", one.group_key or "", one.channel, one.receiver_id
    if claim.summary is not None and _edits_its_summary(claim):
        return "summary", claim.summary.id, one.channel, one.receiver_id
    return "alert", one.id


def _is_collected(one: Notification) -> bool:
    return one.action is Action.OPEN and one.group_key is not None


def _edits_its_summary(claim: DueNotification) -> bool:
    """Where an alert has no message of its own, what follows its opening brings the summary up to date."""
    one = claim.notification
    if claim.summary is None or one.action in _RINGS or not traits_of(one.channel).kept_current:
        return False
    return one.step == SUMMARY_STEP or not claim.notified_alone


async def drop_what_is_over(uow: UnitOfWork, parcels: Iterable[Parcel], now: datetime) -> list[Parcel]:
    """Without collected alerts that are all resolved before anybody was told of one; the others with their state."""
    kept = []
    for parcel in parcels:
        if not _is_collected(parcel.head.notification):
            kept.append(parcel)
            continue
        present = await uow.groups.present({claim.notification.alert_id for claim in parcel.claims})
        if any(event.alert.is_open for event in present) or any(map(_may_be_known, parcel.claims)):
            kept.append(replace(parcel, present=tuple(present)))
        else:
            await _drop(uow, parcel.claims, present, now)
    return kept


def _may_be_known(claim: DueNotification) -> bool:
    return claim.retaken or bool(claim.notification.attempts)


async def _drop(
    uow: UnitOfWork, claims: Sequence[DueNotification], present: Sequence[AlertEvent], now: datetime
) -> None:
    versions = {event.alert.id: event.alert.version for event in present}
    settled = (Attempt(now, "settled", "resolved before its message left"),)
    for claim in claims:
        over = replace(claim.notification, state=NotificationState.SUPPRESSED, reason=Reason.OVER, attempts=settled)
        await uow.notifications.save(over, post=None)
        await uow.groups.settle_behind(over, version=versions[over.alert_id])


async def leave_in_turn(uow: UnitOfWork, parcels: Sequence[Parcel], now: datetime) -> list[Parcel]:
    """Those that may leave now. A parcel takes one turn of its channel, and waits as a whole."""
    granted = await keep_pace(uow, [parcel.head for parcel in parcels], now)
    leaving = {claim.notification.id for claim in granted}
    for parcel in parcels:
        if parcel.head.notification.id not in leaving and len(parcel.claims) > 1:
            due = (await uow.notifications.get(parcel.head.notification.id)).due_at
            for claim in parcel.claims[1:]:
                await uow.notifications.save(replace(claim.notification, due_at=due), post=None)
    return [parcel for parcel in parcels if parcel.head.notification.id in leaving]
