"""Every kind of channel: its import, and one entry. Nothing else lists them.

A kind is a frozen dataclass with its `document`, `traits`, `identity` and a `link`; how it is sent stands in the file
or folder of `service/adapters/channels/` that is named after the document's kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import get_args

from service.domain.notify.channels.alertmanager import Alertmanager
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.discord import Discord
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.jsm import Jsm
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.slack import SlackBot, SlackWebhook
from service.domain.notify.channels.teams import Teams
from service.domain.notify.channels.traits import Traits
from service.domain.notify.channels.webhook import Webhook

ChannelConfig = SlackBot | SlackWebhook | Email | Console | PagerDuty | Webhook | Alertmanager | Teams | Jsm | Discord


def _name(kind: type[ChannelConfig]) -> str:
    """The name of a kind in storage, and in the keys of channels."""
    return str(next(field.default for field in fields(kind) if field.name == "kind"))


KINDS: Mapping[str, type[ChannelConfig]] = {_name(kind): kind for kind in get_args(ChannelConfig)}
_UNKNOWN = Traits(frozenset())


def traits_of(channel_key: str) -> Traits:
    """The traits of the kind that a key begins with. A kind of another release has none."""
    kind = KINDS.get(channel_key.partition(":")[0])
    return _UNKNOWN if kind is None else kind.traits
