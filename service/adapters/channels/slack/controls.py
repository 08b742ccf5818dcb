"""The buttons under an alert. They need a Slack app whose presses reach us; a plain webhook has none.

Slack's limits (Block Kit reference): 25 elements in an actions block, of which five fit a line, 75 characters of a
button's text, 2000 of a button's and 150 of an option's value.
"""

from __future__ import annotations

from service.adapters.channels.dependencies import Block
from service.domain.alerts.alert import AlertState
from service.domain.notify.notification import Message
from service.domain.slack.requests import ACTION_PREFIX, SNOOZES, Deed, button_value

BLOCK_ID = f"{ACTION_PREFIX}alert"
SNOOZE = f"{ACTION_PREFIX}snooze"

_LABELS = {
    Deed.ACKNOWLEDGE: "Acknowledge",
    Deed.HAND_ON: "Hand on",
    Deed.RESOLVE: "Resolve",
    Deed.EXPECTED: "Expected",
    Deed.NOT_USEFUL: "Not useful",
}


def controls(message: Message) -> list[Block]:
    """At most six elements; none under a resolved alert, whose state is final, and none under a sample."""
    if message.kind is None or message.state is AlertState.RESOLVED:
        return []
    elements = [
        *([] if message.state is AlertState.ACKNOWLEDGED else [_button(Deed.ACKNOWLEDGE, message)]),
        _snooze_menu(message),
        _button(Deed.HAND_ON, message),
        _button(Deed.RESOLVE, message),
        *([_button(Deed.EXPECTED, message), _button(Deed.NOT_USEFUL, message)] if message.takes_feedback else []),
    ]
    return [{"type": "actions", "block_id": BLOCK_ID, "elements": elements}]


def _button(deed: Deed, message: Message) -> Block:
    return {
        "type": "button",
        "action_id": ACTION_PREFIX + deed,
        "text": _plain(_LABELS[deed]),
        "value": button_value(deed, message.alert_id, message.version),
    }


def _snooze_menu(message: Message) -> Block:
    return {
        "type": "static_select",
        "action_id": SNOOZE,
        "placeholder": _plain("Snooze"),
        "options": [
            {"text": _plain(label), "value": button_value(deed, message.alert_id, message.version)}
            for deed, label in SNOOZES.items()
            if deed is not Deed.SNOOZE_GROWTH or message.has_figure
        ],
    }


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}
