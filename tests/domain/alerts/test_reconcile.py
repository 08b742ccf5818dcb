"""An open rule alert is edited when its incident has moved by a tenth, and fires again only when it is more severe."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, Reason
from service.domain.alerts.evidence import RuleEvidence
from service.domain.alerts.findings import Condition, Finding, over
from service.domain.alerts.reconcile import execute, reconcile
from service.domain.values.money import Money
from service.domain.values.severity import Severity
from tests.sample_alerts import EVIDENCE, OPENED, RULE, RULE_ALERT

TAKEN = replace(RULE_ALERT, state=AlertState.ACKNOWLEDGED, acknowledged_by="Ada")


def shown(excess: str, impact: str | None = None) -> RuleEvidence:
    return replace(
        RULE,
        actual=RULE.expected + Money.of(excess),
        impact=Money.of(impact) if impact is not None else None,
    )


def finding(
    evidence: RuleEvidence, condition: Condition = Condition.HOLDS, severity: Severity | None = None
) -> Finding:
    return Finding(
        fingerprint=RULE_ALERT.fingerprint,
        source_id=RULE_ALERT.source_id,
        scope=RULE_ALERT.scope,
        severity=severity or RULE_ALERT.severity,
        condition=condition,
        reason=Reason.FIRST if condition is Condition.FIRES else Reason.NOTHING_NEW,
        evidence=evidence,
    )


def meet(alert: Alert | None, found: Finding) -> AlertEvent | None:
    (move,) = reconcile([alert] if alert else [], [found])
    return execute(move, new_alert_id="alert_new", now=OPENED)


def moved(before: RuleEvidence, after: RuleEvidence, condition: Condition = Condition.HOLDS) -> Reason | None:
    event = meet(replace(TAKEN, evidence=before), finding(after, condition))
    if event is None:
        return None
    assert (event.command, event.alert.state) == (Command.AMEND, AlertState.ACKNOWLEDGED)
    assert event.alert.evidence == after
    return event.reason


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        pytest.param(shown("100"), shown("109.99"), None, id="a growth of the excess below a tenth is no edit"),
        pytest.param(shown("100"), shown("110"), Reason.GREW, id="a growth of a tenth is"),
        pytest.param(shown("100"), shown("90"), Reason.RESTATED, id="a fall of a tenth too"),
        pytest.param(shown("100"), shown("90.01"), None, id="a smaller fall is not"),
        pytest.param(shown("100", "500"), shown("900", "549"), None, id="the sum decides where both have one"),
        pytest.param(shown("100", "500"), shown("100", "550"), Reason.GREW, id="a sum that grew by a tenth"),
        pytest.param(shown("100", "500"), shown("100", "450"), Reason.RESTATED, id="a sum that fell by a tenth"),
        pytest.param(shown("100", "500"), shown("110"), Reason.GREW, id="the excess where only one has a sum"),
        pytest.param(shown("0"), shown("0"), None, id="nothing that stays nothing"),
        pytest.param(shown("0"), shown("0.01"), Reason.GREW, id="nothing that became something"),
    ],
)
def test_an_open_alert_is_amended_when_its_incident_moved_by_a_tenth_and_nobody_is_rung(
    before: RuleEvidence, after: RuleEvidence, reason: Reason | None
) -> None:
    assert moved(before, after) == reason


def test_what_an_open_alert_takes_in_from_elsewhere_calls_people_again() -> None:
    event = meet(TAKEN, finding(RULE, Condition.FIRES))
    assert event is not None
    assert (event.command, event.alert.state, event.alert.severity) == (
        Command.RAISE,
        AlertState.FIRING,
        RULE_ALERT.severity,
    )


def test_a_rise_that_became_a_fall_is_put_right_though_it_is_as_large() -> None:
    high = shown("100")
    low = replace(high, actual=high.expected - Money.of("100"), falls=True)
    assert high.excess == low.excess
    assert moved(high, low) is Reason.RESTATED


def test_an_alert_of_a_rule_that_became_another_kind_is_put_right() -> None:
    assert moved(RULE, replace(RULE, rule_kind="change")) is Reason.RESTATED


@pytest.mark.parametrize("condition", [Condition.HOLDS, Condition.FIRES])
def test_a_graver_finding_raises_the_alert_and_takes_the_acknowledgement_back(condition: Condition) -> None:
    event = meet(TAKEN, finding(RULE, condition, Severity.ERROR))
    assert event is not None
    assert (event.command, event.reason) == (Command.RAISE, Reason.RAISED)
    assert (event.alert.severity, event.alert.state) == (Severity.ERROR, AlertState.FIRING)


def test_a_ringing_finding_without_an_alert_opens_one() -> None:
    event = meet(None, finding(RULE, Condition.FIRES))
    assert event is not None
    assert (event.command, event.alert.id, event.alert.evidence) == (Command.OPEN, "alert_new", RULE)


@pytest.mark.parametrize("reason", [Reason.RECOVERED, Reason.RULE_GONE, Reason.RULE_EDITED])
def test_an_ending_resolves_the_alert_and_keeps_what_it_knew(reason: Reason) -> None:
    event = meet(RULE_ALERT, over(RULE_ALERT, reason))
    assert event is not None
    assert (event.command, event.reason, event.alert.evidence) == (Command.RESOLVE, reason, RULE)


def test_evidence_of_another_sort_is_never_compared() -> None:
    assert meet(replace(RULE_ALERT, evidence=EVIDENCE), finding(RULE)) is None
