"""Which messages a move causes: one per channel that wants to hear of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.alerts.alert import CORRECTIONS, AlertEvent, Command, Reason
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
        planned(event, address.receiver_id, address.key, action, cause=cause, step=step, round=round)
        for address in addresses
        if action is not None and (action in address.channel.traits.actions or _is_owed(event, address))
    ]


def planned(
    event: AlertEvent,
    receiver_id: str,
    channel: str,
    action: Action,
    *,
    cause: NotificationCause,
    step: int = 0,
    round: int = 0,
) -> Notification:
    """The notification of an event for one channel, known by its key."""
    return Notification(
        id=new_id("ntf", event.at),
        alert_id=event.alert.id,
        alert_version=event.alert.version,
        receiver_id=receiver_id,
        channel=channel,
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


def _is_owed(event: AlertEvent, address: Address) -> bool:
    """Whether a channel that does not edit hears of an amendment: somebody else has the alert, or, where people read
    it, what they heard was wrong. An on-call tool could page somebody for a correction who has closed the incident.
    """
    if event.command is not Command.AMEND:
        return False
    is_wrong = event.reason in CORRECTIONS and address.channel.traits.audience is Audience.PEOPLE
    return is_wrong or event.reason is Reason.HANDED_ON
