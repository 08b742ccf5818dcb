"""An alert about a stale source says since when, and what its budgets go by meanwhile."""

from __future__ import annotations

import pytest

from service.domain.alerts.alert import Command, Reason
from service.domain.messages.message import compose, describe
from service.domain.notify.notification import Action
from tests.sample_alerts import PUBLIC_URL, STALE_ALERT, event

NO_DATA = "No cost data from source acme for 35 min: 401: the key was revoked"


@pytest.mark.parametrize(
    ("command", "reason", "action", "said"),
    [
        (Command.OPEN, Reason.FIRST, Action.OPEN, ""),
        (Command.RAISE, Reason.RAISED, Action.RAISE, f"Now error: {NO_DATA}."),
        (Command.AMEND, Reason.RESTATED, Action.RAISE, f"Still going on: {NO_DATA}; nobody has acknowledged."),
        (Command.AMEND, Reason.RESTATED, Action.AMEND, "Still failing, 5 times in a row."),
        (
            Command.RESOLVE,
            Reason.RECOVERED,
            Action.RESOLVE,
            "Over: source acme is read again. No data since 08:56 UTC, Wed 14 Oct.",
        ),
        (Command.RESOLVE, Reason.SOURCE_GONE, Action.RESOLVE, "Resolved: the source was deleted."),
    ],
)
def test_each_move_is_said(command: Command, reason: Reason, action: Action, said: str) -> None:
    assert compose(event(command, reason, alert=STALE_ALERT), action, PUBLIC_URL).change == said


def test_it_says_since_when_and_what_to_do() -> None:
    message = compose(event(alert=STALE_ALERT), Action.OPEN, PUBLIC_URL)
    assert message.headline == message.one_line == NO_DATA
    assert describe(STALE_ALERT) == (
        "No cost data from source acme since 08:56 UTC, Wed 14 Oct: 401: the key was revoked. "
        "Budgets and rules use figures read until 08:56 UTC, Wed 14 Oct. Spend since then fires nothing."
    )
    assert message.next_step == (
        "Run `tocsin check` where Tocsin runs. If the key is refused, make a new Admin key: "
        "https://platform.claude.com/settings/admin-keys – then acknowledge."
    )
