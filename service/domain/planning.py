"""Which messages a move causes: one per channel of the receiver that wants to hear of it."""

from __future__ import annotations

from service.domain.alerts import AlertEvent, Command
from service.domain.notifications import Action, Notification, NotificationState
from service.domain.receivers import Receiver, channel_key
from service.domain.resources import Resource, new_id

ACTIONS = {
    Command.OPEN: Action.OPEN,
    Command.RAISE: Action.RAISE,
    Command.AMEND: Action.AMEND,
    Command.ACKNOWLEDGE: Action.ACKNOWLEDGE,
    Command.RESOLVE: Action.RESOLVE,
}


def plan_notifications(event: AlertEvent, receiver: Resource[Receiver]) -> list[Notification]:
    """The notifications of one event. `level` makes them unique: one event is said once in each channel."""
    action = ACTIONS.get(event.command)
    return [
        Notification(
            id=new_id("ntf", event.at),
            alert_id=event.alert.id,
            alert_version=event.alert.version,
            receiver_id=receiver.id,
            channel=channel_key(channel),
            action=action,
            reason=event.reason,
            level=str(event.alert.version),
            state=NotificationState.QUEUED,
            created_at=event.at,
            due_at=event.at,
        )
        for channel in receiver.spec.channels
        if action is not None and action in channel.actions
    ]
