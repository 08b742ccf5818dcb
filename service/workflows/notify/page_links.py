"""Signed links to pages, for the messages of channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.notification import Message, MessageType
from service.domain.notify.page_links import LinkUse, PageLink, valid_until
from service.domain.notify.receivers import channel_key
from service.workflows.ports.unit_of_work import Ports

PATHS: Mapping[MessageType, str] = {
    MessageType.ALERT: "alerts",
    MessageType.SUMMARY: "alerts",
    MessageType.DIGEST: "digests",
    MessageType.TEST: "tests",
}


def linked(ports: Ports, message: Message, receiver_id: str, channel: ChannelConfig) -> Message:
    """The message with links for its channel, of its subject and of what it lists; the same where it has none."""
    if channel.link is LinkUse.NONE:
        return message
    path = PATHS[message.type]
    listed = tuple(
        replace(one, link=_page_of(ports, path, one.alert_id, receiver_id, channel)) for one in message.listed
    )
    link = listed[0].link if listed else _page_of(ports, path, message.alert_id, receiver_id, channel)
    return replace(message, link=link, listed=listed)


def _page_of(ports: Ports, path: str, subject_id: str, receiver_id: str, channel: ChannelConfig) -> str:
    until = valid_until(ports.clock())
    text = str(PageLink(subject_id, receiver_id, channel_key(channel), channel.link, until))
    return f"{ports.public_url.rstrip('/')}/{path}/{text}.{ports.signer.sign(text)}"
