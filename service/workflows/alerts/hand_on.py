"""A person hands an alert on to another receiver."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from service.domain.alerts.alert import Alert, AlertEvent, Command, NewHolder
from service.domain.alerts.handover import hand_on
from service.domain.notify.notification import Notification
from service.domain.notify.planning import plan_notifications
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.situation import Situation
from service.domain.values.errors import Invalid, NotFound
from service.domain.values.names import listed, nearest
from service.domain.values.resources import Resource
from service.workflows.configuration.engine import Author, Difference, record
from service.workflows.notify.follow_up import Notified, follow_up, queue, read_notified
from service.workflows.notify.situation import read_situation
from service.workflows.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class PossibleHolder:
    """A receiver that an alert can be handed on to. `owns`: the alert is about what is theirs."""

    receiver_id: str
    name: str
    owns: bool


async def possible_holders(uow: UnitOfWork, alert: Alert, now: datetime) -> list[PossibleHolder]:
    """Returns every receiver but the one that has the alert, the owners of what it is about first, then by name."""
    situation = await read_situation(uow, alert.source_id, now)
    owners = situation.owners(replace(alert, handed_to=None), {})
    has_it = alert.handed_to.receiver_id if alert.handed_to else ""
    found = [
        PossibleHolder(id, name, id in owners) for id, name in (await uow.receivers.named()).items() if id != has_it
    ]
    return sorted(found, key=lambda one: (not one.owns, one.name.lower(), one.name))


async def hand_alert_on(uow: UnitOfWork, alert_id: str, to: str, note: str, author: Author) -> AlertEvent:
    """Notifies the receiver `to` (a name or an id) once, whatever holds others back, also where it was notified before.

    Everybody else who was notified before hears that it went on. Raises NotFound, Invalid, and Conflict for an alert
    that is over or there already.
    """
    receiver = await _receiver(uow, to)
    alert = await uow.alerts.lock(alert_id)
    event = hand_on(alert, NewHolder(receiver.id, receiver.name), actor=author.actor, note=note, now=author.at)
    await uow.alerts.save(event)
    situation = await read_situation(uow, alert.source_id, author.at)
    notified = await read_notified(uow, [alert_id])
    theirs = _call(situation, event, receiver.id, notified)
    called = {one.channel for one in theirs}
    await uow.notified.settle({alert_id: called}, author.at)
    await queue(uow, author.at, [*theirs, *follow_up(situation, event, notified, besides=called)])
    await record(uow, author, "alert.hand_on", alert_id, note, Difference.of(alert, event.alert))
    return event


def _call(situation: Situation, event: AlertEvent, receiver_id: str, notified: Notified) -> list[Notification]:
    """Opens the alert in the receiver's channels. One that has it already is raised: its page or post stays one, and
    one that was quiet since somebody answered is not any more."""
    known = {key for _, key in notified.channels[event.alert.id]}
    addresses = situation.addresses(receiver_id)
    return [
        *plan_notifications(replace(event, command=Command.OPEN), [one for one in addresses if one.key not in known]),
        *plan_notifications(replace(event, command=Command.RAISE), [one for one in addresses if one.key in known]),
    ]


async def _receiver(uow: UnitOfWork, reference: str) -> Resource[Receiver]:
    """Raises Invalid for one that is not there: whoever answers alerts makes no receivers."""
    try:
        return await uow.receivers.get(reference)
    except NotFound as error:
        near = nearest(reference, await uow.receivers.names())
        raise Invalid(
            f"there is no receiver {reference!r}{f'; the nearest: {listed(near)}' if near else ''}", "/to"
        ) from error
