"""Receivers: named lists of channels, and the routes that lead to them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal

from service.domain.notifications import Action
from service.domain.resources import Sealed

SLACK_API = "https://slack.com/api/"

ANNOUNCED = frozenset({Action.OPEN, Action.RAISE, Action.RESOLVE})
"""What a channel without edits is told; it is not bothered with amendments."""
EDITED = ANNOUNCED | {Action.AMEND, Action.ACKNOWLEDGE}


@dataclass(frozen=True, slots=True)
class SlackBot:
    """A Slack app with a bot token: it posts, edits and replies in threads."""

    token: Sealed
    channel: str
    mention: str = ""
    api_url: str = SLACK_API
    kind: Literal["slack_bot"] = "slack_bot"

    @property
    def address(self) -> str:
        return self.channel

    @property
    def actions(self) -> frozenset[Action]:
        return EDITED


@dataclass(frozen=True, slots=True)
class SlackWebhook:
    """A Slack incoming webhook: it posts, and can neither edit nor thread. The URL is the secret."""

    webhook_url: Sealed
    mention: str = ""
    kind: Literal["slack_webhook"] = "slack_webhook"

    @property
    def address(self) -> str:
        return self.webhook_url.digest

    @property
    def actions(self) -> frozenset[Action]:
        return ANNOUNCED


@dataclass(frozen=True, slots=True)
class Email:
    to: tuple[str, ...]
    kind: Literal["email"] = "email"

    @property
    def address(self) -> str:
        return ",".join(self.to)

    @property
    def actions(self) -> frozenset[Action]:
        return ANNOUNCED


@dataclass(frozen=True, slots=True)
class Console:
    """The terminal or log of the worker."""

    kind: Literal["console"] = "console"

    @property
    def address(self) -> str:
        return ""

    @property
    def actions(self) -> frozenset[Action]:
        return EDITED


ChannelConfig = SlackBot | SlackWebhook | Email | Console


def channel_key(channel: ChannelConfig) -> str:
    """What stays the same when a receiver's other channels change: the kind and a digest of the address."""
    digest = hashlib.sha256(channel.address.encode()).hexdigest()[:12]
    return f"{channel.kind}:{digest}"


@dataclass(frozen=True, slots=True)
class Receiver:
    channels: tuple[ChannelConfig, ...]


def find_channel(receiver: Receiver, key: str) -> ChannelConfig | None:
    """The channel of a key. One whose address was changed since is known by being the only one of its kind."""
    by_key = {channel_key(channel): channel for channel in receiver.channels}
    alike = [channel for channel in receiver.channels if channel.kind == key.partition(":")[0]]
    return by_key.get(key) or (alike[0] if len(alike) == 1 else None)


@dataclass(frozen=True, slots=True)
class Route:
    """Where alerts go. Without matchers it takes everything."""

    receiver_id: str
    matchers: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class RouteTable:
    """Routes in order; the last one, without matchers, is the default and always there."""

    items: tuple[Route, ...]
