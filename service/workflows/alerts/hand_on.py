"""A person hands an alert on to another receiver."""

from __future__ import annotations

from dataclasses import replace

from service.domain.alerts.alert import AlertEvent, Command, NewHolder
from service.domain.alerts.handover import hand_on
from service.domain.notify.planning import plan_notifications
from service.domain.notify.receivers import Receiver
from service.domain.values.errors import Invalid, NotFound
from service.domain.values.names import listed, nearest
from service.domain.values.resources import Resource
from service.workflows.configuration.engine import Author, Difference, record
from service.workflows.notify.follow_up import follow_up, queue, read_notified
from service.workflows.notify.situation import read_situation
from service.workflows.ports.unit_of_work import UnitOfWork


async def hand_alert_on(uow: UnitOfWork, alert_id: str, to: str, note: str, author: Author) -> AlertEvent:
    """Notifies the receiver `to` (a name or an id) once, whatever holds others back.

    Everybody who was notified before hears that it went on. Raises NotFound, Invalid, and Conflict for an alert that is
    over or there already.
    """
    receiver = await _receiver(uow, to)
    alert = await uow.alerts.lock(alert_id)
    event = hand_on(alert, NewHolder(receiver.id, receiver.name), actor=author.actor, note=note, now=author.at)
    await uow.alerts.save(event)
    situation = await read_situation(uow, alert.source_id, author.at)
    notified = await read_notified(uow, [alert_id])
    known = {key for _, key in notified.channels[alert_id]}
    new = [one for one in situation.addresses(receiver.id) if one.key not in known]
    opening = replace(event, command=Command.OPEN)
    await queue(uow, author.at, [*plan_notifications(opening, new), *follow_up(situation, event, notified)])
    await record(uow, author, "alert.hand_on", alert_id, note, Difference.of(alert, event.alert))
    return event


async def _receiver(uow: UnitOfWork, reference: str) -> Resource[Receiver]:
    """Raises Invalid for one that is not there: whoever answers alerts makes no receivers."""
    try:
        return await uow.receivers.get(reference)
    except NotFound as error:
        near = nearest(reference, await uow.receivers.names())
        raise Invalid(
            f"there is no receiver {reference!r}{f'; the nearest: {listed(near)}' if near else ''}", "/to"
        ) from error
