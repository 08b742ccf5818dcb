"""People act on alerts and messages: acknowledge, snooze, resolve, retry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from service.domain.alerts.alert import AlertEvent, Command, Reason, apply
from service.domain.alerts.snooze import SnoozeRequest, snooze
from service.domain.notify.notification import Notification, NotificationState
from service.domain.values.errors import Conflict
from service.workflows.configuration.engine import Author, Difference, record
from service.workflows.notify.announce import announce
from service.workflows.notify.circuits import close
from service.workflows.notify.situation import read_situation
from service.workflows.ports.unit_of_work import UnitOfWork


async def move_alert(uow: UnitOfWork, alert_id: str, command: Command, note: str, author: Author) -> AlertEvent:
    """A person's move, of which the alert's notified channels hear. Raises NotFound, and Conflict for a wrong one."""
    alert = await uow.alerts.lock(alert_id)  # an evaluation may be storing the figures that the move reports
    event = apply(alert, command, actor=author.actor, reason=Reason.PERSON, now=author.at, note=note)
    await uow.alerts.save(event)
    await announce(uow, await read_situation(uow, alert.source_id, author.at), [event])
    await record(uow, author, f"alert.{command}", alert_id, note, Difference.of(alert, event.alert))
    return event


async def snooze_alert(uow: UnitOfWork, alert_id: str, request: SnoozeRequest, note: str, author: Author) -> AlertEvent:
    """Quiet for a while; the alert's notified channels hear of it. Raises NotFound, Invalid and Conflict."""
    alert = await uow.alerts.lock(alert_id)
    event = snooze(alert, request, actor=author.actor, note=note, now=author.at)
    await uow.alerts.save(event)
    if event.alert.snoozed_until is not None:
        await uow.jobs.wake(alert_id, event.alert.snoozed_until)
    await announce(uow, await read_situation(uow, alert.source_id, author.at), [event])
    await record(uow, author, f"alert.{Command.SNOOZE}", alert_id, note, Difference.of(alert, event.alert))
    return event


def is_overtaken(notification: Notification, events: Iterable[AlertEvent]) -> bool:
    """Whether the alert has moved since, so that a later notification says how it stands."""
    return any(one.alert.version > notification.alert_version and one.command is not Command.AMEND for one in events)


async def retry_notification(uow: UnitOfWork, notification_id: str, author: Author) -> Notification:
    """Sends a dead notification once more. Raises NotFound, and Conflict for one not dead or overtaken by events."""
    notification = await uow.notifications.get(notification_id)
    if notification.state is not NotificationState.DEAD:
        raise Conflict(f"Only a dead notification can be retried; this one is {notification.state}")
    if is_overtaken(notification, await uow.alerts.events(notification.alert_id)):
        raise Conflict("The alert has moved on since; a later notification says how it stands")
    again = replace(notification, state=NotificationState.QUEUED, due_at=author.at)
    # Whoever asks for it has reason to think that the channel is well: one that rests is tried.
    await close(uow, notification.receiver_id, notification.channel, author.at)
    await uow.notifications.save(again, post=None)
    await uow.jobs.deliver(author.at)
    await record(uow, author, "notification.retry", notification_id, "", Difference.of(notification, again))
    return again
