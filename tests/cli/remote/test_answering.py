"""An alert is answered from a terminal."""

from __future__ import annotations

import pytest

from service.cli.remote.answering import answer
from service.client import Server, ServerError
from tests.cli.remote.rest import answering, screen

SNOOZED = {"id": "alert_1", "state": "snoozed", "snoozed_until": "2026-11-16T13:00:00Z"}


def test_the_note_is_sent_and_the_new_state_shown() -> None:
    out, text = screen()
    with answering({"POST /alerts/alert_1/snooze": SNOOZED}) as rest:
        answer(Server(rest.url, "tcn_FAKE"), "alert_1", "snooze", {"for": "1h", "note": "batch"}, out)
    assert text.getvalue() == "alert_1 is snoozed until 13:00 UTC, Mon 16 Nov.\n"
    assert rest.asked == [("POST /alerts/alert_1/snooze?", "Bearer tcn_FAKE", {"for": "1h", "note": "batch"})]


def test_whoever_has_it_is_named_while_it_is_open() -> None:
    out, text = screen()
    handed = {"id": "alert_1", "state": "firing", "handed_to": "bob@example.com"}
    over = handed | {"state": "resolved"}
    with answering({"POST /alerts/alert_1/hand-on": handed, "POST /alerts/alert_1/resolve": over}) as rest:
        server = Server(rest.url, "tcn_FAKE")
        answer(server, "alert_1", "hand-on", {"to": "bob@example.com", "note": ""}, out)
        answer(server, "alert_1", "resolve", {"note": ""}, out)
    assert text.getvalue() == "alert_1 is firing, handed on to bob@example.com.\nalert_1 is resolved.\n"


def test_a_move_that_is_not_possible_is_an_error() -> None:
    with answering({"POST /alerts/alert_1/resolve": {"detail": "the alert is resolved"}}) as rest:
        rest.status = 409
        with pytest.raises(ServerError, match="the alert is resolved"):
            answer(Server(rest.url, "tcn_FAKE"), "alert_1", "resolve", {}, screen()[0])


def test_an_id_that_is_none_stays_in_its_place() -> None:
    with answering({"POST /alerts/..%2Fbudgets%3Fa%20b/resolve": SNOOZED}) as rest:
        answer(Server(rest.url, "tcn_FAKE"), "../budgets?a b", "resolve", {}, screen()[0])
    assert [asked for asked, _, _ in rest.asked] == ["POST /alerts/..%2Fbudgets%3Fa%20b/resolve?"]
