"""An alert about a channel that takes no messages says which, since when, and what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.domain.alerts.alert import Command, Reason
from service.domain.messages.message import compose, describe
from service.domain.notify.notification import Action
from service.domain.values.scopes import ORGANISATION
from service.domain.values.severity import Severity
from tests.sample_alerts import ALERT, PUBLIC_URL, UNDELIVERED, event

FAILING = replace(
    ALERT, kind="undelivered", source_id="", scope=ORGANISATION, severity=Severity.ERROR, evidence=UNDELIVERED
)


@pytest.mark.parametrize(
    ("command", "reason", "action", "said"),
    [
        (Command.OPEN, Reason.FIRST, Action.OPEN, "Messages to this channel do not arrive."),
        (Command.RAISE, Reason.RAISED, Action.RAISE, "Raised to error: the channel still takes no messages."),
        (Command.AMEND, Reason.RESTATED, Action.RAISE, "Still firing, error: the channel still takes no messages."),
        (Command.AMEND, Reason.RESTATED, Action.AMEND, "Still undelivered: 3 messages."),
        (Command.RESOLVE, Reason.RECOVERED, Action.RESOLVE, "Resolved: no message waits for this channel any more."),
    ],
)
def test_each_move_is_said(command: Command, reason: Reason, action: Action, said: str) -> None:
    assert compose(event(command, reason, alert=FAILING), action, PUBLIC_URL).change == said


def test_it_says_what_waits_and_what_to_do() -> None:
    message = compose(event(alert=FAILING), Action.OPEN, PUBLIC_URL)
    assert message.headline == "No messages reach slack_bot of receiver eng-oncall"
    assert describe(FAILING) == (
        "Tocsin could not deliver 3 messages to slack_bot of receiver eng-oncall since 2026-10-14 08:31 UTC; "
        "whoever reads it there is not warned."
    )
    assert message.facts[:4] == (
        ("Receiver", "eng-oncall"),
        ("Channel", "slack_bot:1f2e3d4c5b6a"),
        ("Undelivered", "3 messages since 2026-10-14 08:31 UTC"),
        ("Last error", "channel_not_found"),
    )
    assert message.next_step == f"Fix the receiver, then test it: POST {PUBLIC_URL}/v1/receivers/rcv_1/test"
