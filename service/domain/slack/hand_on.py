"""Handing an alert on in Slack: the question to whom, and the command that says it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from service.domain.values.errors import Invalid

MOST_HOLDERS = 100
"""Slack's limit of a menu's options (Block Kit reference, "Select menu element")."""
HAND_ON_HELP = (
    "`/tocsin hand-on alert_01a1... bob@example.com`: the alert of this id goes on to this receiver, who is notified at"
    " once (responders)"
)
_COMMAND = re.compile(r'(?P<alert>[A-Za-z0-9_-]{1,100})\s+(?:"(?P<quoted>[^"]+)"|(?P<bare>.+))')


@dataclass(frozen=True, slots=True)
class HolderQuestion:
    """Asks the person who pressed "Hand on" for the receiver: (name, a button's value) of each, in the order shown."""

    holders: tuple[tuple[str, str], ...]

    @property
    def shown(self) -> tuple[tuple[str, str], ...]:
        return self.holders[:MOST_HOLDERS]

    @property
    def text(self) -> str:
        """The question in Slack's mrkdwn."""
        left = len(self.holders) - len(self.shown)
        more = f" {left} more are not listed: name them by `/tocsin hand-on`, or on the alert's page." if left else ""
        return f"Hand this alert on to whom? They are notified at once, whatever silences there are.{more}"


@dataclass(frozen=True, slots=True)
class HandOnCommand:
    alert_id: str
    to: str


def read_hand_on_command(text: str) -> HandOnCommand:
    """`<alert> <receiver>`. Raises Invalid, which says how to write it."""
    found = _COMMAND.fullmatch(text.strip())
    if found is None:
        raise Invalid("say which alert, by its id, and the name of the receiver that has it from now on")
    return HandOnCommand(found["alert"], found["quoted"] or found["bare"])
