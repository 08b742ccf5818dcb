"""An alert about a silence that ends soon says which, by whom, what fires behind it, and how to extend it."""

from __future__ import annotations

from dataclasses import replace

from service.domain.alerts.alert import Command, Reason
from service.domain.messages.message import compose, describe
from service.domain.notify.notification import Action
from service.domain.values.scopes import ORGANISATION
from service.domain.values.severity import Severity
from tests.sample_alerts import ALERT, PUBLIC_URL, SILENCE_ENDS, event

ENDING = replace(
    ALERT, kind="silence_ends", source_id="", scope=ORGANISATION, severity=Severity.INFO, evidence=SILENCE_ENDS
)
ENDS = "Silence 'load test' ends at 10:31 UTC, Wed 14 Oct: 3 alerts behind it still fire"


def test_it_says_what_fires_and_how_to_extend() -> None:
    message = compose(event(alert=ENDING), Action.OPEN, PUBLIC_URL)
    assert message.headline == ENDS
    assert describe(ENDING) == f"{ENDS}. Made by ann. Its end notifies whoever these alerts are routed to."
    assert message.facts[:2] == (("Fires behind it", "eng monthly: $412 of $500"), ("Besides", "2 more"))
    assert message.next_step == (
        "See to what fires. Or, as an operator, extend the silence by 4h:"
        f" curl -X PATCH {PUBLIC_URL}/v1/silences/sil_1 -H 'Authorization: Bearer <token>'"
        """ -H 'Content-Type: application/json' -d '{"ends_at": "2026-10-14T14:31:05Z"}'"""
    )


def test_one_alert_is_one() -> None:
    alone = replace(ENDING, evidence=replace(SILENCE_ENDS, count=1))
    message = compose(event(alert=alone), Action.OPEN, PUBLIC_URL)
    assert message.headline.endswith(": 1 alert behind it still fires")
    assert "Besides" not in dict(message.facts)


def test_its_end_is_said() -> None:
    message = compose(event(Command.RESOLVE, Reason.RECOVERED, alert=ENDING), Action.RESOLVE, PUBLIC_URL)
    assert message.change == "Over: Silence 'load test' has ended, or its end was changed."
