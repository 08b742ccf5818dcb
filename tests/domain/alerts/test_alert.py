"""The life of an alert: one table of moves, and nothing outside it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from service.domain.alerts.alert import TRANSITIONS, Alert, AlertEvent, AlertState, Command, Reason, apply
from service.domain.alerts.evidence import BudgetEvidence
from service.domain.alerts.findings import Condition, Finding, over
from service.domain.alerts.reconcile import execute, reconcile
from service.domain.spend.best_known import Basis
from service.domain.values.errors import Conflict
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import ORGANISATION
from service.domain.values.severity import Severity
from tests.factories import utc

NOW = utc("2026-11-21T12:00")


def evidence(spent: str, level: str = "10.00") -> BudgetEvidence:
    return BudgetEvidence(
        budget_id="bdg_1",
        budget_name="eng",
        scope_name="the organisation",
        amount=Money.of("10.00"),
        spent=Money.of(spent),
        basis=Basis.BILLED,
        threshold="actual:100%",
        level=Money.of(level),
        period=Window(utc("2026-11-01"), utc("2026-12-01")),
        period_label="November 2026",
        timezone="UTC",
    )


def alert(state: AlertState = AlertState.FIRING, spent: str = "12.00") -> Alert:
    return Alert(
        id="alert_1",
        version=3,
        fingerprint="fp",
        kind="budget",
        source_id="src_1",
        scope=ORGANISATION,
        severity=Severity.WARNING,
        state=state,
        opened_at=NOW,
        changed_at=NOW,
        evidence=evidence(spent),
    )


def finding(
    condition: Condition,
    spent: str = "12.00",
    reason: Reason = Reason.FIRST,
    severity: Severity | None = None,
    found: BudgetEvidence | None = None,
) -> Finding:
    return Finding(
        fingerprint="fp",
        source_id="src_1",
        scope=ORGANISATION,
        severity=severity or (Severity.CRITICAL if condition is Condition.FIRES else Severity.WARNING),
        condition=condition,
        reason=reason,
        evidence=found or evidence(spent),
    )


@pytest.mark.parametrize(("state", "command"), list(itertools.product(AlertState, Command)))
def test_every_pair_of_state_and_command_moves_as_the_table_says_or_is_refused(
    state: AlertState, command: Command
) -> None:
    if (state, command) in TRANSITIONS:
        event = apply(alert(state), command, actor="token:ann", reason=Reason.PERSON, now=NOW)
        assert event.alert.state is TRANSITIONS[state, command]
        assert event.alert.version == 4
    else:
        with pytest.raises(Conflict, match=state.value):
            apply(alert(state), command, actor="token:ann", reason=Reason.PERSON, now=NOW)


def test_resolved_is_final() -> None:
    assert not [pair for pair in TRANSITIONS if pair[0] is AlertState.RESOLVED]


@pytest.mark.parametrize("state", [AlertState.ACKNOWLEDGED, AlertState.SNOOZED])
def test_a_raise_tells_people_again_whatever_they_had_answered(state: AlertState) -> None:
    taken = replace(alert(state), acknowledged_by="token:ann")
    event = apply(taken, Command.RAISE, actor="tocsin", reason=Reason.RAISED, now=NOW)
    assert (event.alert.state, event.alert.acknowledged_by) == (AlertState.FIRING, None)


def test_who_acknowledged_stays_known_while_the_alert_is_amended_and_resolved() -> None:
    taken = apply(alert(), Command.ACKNOWLEDGE, actor="token:ann", reason=Reason.PERSON, now=NOW).alert
    amended = apply(taken, Command.AMEND, actor="tocsin", reason=Reason.GREW, now=NOW).alert
    resolved = apply(amended, Command.RESOLVE, actor="token:bob", reason=Reason.PERSON, now=NOW).alert
    assert (resolved.acknowledged_by, resolved.resolved_by) == ("token:ann", "token:bob")


def meet(open_alert: Alert | None, found: Finding) -> AlertEvent | None:
    (move,) = reconcile([open_alert] if open_alert else [], [found])
    return execute(move, new_alert_id="alert_new", now=NOW)


def test_a_ringing_finding_without_an_alert_opens_one() -> None:
    event = meet(None, finding(Condition.FIRES))
    assert event is not None
    assert (event.command, event.reason, event.alert.version) == (Command.OPEN, Reason.FIRST, 1)


def test_a_holding_finding_without_an_alert_opens_nothing() -> None:
    assert meet(None, finding(Condition.HOLDS)) is None


def test_a_ringing_finding_raises_the_open_alert_to_its_severity() -> None:
    event = meet(alert(), finding(Condition.FIRES, "15.00"))
    assert event is not None
    assert (event.command, event.reason, event.alert.severity) == (
        Command.RAISE,
        Reason.RAISED,
        Severity.CRITICAL,
    )
    assert isinstance(event.alert.evidence, BudgetEvidence)
    assert event.alert.evidence.spent == Money.of("15.00")


@pytest.mark.parametrize(
    ("shown", "found", "reason"),
    [
        pytest.param("12.00", "12.00", None, id="the same spend changes nothing"),
        pytest.param("12.00", "13.19", None, id="a growth below a tenth is no edit"),
        pytest.param("12.00", "13.20", Reason.GREW, id="a growth of a tenth is"),
        pytest.param("10.10", "9.99", Reason.RESTATED, id="falling below the level is an edit however small"),
        pytest.param("9.99", "10.00", Reason.GREW, id="climbing back to the level too"),
        pytest.param("12.00", "10.80", Reason.RESTATED, id="a fall of a tenth above the level too"),
    ],
)
def test_an_open_alert_is_amended_when_its_spend_changed_materially(
    shown: str, found: str, reason: Reason | None
) -> None:
    event = meet(alert(spent=shown), finding(Condition.HOLDS, found))
    assert (event and event.reason) == reason
    assert event is None or event.command is Command.AMEND


def test_an_amendment_keeps_severity_and_acknowledgement() -> None:
    event = meet(alert(AlertState.ACKNOWLEDGED), finding(Condition.HOLDS, "20.00"))
    assert event is not None
    assert (event.alert.state, event.alert.severity) == (AlertState.ACKNOWLEDGED, Severity.WARNING)


def test_an_ending_resolves_the_alert_and_keeps_what_it_knew() -> None:
    event = meet(alert(), over(alert(), Reason.PERIOD_CLOSED))
    assert event is not None
    assert (event.alert.state, event.reason) == (AlertState.RESOLVED, Reason.PERIOD_CLOSED)
    assert event.alert.evidence == alert().evidence


def test_a_threshold_made_graver_raises_the_alert_that_holds_it() -> None:
    event = meet(alert(), finding(Condition.HOLDS, severity=Severity.CRITICAL))
    assert event is not None
    assert (event.command, event.alert.severity) == (Command.RAISE, Severity.CRITICAL)


def test_an_edit_that_leaves_a_milder_level_puts_the_message_right_and_calls_nobody() -> None:
    critical = replace(alert(AlertState.ACKNOWLEDGED), severity=Severity.CRITICAL)
    milder = replace(evidence("12.00", level="12.00"), terms="15.00/monthly/UTC/1")
    event = meet(critical, finding(Condition.FIRES, severity=Severity.WARNING, found=milder))
    assert event is not None
    assert (event.command, event.reason) == (Command.AMEND, Reason.BUDGET_EDITED)
    assert (event.alert.state, event.alert.severity) == (AlertState.ACKNOWLEDGED, Severity.WARNING)


def test_an_edit_that_leaves_the_same_severity_over_a_new_level_rings() -> None:
    other = replace(evidence("12.00"), terms="10.00/monthly/UTC/1/workspaces=b")
    event = meet(alert(), finding(Condition.FIRES, severity=Severity.WARNING, found=other))
    assert event is not None
    assert event.command is Command.RAISE
