"""What Slack sends when somebody presses a button or types a command, and its signature."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from service.domain.slack.requests import ACTION_PREFIX, SNOOZES, Deed, button_value
from service.domain.slack.signatures import sign

SIGNING_SECRET = "FAKE signing secret of the tests"
ADA, BOB = "U0ADAFAKE", "U0BOBFAKE"
NAMES = {ADA: "ada", BOB: "bob"}


def press(alert: dict[str, Any], deed: Deed, *, user: str = ADA, response_url: str = "") -> dict[str, Any]:
    """The payload of a pressed button under a message that shows the alert as it is given."""
    value = button_value(deed, alert["id"], alert["version"])
    pressed: dict[str, Any] = {"type": "button", "action_id": ACTION_PREFIX + deed, "value": value}
    if deed in SNOOZES:
        pressed = {
            "type": "static_select",
            "action_id": f"{ACTION_PREFIX}snooze",
            "selected_option": {"text": {"type": "plain_text", "text": SNOOZES[deed]}, "value": value},
        }
    return {
        "type": "block_actions",
        "team": {"id": "T0FAKE", "domain": "example"},
        "user": {"id": user, "username": NAMES.get(user, "x"), "name": NAMES.get(user, "x"), "team_id": "T0FAKE"},
        "channel": {"id": "C00000001", "name": "claude-spend"},
        "message": {"ts": "1700000000.000001"},
        "response_url": response_url,
        "trigger_id": "1.2.FAKE",
        "actions": [{**pressed, "block_id": "tocsin_alert", "action_ts": "1700000000.000002"}],
    }


def command(text: str, *, user: str = ADA) -> dict[str, str]:
    """The fields of a slash command."""
    return {
        "team_id": "T0FAKE",
        "channel_id": "C00000001",
        "user_id": user,
        "user_name": NAMES.get(user, "x"),
        "command": "/tocsin",
        "text": text,
        "response_url": "",
        "trigger_id": "1.2.FAKE",
    }


def form(payload: dict[str, Any]) -> bytes:
    """An interaction's body."""
    return urlencode({"payload": json.dumps(payload)}).encode()


def signed(body: bytes, at: datetime, secret: str = SIGNING_SECRET) -> dict[str, str]:
    """Slack's headers for a body."""
    timestamp = str(int(at.timestamp()))
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": sign(secret, timestamp, body),
    }
