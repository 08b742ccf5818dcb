"""A source that cannot be read: how long it may fail, and how severe that is, a rule says; without one it fires too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, Reason
from service.domain.alerts.findings import Condition, Finding
from service.domain.alerts.reconcile import execute, reconcile
from service.domain.rules.evaluation import evaluate
from service.domain.rules.kinds.change import Change
from service.domain.rules.kinds.stale_source import assess_source, stale_fingerprint
from service.domain.rules.rule import Rule
from service.domain.sources.source import SourceState
from service.domain.spend.lateness import Patience, is_stale
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION
from service.domain.values.severity import Severity
from tests.domain.rules.views import NOON, rule, view
from tests.factories import claude_source, resource

MINUTE = timedelta(minutes=1)
FAILING = SourceState("src_1", fence=1, next_poll_at=NOON, failures=1, failing_since=NOON)


@pytest.mark.parametrize(
    ("patience", "failures", "since", "rings"),
    [
        (Patience(), 2, 29, False),
        (Patience(), 3, 0, True),
        (Patience(), 1, 30, True),
        (Patience(failures=10), 9, 10, False),
        (Patience(failures=10), 10, 10, True),
        (Patience(failures=10, after=90 * MINUTE), 9, 89, False),
        (Patience(failures=10, after=90 * MINUTE), 9, 90, True),
    ],
)
def test_the_rule_the_alert_and_the_status_decide_alike(
    patience: Patience, failures: int, since: int, rings: bool
) -> None:
    state = replace(FAILING, failures=failures, failing_since=NOON - since * MINUTE)
    spec = rule("stale_source", patience)
    verdict = evaluate(view([1.0], polling=state), spec)[ORGANISATION]
    source = resource("src_1", claude_source())
    findings = assess_source(
        source,
        state,
        has_fired=set[str]().__contains__,
        open_alerts=[],
        now=NOON,
        rules=[resource("rul_1", spec)],
    )
    assert verdict.fires is rings
    assert [finding.condition for finding in findings] == [Condition.FIRES] * rings
    assert is_stale(state, NOON, patience) is rings


def test_the_sentence_counts_the_failures() -> None:
    state = replace(FAILING, failures=4, failing_since=NOON - 20 * MINUTE)
    seen = evaluate(view([1.0], polling=state), rule("stale_source", Patience()))[ORGANISATION].observation
    assert seen.cause == "The source could not be read since 2026-11-21 11:40 UTC: 4 failures in a row."


def test_a_healthy_source_does_not_ring_and_a_past_instant_has_no_polls() -> None:
    healthy = replace(FAILING, failures=0, failing_since=None)
    spec = rule("stale_source", Patience())
    assert not evaluate(view([1.0], polling=healthy), spec)[ORGANISATION].fires
    assert evaluate(view([1.0]), spec) == {}


# ------------------------------------------------------------------------------------------- the alert

SOURCE = resource("src_1", claude_source())
Rules = Sequence[Resource[Rule[object]]]


def failing(failures: int, minutes: int = 1) -> SourceState:
    return SourceState("src_1", fence=1, next_poll_at=NOON, failures=failures, failing_since=NOON - minutes * MINUTE)


def watch(
    failures: int,
    severity: Severity = Severity.WARNING,
    *,
    enabled: bool = True,
    source_id: str = "src_1",
    after: timedelta = timedelta(days=1),
) -> Resource[Rule[object]]:
    params = Patience(failures, after)
    spec: Rule[object] = Rule(source_id, "stale_source", params, severity=severity, enabled=enabled)
    return resource(f"rul_{failures}", spec)


def assess(state: SourceState, rules: Rules = (), open_alerts: Sequence[Alert] = (), rung: str = "") -> list[Finding]:
    return assess_source(
        SOURCE, state, has_fired=lambda known: known == rung, open_alerts=open_alerts, now=NOON, rules=rules
    )


def rings(state: SourceState, rules: Rules = ()) -> Severity | None:
    """The severity that it rings with, if it does."""
    findings = assess(state, rules)
    assert [found.condition for found in findings] == [Condition.FIRES] * len(findings)
    return findings[0].severity if findings else None


def opened(state: SourceState, rules: Rules = ()) -> Alert:
    event = carried_out(assess(state, rules), [])
    assert event is not None
    return event.alert


def carried_out(findings: Sequence[Finding], open_alerts: Sequence[Alert]) -> AlertEvent | None:
    (move,) = reconcile(open_alerts, findings)
    return execute(move, new_alert_id="alert_1", now=NOON)


DISABLED = watch(10, enabled=False)
ANOTHER_SOURCES = watch(1, source_id="src_2")
ANOTHER_KIND: Resource[Rule[object]] = resource("rul_c", Rule("src_1", "change", Change(), enabled=False))


@pytest.mark.parametrize(
    ("failures", "minutes", "severity"),
    [(2, 29, None), (3, 1, Severity.ERROR), (1, 30, Severity.ERROR)],
)
@pytest.mark.parametrize("rules", [[], [ANOTHER_SOURCES], [ANOTHER_KIND]], ids=["none", "another source's", "other"])
def test_without_a_rule_of_its_own_a_source_rings_by_the_built_in_patience(
    failures: int, minutes: int, severity: Severity | None, rules: Rules
) -> None:
    assert rings(failing(failures, minutes), rules) == severity


@pytest.mark.parametrize(
    ("failures", "minutes", "severity"),
    [(4, 59, None), (5, 1, Severity.CRITICAL), (1, 60, Severity.CRITICAL)],
)
def test_an_enabled_rule_decides_with_its_patience_and_severity(
    failures: int, minutes: int, severity: Severity | None
) -> None:
    rule = watch(5, Severity.CRITICAL, after=60 * MINUTE)
    assert rings(failing(failures, minutes), [rule]) == severity


def test_a_disabled_rule_silences_its_source() -> None:
    assert rings(failing(1_000, 10_000), [DISABLED, ANOTHER_SOURCES]) is None


def test_disabling_the_rule_ends_the_running_alert() -> None:
    state = failing(10)
    alert = opened(state, [watch(10)])
    event = carried_out(assess(state, [DISABLED], [alert]), [alert])
    assert event is not None
    assert (event.alert.state, event.reason) == (AlertState.RESOLVED, Reason.RULE_DISABLED)


def test_deleting_the_rule_leaves_the_running_alert_open() -> None:
    state = failing(10)
    alert = opened(state, [watch(10, Severity.ERROR)])
    assert carried_out(assess(state, [], [alert]), [alert]) is None


def test_of_several_rules_the_most_impatient_decides_when_it_rings() -> None:
    rules = [watch(10, Severity.CRITICAL), watch(2, Severity.INFO), DISABLED]
    assert rings(failing(1), rules) is None
    assert rings(failing(2), rules) is Severity.INFO


def test_of_several_rules_that_have_lost_patience_the_gravest_decides_how_loudly() -> None:
    assert rings(failing(10), [watch(10, Severity.CRITICAL), watch(2, Severity.INFO)]) is Severity.CRITICAL


def test_a_graver_rule_that_loses_patience_later_raises_the_running_alert() -> None:
    rules = [watch(10, Severity.CRITICAL), watch(2, Severity.INFO)]
    alert = opened(failing(2), rules)
    assert carried_out(assess(failing(9), rules, [alert]), [alert]) is None
    event = carried_out(assess(failing(10), rules, [alert]), [alert])
    assert event is not None
    assert (event.command, event.alert.severity) == (Command.RAISE, Severity.CRITICAL)


def test_a_milder_rule_does_not_quieten_the_running_alert() -> None:
    alert = opened(failing(3))
    assert carried_out(assess(failing(3), [watch(2, Severity.INFO)], [alert]), [alert]) is None


def test_a_more_patient_rule_leaves_the_running_alert_open() -> None:
    alert = opened(failing(3))
    assert assess(failing(3), [watch(100)], [alert]) == []


def test_a_source_that_is_read_again_has_recovered_whatever_the_rules_say() -> None:
    alert = opened(failing(3))
    healthy = replace(failing(0), failing_since=None)
    for rules in ([], [watch(1)], [DISABLED]):
        (found,) = assess(healthy, rules, [alert])
        assert (found.condition, found.reason) == (Condition.OVER, Reason.RECOVERED)


def test_a_disabled_source_ends_its_alert_and_rings_no_more() -> None:
    alert, state = opened(failing(3)), failing(9)
    disabled = replace(SOURCE, spec=replace(SOURCE.spec, enabled=False))
    (found,) = assess_source(
        disabled, state, has_fired=set[str]().__contains__, open_alerts=[alert], now=NOON, rules=[watch(1)]
    )
    assert (found.condition, found.reason) == (Condition.OVER, Reason.SOURCE_DISABLED)


def test_what_a_person_has_resolved_stays_quiet_for_the_day() -> None:
    state = failing(9)
    known = stale_fingerprint(state, NOON)
    assert known is not None
    assert assess(state, [watch(1)], rung=known) == []
