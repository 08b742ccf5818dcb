"""A source that cannot be read, as a rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.alerts.findings import Condition
from service.domain.rules.evaluation import evaluate
from service.domain.rules.rule import RuleKind
from service.domain.rules.staleness import assess_source
from service.domain.sources.source import Patience, SourceState, is_stale
from service.domain.values.scopes import ORGANISATION
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
    spec = rule(RuleKind.STALE_SOURCE, patience)
    verdict = evaluate(view([1.0], polling=state), spec)[ORGANISATION]
    source = resource("src_1", claude_source())
    findings = assess_source(
        source,
        state,
        has_rung=set[str]().__contains__,
        open_alerts=[],
        now=NOON,
        rules=[resource("rul_1", spec)],
    )
    assert verdict.rings is rings
    assert [finding.condition for finding in findings] == [Condition.RINGS] * rings
    assert is_stale(state, NOON, patience) is rings


def test_the_sentence_counts_the_failures() -> None:
    state = replace(FAILING, failures=4, failing_since=NOON - 20 * MINUTE)
    seen = evaluate(view([1.0], polling=state), rule(RuleKind.STALE_SOURCE, Patience()))[ORGANISATION].observation
    assert seen.cause == "The source could not be read since 2026-11-21 11:40 UTC: 4 failures in a row."


def test_a_healthy_source_does_not_ring_and_a_past_instant_has_no_polls() -> None:
    healthy = replace(FAILING, failures=0, failing_since=None)
    spec = rule(RuleKind.STALE_SOURCE, Patience())
    assert not evaluate(view([1.0], polling=healthy), spec)[ORGANISATION].rings
    assert evaluate(view([1.0]), spec) == {}
