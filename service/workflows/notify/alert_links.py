"""Signed links to an alert's page, for the messages of channels."""

from __future__ import annotations

from dataclasses import replace

from service.domain.notify.alert_links import AlertLink, LinkUse, valid_until
from service.domain.notify.channels.registry import traits_of
from service.domain.notify.notification import Message, Notification
from service.workflows.ports.unit_of_work import Ports


def linked(ports: Ports, message: Message, notification: Notification) -> Message:
    """The message with links for its channel, of the alert and of those that it lists; the same where it has none."""
    if traits_of(notification.channel).link is LinkUse.NONE:
        return message
    listed = tuple(replace(one, link=page_of(ports, one.alert_id, notification)) for one in message.listed)
    link = listed[0].link if listed else page_of(ports, message.alert_id, notification)
    return replace(message, link=link, listed=listed)


def page_of(ports: Ports, alert_id: str, notification: Notification) -> str:
    """The address of an alert's page for the notification's channel."""
    channel = notification.channel
    until = valid_until(ports.clock())
    text = str(AlertLink(alert_id, notification.receiver_id, channel, traits_of(channel).link, until))
    return f"{ports.public_url.rstrip('/')}/alerts/{text}.{ports.signer.sign(text)}"
