"""To whom an alert is handed on in Slack: what is asked, and what is read."""

from __future__ import annotations

import pytest

from service.domain.slack.hand_on import HandOnCommand, HolderQuestion, read_hand_on_command
from service.domain.slack.requests import Deed, button_value, read_press
from service.domain.values.errors import Invalid
from tests.slack_presses import press

ALERT = {"id": "alert_019a0e3b", "version": 3}


@pytest.mark.parametrize(
    ("text", "to"),
    [
        ("alert_1 bob@example.com", "bob@example.com"),
        ("  alert_1   on call, EMEA  ", "on call, EMEA"),
        ('alert_1 "on call"', "on call"),
    ],
)
def test_a_command_names_the_alert_and_the_receiver(text: str, to: str) -> None:
    assert read_hand_on_command(text) == HandOnCommand("alert_1", to)


@pytest.mark.parametrize("text", ["", "alert_1", "<https://x|alert_1> bob", '"alert_1" bob'])
def test_anything_else_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Invalid, match="say which alert, by its id"):
        read_hand_on_command(text)


def test_a_choice_carries_the_receiver_and_a_button_none() -> None:
    payload = press(ALERT, Deed.HAND_ON)
    asked = read_press(payload)
    payload["actions"][0]["value"] = button_value(Deed.HAND_ON, "alert_019a0e3b", 3, "rcv_bob")
    chosen = read_press(payload)
    assert asked is not None
    assert chosen is not None
    assert (asked.to, chosen.to) == ("", "rcv_bob")
    assert (chosen.alert_id, chosen.version) == (asked.alert_id, asked.version)


def test_slack_s_menus_hold_a_hundred_and_the_question_says_that_there_are_more() -> None:
    question = HolderQuestion(tuple((f"team {n}", f"value {n}") for n in range(140)))
    assert len(question.shown) == 100
    assert "40 more are not listed" in question.text
    assert "not listed" not in HolderQuestion(question.shown).text
