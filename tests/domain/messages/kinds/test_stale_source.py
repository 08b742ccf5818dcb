"""An alert about a stale source says since when, and what its budgets go by meanwhile."""

from __future__ import annotations

import pytest

from service.domain.alerts.alert import Command, Reason
from service.domain.messages.message import compose, describe
from service.domain.notify.notification import Action
from tests.sample_alerts import PUBLIC_URL, STALE_ALERT, event


@pytest.mark.parametrize(
    ("command", "reason", "action", "said"),
    [
        (Command.OPEN, Reason.FIRST, Action.OPEN, "The source cannot be read any more."),
        (Command.RAISE, Reason.RAISED, Action.RAISE, "Raised to error: the source still cannot be read."),
        (Command.AMEND, Reason.RESTATED, Action.RAISE, "Still firing, error: the source still cannot be read."),
        (Command.AMEND, Reason.RESTATED, Action.AMEND, "Still failing: 5 failures in a row."),
        (Command.RESOLVE, Reason.RECOVERED, Action.RESOLVE, "Resolved: the source is being read again."),
        (Command.RESOLVE, Reason.SOURCE_GONE, Action.RESOLVE, "Resolved: the source was deleted."),
    ],
)
def test_each_move_is_said(command: Command, reason: Reason, action: Action, said: str) -> None:
    assert compose(event(command, reason, alert=STALE_ALERT), action, PUBLIC_URL).change == said


def test_it_says_since_when_and_what_to_do() -> None:
    message = compose(event(alert=STALE_ALERT), Action.OPEN, PUBLIC_URL)
    assert message.headline == "No data from source acme since 2026-10-14 08:56 UTC"
    assert describe(STALE_ALERT) == (
        "Source acme could not be read since 2026-10-14 09:01 UTC (5 failures in a row), "
        "so its budgets go by old figures."
    )
    place = f"{PUBLIC_URL}/v1/alerts/{STALE_ALERT.id}"
    assert message.next_step == f"Check the source's key and network, and acknowledge: POST {place}/acknowledge"
