"""Writing and recording a message about several alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from service.domain.alerts.alert import AlertEvent
from service.domain.messages.summary import opening_now, summarise
from service.domain.notify.channels.registry import traits_of
from service.domain.notify.notification import SUMMARY_STEP, Action, Message, Notification, NotificationState
from service.domain.values.resources import new_id
from service.workflows.delivery.parcels import Parcel
from service.workflows.ports.notify import DueNotification, Summary
from service.workflows.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Bulletin:
    """A summary to post, or to edit in its `post`. `versions` are those of the alerts, by id, that it tells of."""

    id: str
    action: Action
    message: Message
    post: str | None
    versions: Mapping[str, int]


async def write_bulletin(uow: UnitOfWork, parcel: Parcel, public_url: str) -> Bulletin | None:
    """None for a parcel about one alert alone."""
    if parcel.edits is not None:
        return await _edit(uow, parcel, parcel.edits, public_url)
    if len(parcel.claims) == 1:
        return None
    id = parcel.head.notification.id
    return Bulletin(id, Action.OPEN, summarise(id, parcel.present, (), public_url), None, _versions(parcel.present))


async def _edit(uow: UnitOfWork, parcel: Parcel, summary: Summary, public_url: str) -> Bulletin:
    present = await uow.groups.present(await uow.groups.members(summary.id))
    news = [claim.event for claim in parcel.claims]
    ends = any(claim.notification.action is Action.RESOLVE for claim in parcel.claims)
    message = summarise(summary.id, present, _newest(news), public_url)
    return Bulletin(summary.id, Action.RESOLVE if ends else Action.AMEND, message, summary.post, _versions(present))


def _newest(news: Sequence[AlertEvent]) -> list[AlertEvent]:
    """One event an alert: a summary's edit may be asked for twice."""
    return list({event.alert.id: event for event in sorted(news, key=lambda event: event.alert.version)}.values())


def _versions(present: Sequence[AlertEvent]) -> dict[str, int]:
    return {event.alert.id: event.alert.version for event in present}


def as_it_stands(parcel: Parcel) -> DueNotification:
    """The parcel's claim. One that was collected and leaves alone tells how its alert stands by now."""
    if len(parcel.claims) > 1 or not parcel.present:
        return parcel.head
    return replace(parcel.head, event=opening_now(parcel.present[0]))


def reference(claim: DueNotification) -> str | None:
    """What later messages refer to. A thread of mails goes on from the summary; Slack posts what has no own post."""
    if claim.post is None and claim.summary is not None and not traits_of(claim.notification.channel).kept_current:
        return claim.summary.post
    return claim.post


async def note_said(uow: UnitOfWork, said: Notification, version: int) -> None:
    """A collected opening was sent: what happened while it waited was said with it."""
    if said.action is Action.OPEN and said.group_key is not None and version > said.alert_version:
        await uow.groups.settle_behind(said, version=version)


async def mend_what_is_stale(uow: UnitOfWork, bulletin: Bulletin, said: Notification, now: datetime) -> None:
    """Edits once more where an alert has moved on meanwhile: of two edits at once the older may come last."""
    for event in await uow.groups.present(bulletin.versions):
        if event.alert.version != bulletin.versions[event.alert.id]:
            await uow.notifications.add(_edit_of(event, said, now))
            await uow.jobs.deliver(now)


def _edit_of(event: AlertEvent, said: Notification, now: datetime) -> Notification:
    return Notification(
        id=new_id("ntf", now),
        alert_id=event.alert.id,
        alert_version=event.alert.version,
        receiver_id=said.receiver_id,
        channel=said.channel,
        action=Action.AMEND,
        reason=event.reason,
        level=str(event.alert.version),
        state=NotificationState.QUEUED,
        created_at=now,
        due_at=now,
        step=SUMMARY_STEP,
    )
