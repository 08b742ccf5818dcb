"""Which messages a move causes: one per channel that wants to hear of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.alerts.alert import HEARD_EVERYWHERE, AlertEvent, Command
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.traits import Audience
from service.domain.notify.notification import Action, Notification, NotificationCause, NotificationState
from service.domain.values.resources import new_id

ACTIONS = {
    Command.OPEN: Action.OPEN,
    Command.RAISE: Action.RAISE,
    Command.WAKE: Action.RAISE,
    Command.SNOOZE: Action.SNOOZE,
    Command.AMEND: Action.AMEND,
    Command.ACKNOWLEDGE: Action.ACKNOWLEDGE,
    Command.RESOLVE: Action.RESOLVE,
}


@dataclass(frozen=True, slots=True)
class Address:
    """One channel of one receiver, under the key that it is known by in notifications."""

    receiver_id: str
    key: str
    channel: ChannelConfig


def plan_notifications(
    event: AlertEvent,
    addresses: Sequence[Address],
    *,
    cause: NotificationCause = NotificationCause.EVENT,
    step: int = 0,
    round: int = 0,
) -> list[Notification]:
    """The notifications of one event: each channel gets one for each cause, step and round."""
    action = ACTIONS.get(event.command)
    return [
        Notification(
            id=new_id("ntf", event.at),
            alert_id=event.alert.id,
            alert_version=event.alert.version,
            receiver_id=address.receiver_id,
            channel=address.key,
            action=action,
            reason=event.reason,
            level=str(event.alert.version),
            state=NotificationState.QUEUED,
            created_at=event.at,
            due_at=event.at,
            cause=cause,
            step=step,
            round=round,
        )
        for address in addresses
        if action is not None and (action in address.channel.traits.actions or _is_owed(event, address))
    ]


def _is_owed(event: AlertEvent, address: Address) -> bool:
    """Whether people whose channel cannot edit hear of an amendment: what they heard was wrong, or it went on.

    An on-call tool does not: there it could page somebody who has closed the incident.
    """
    is_news = event.command is Command.AMEND and event.reason in HEARD_EVERYWHERE
    return is_news and address.channel.traits.audience is Audience.PEOPLE
