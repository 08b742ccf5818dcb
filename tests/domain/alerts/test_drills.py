"""A drill is marked, is alone, and ends by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.alerts.alert import Command, Reason
from service.domain.alerts.drills import LONGEST_DRILL, drill_fingerprint, end_drills, find_drill, require_no_drill
from service.domain.alerts.reconcile import execute, reconcile
from service.domain.digests.alerts import Tally, tally
from service.domain.messages.message import badge, compose
from service.domain.notify.notification import Action
from service.domain.values.errors import Conflict, Invalid
from service.domain.values.severity import Severity
from tests.factories import claude_source, resource
from tests.sample_alerts import ALERT, DRILL, OPENED, event

SOURCE = resource("src_1", claude_source())
DRILLED = replace(ALERT, kind="drill", evidence=DRILL, fingerprint=drill_fingerprint("src_1"))
MOVES = [
    (Command.OPEN, Action.OPEN, Reason.FIRST),
    (Command.OPEN, Action.RAISE, Reason.REPEAT_DUE),
    (Command.ACKNOWLEDGE, Action.ACKNOWLEDGE, Reason.PERSON),
    (Command.SNOOZE, Action.SNOOZE, Reason.PERSON),
    (Command.WAKE, Action.RAISE, Reason.SNOOZE_OVER),
    (Command.RESOLVE, Action.RESOLVE, Reason.PERSON),
    (Command.RESOLVE, Action.RESOLVE, Reason.OVER),
    (Command.RESOLVE, Action.RESOLVE, Reason.SOURCE_GONE),
]


@pytest.mark.parametrize(("command", "action", "reason"), MOVES)
def test_whatever_happens_to_a_drill_the_phone_s_line_says_that_it_is_one(
    command: Command, action: Action, reason: Reason
) -> None:
    message = compose(event(command, reason, alert=DRILLED, evidence=DRILL, actor="ann"), action, "http://t.example")
    assert "DRILL" in message.one_line
    assert "DRILL" in message.headline


def test_a_drill_carries_the_labels_that_it_is_given_and_none_of_its_own() -> None:
    finding = find_drill(SOURCE, Severity.CRITICAL, {"team": "eng", "kind": "budget"})
    assert finding.evidence.labels == {"team": "eng", "kind": "budget"}
    for own in ("severity", "source", "scope"):
        with pytest.raises(Invalid, match="a drill has this label from its"):
            find_drill(SOURCE, Severity.CRITICAL, {own: "x"})


def test_a_source_has_one_drill_at_a_time() -> None:
    require_no_drill(SOURCE, [ALERT])
    require_no_drill(replace(SOURCE, id="src_2"), [DRILLED])
    with pytest.raises(Conflict, match="goes on"):
        require_no_drill(SOURCE, [ALERT, DRILLED])


def test_a_drill_that_nobody_ends_is_over_after_a_quarter_of_an_hour_and_no_other_alert_is() -> None:
    alerts = [ALERT, DRILLED]
    assert end_drills(alerts, OPENED + LONGEST_DRILL - timedelta(seconds=1)) == []
    (move,) = reconcile(alerts, end_drills(alerts, OPENED + LONGEST_DRILL))
    ended = execute(move, new_alert_id="unused", now=OPENED + LONGEST_DRILL)
    assert ended is not None
    assert (ended.alert.id, badge(compose(ended, Action.RESOLVE, "http://t.example"))) == (DRILLED.id, "RESOLVED")


def test_a_digest_does_not_count_drills() -> None:
    assert tally([event(alert=DRILLED, evidence=DRILL)], []) == Tally()
    assert tally([event()], []).opened == 1
