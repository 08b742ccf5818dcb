"""Handing on changes whose an alert is, and nothing of how it stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, NewHolder, Reason
from service.domain.alerts.handover import hand_on
from service.domain.messages.message import change, compose, standing_of
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
    with pytest.raises(Conflict, match="resolved already: there is nothing to hand on"):
        handed(replace(ALERT, state=AlertState.RESOLVED))
    with pytest.raises(Conflict, match=r"'bob@example\.com' already"):
        handed(handed().alert)


def test_both_hear_who_gave_it_to_whom_and_why() -> None:
    event = handed(note="your key")
    said = "Handed on by ann to bob@example.com. Note: your key"
    assert [change(event, action) for action in (Action.AMEND, Action.OPEN)] == [said, said]
    told, others = (compose(event, action, PUBLIC_URL) for action in (Action.OPEN, Action.AMEND))
    assert told.notice.startswith("Handed on by ann: Budget eng monthly")
    assert others.notice.startswith("Handed on by ann to bob@example.com: Budget eng monthly")


def test_nobody_asks_whoever_gave_it_away_to_act() -> None:
    steps = [compose(handed(), action, PUBLIC_URL).next_step for action in (Action.OPEN, Action.AMEND)]
    assert "acknowledge" in steps[0]
    assert steps[1] == "There is nothing to do here: bob@example.com has it now."


def test_one_who_is_called_again_hears_who_gave_it_back_and_how_it_stands() -> None:
    said = change(handed(note="your key"), Action.RAISE)
    assert said.startswith("Handed on by ann to bob@example.com. Still going on: ")
    assert said.endswith("; nobody has acknowledged. Note: your key")


@pytest.mark.parametrize(
    ("state", "standing"),
    [
        (AlertState.FIRING, "critical, firing, handed on to bob@example.com"),
        (AlertState.ACKNOWLEDGED, "critical, acknowledged by eve, handed on to bob@example.com"),
        (AlertState.RESOLVED, "resolved"),
    ],
)
def test_later_messages_say_who_has_it_while_it_is_open(state: AlertState, standing: str) -> None:
    later = replace(handed().alert, state=state, acknowledged_by="token:eve")
    assert standing_of(AlertEvent(later, OPENED, Command.AMEND, "tocsin", Reason.RESTATED)) == standing
