"""Channels as they are stored: what an earlier release wrote is read, written again the same, and keeps its key."""

from __future__ import annotations

from typing import Any, cast

import pytest

from service.adapters.postgres.codec import decode, encode
from service.domain.notify.channels.registry import KINDS, ChannelConfig
from service.domain.notify.receivers import channel_key

SEALED = {"ciphertext": "FAKE-ciphertext", "hint": "...FAKE", "digest": "FAKE-digest"}
FORMER = {"ciphertext": "FAKE-former", "hint": "...mer", "digest": "FAKE-former-digest"}
DIGEST = "c71d91b1afbb"
"""Of the secret that a channel is known by, where it has no other name."""

STORED: dict[str, dict[str, Any]] = {
    "slack_bot:dbdf6ee16c1f": {
        "token": SEALED,
        "channel": "#claude-spend",
        "mention": "<!here>",
        "api_url": "https://slack.com/api/",
        "kind": "slack_bot",
    },
    f"slack_webhook:{DIGEST}": {"webhook_url": SEALED, "mention": "<!here>", "kind": "slack_webhook"},
    "email:25dc9cff2a30": {"to": ["a@example.com", "b@example.com"], "kind": "email"},
    "console:e3b0c44298fc": {"kind": "console"},
    f"pagerduty:{DIGEST}": {"routing_key": SEALED, "api_url": "https://events.pagerduty.com", "kind": "pagerduty"},
    "webhook:19f1352238b9": {
        "url": "https://example.com/hook",
        "secret": SEALED,
        "format": "alertmanager",
        "previous_secret": FORMER,
        "kind": "webhook",
    },
    "alertmanager:870a7ef6bd43": {
        "urls": ["http://b:9093", "http://a:9093"],
        "authorization": SEALED,
        "kind": "alertmanager",
    },
    f"teams:{DIGEST}": {"webhook_url": SEALED, "kind": "teams"},
    f"jsm:{DIGEST}": {
        "api_key": SEALED,
        "api_url": "https://api.atlassian.com/jsm/ops/integration",
        "kind": "jsm",
    },
    f"discord:{DIGEST}": {"webhook_url": SEALED, "kind": "discord"},
}

LINKS = {
    "slack_bot": "read",
    "slack_webhook": "answer",
    "email": "answer",
    "console": "none",
    "pagerduty": "answer",
    "webhook": "read",
    "alertmanager": "read",
    "teams": "answer",
    "jsm": "answer",
    "discord": "answer",
}
"""What links permit in channels that were stored before that could be set."""


@pytest.mark.parametrize("key", STORED)
def test_a_stored_channel_is_read_and_keeps_its_key(key: str) -> None:
    channel = cast("ChannelConfig", decode(ChannelConfig, STORED[key]))
    assert isinstance(channel, tuple(KINDS.values()))
    assert encode(channel) == _not_doubted(STORED[key]) | {"link": LINKS[channel.kind]}
    assert channel_key(channel) == key


def test_every_kind_is_held_to_this() -> None:
    assert [key.partition(":")[0] for key in STORED] == list(KINDS)


def _not_doubted(stored: Any) -> Any:
    """What was stored before secrets had doubts, as it is stored now."""
    if isinstance(stored, list):
        return [_not_doubted(one) for one in stored]
    if not isinstance(stored, dict):
        return stored
    doubt = {"doubt": ""} if "ciphertext" in stored else {}
    return {name: _not_doubted(one) for name, one in stored.items()} | doubt
