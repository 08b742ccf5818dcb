"""Receivers: named lists of channels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from service.domain.notify.notification import Action
from service.domain.values.resources import Sealed

SLACK_API = "https://slack.com/api/"
PAGERDUTY_API = "https://events.pagerduty.com"
JSM_API = "https://api.atlassian.com/jsm/ops/integration"
"""Jira Service Management's; Opsgenie's own, https://api.opsgenie.com, ends in April 2027."""

ANNOUNCED = frozenset({Action.OPEN, Action.RAISE, Action.RESOLVE})
"""What a channel without edits is told; it is not bothered with amendments."""
EDITED = ANNOUNCED | {Action.AMEND, Action.ACKNOWLEDGE, Action.SNOOZE}
PAGED = ANNOUNCED | {Action.ACKNOWLEDGE, Action.SNOOZE}
"""What an on-call tool is told. An amendment could page somebody who has closed the incident there."""

WebhookFormat = Literal["tocsin", "alertmanager"]
"""Our own body, or Alertmanager's webhook version 4."""


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


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """A service's Events API v2 integration; its routing key is the secret."""

    routing_key: Sealed
    api_url: str = PAGERDUTY_API
    kind: Literal["pagerduty"] = "pagerduty"

    @property
    def address(self) -> str:
        return self.routing_key.digest

    @property
    def actions(self) -> frozenset[Action]:
        return PAGED


@dataclass(frozen=True, slots=True)
class Webhook:
    """Somebody's own HTTP endpoint, which checks our signature with the secret that we share.

    While `previous_secret` is there, messages are signed with both: the endpoint may know either.
    """

    url: str
    secret: Sealed
    format: WebhookFormat = "tocsin"
    previous_secret: Sealed | None = None
    kind: Literal["webhook"] = "webhook"

    @property
    def address(self) -> str:
        return self.url

    @property
    def actions(self) -> frozenset[Action]:
        return EDITED


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """A Prometheus Alertmanager: every member of its cluster, since they do not tell each other of alerts.

    `authorization` is the header's value for members behind a login.
    """

    urls: tuple[str, ...]
    authorization: Sealed | None = None
    kind: Literal["alertmanager"] = "alertmanager"

    @property
    def address(self) -> str:
        return ",".join(sorted(self.urls))

    @property
    def actions(self) -> frozenset[Action]:
        return ANNOUNCED | {Action.AMEND, Action.SNOOZE}


@dataclass(frozen=True, slots=True)
class Teams:
    """A Microsoft Teams workflow that posts what its webhook gets. The URL is the secret."""

    webhook_url: Sealed
    kind: Literal["teams"] = "teams"

    @property
    def address(self) -> str:
        return self.webhook_url.digest

    @property
    def actions(self) -> frozenset[Action]:
        return ANNOUNCED


@dataclass(frozen=True, slots=True)
class Jsm:
    """Jira Service Management's alerts, or Opsgenie's: the same API at another address."""

    api_key: Sealed
    api_url: str = JSM_API
    kind: Literal["jsm"] = "jsm"

    @property
    def address(self) -> str:
        return self.api_key.digest

    @property
    def actions(self) -> frozenset[Action]:
        return PAGED


ChannelConfig = SlackBot | SlackWebhook | Email | Console | PagerDuty | Webhook | Alertmanager | Teams | Jsm

READ_BY_PEOPLE = (SlackBot, SlackWebhook, Email, Console, Teams)
SHOWS_THE_PRESENT = frozenset({"slack_bot", "console"})
"""Kinds of channels whose summaries are kept current: by an edit, or by printing them again."""


def is_read_by_people(channel: ChannelConfig) -> bool:
    """Whether several alerts may come in one message. On-call tools page for each, and machines group by themselves."""
    return isinstance(channel, READ_BY_PEOPLE)


def shows_the_present(channel_key: str) -> bool:
    return channel_key.partition(":")[0] in SHOWS_THE_PRESENT


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
