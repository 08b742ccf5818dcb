"""Handing on changes whose an alert is, and nothing of how it stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.domain.alerts.alert import Alert, AlertEvent, AlertState, NewHolder, Reason
from service.domain.alerts.handover import hand_on
from service.domain.messages.message import change, compose
from service.domain.notify.notification import Action
from service.domain.values.errors import Conflict
from tests.sample_alerts import ALERT, OPENED, PUBLIC_URL

BOB = NewHolder("rcv_bob", "bob@example.com")


def handed(alert: Alert = ALERT, note: str = "") -> AlertEvent:
    return hand_on(alert, BOB, actor="token:ann", note=note, now=OPENED)


@pytest.mark.parametrize("state", [AlertState.FIRING, AlertState.ACKNOWLEDGED, AlertState.SNOOZED])
def test_its_state_stays(state: AlertState) -> None:
    event = handed(replace(ALERT, state=state))
    assert (event.alert.state, event.alert.handed_to, event.reason) == (state, BOB, Reason.HANDED_ON)


def test_what_is_over_or_there_already_is_not_handed_on() -> None:
    with pytest.raises(Conflict):
        handed(replace(ALERT, state=AlertState.RESOLVED))
    with pytest.raises(Conflict, match=r"'bob@example\.com' already"):
        handed(handed().alert)


def test_both_hear_who_gave_it_to_whom_and_why() -> None:
    event = handed(note="your key")
    said = "Handed on by ann to bob@example.com. Note: your key"
    assert [change(event, action) for action in (Action.AMEND, Action.OPEN)] == [said, said]
    notice = compose(event, Action.OPEN, PUBLIC_URL).notice
    assert notice.startswith("Handed on by ann to bob@example.com. Note: your key: ")
