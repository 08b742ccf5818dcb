"""Evidence in an answer: calm, severity and the bill's contradiction are shown as they are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from service.api.alerts.evidence.budget import show_budget_evidence
from service.api.alerts.evidence.rule import show_rule_evidence
from service.domain.values.money import Money
from tests.sample_alerts import EVIDENCE, RULE

HOUR = datetime(2026, 11, 28, 13, tzinfo=UTC)


def test_a_rule_s_evidence_says_why_it_is_severe_and_until_when_it_is_watched() -> None:
    calm = replace(
        RULE,
        hour=HOUR,
        severity_reason="critical because $312.00 are spent",
        strained_budget="org monthly",
        used_up_on=date(2026, 12, 3),
        billed=Money(Decimal("0.00")),
        calm_since=HOUR + timedelta(hours=6),
        closes_at=HOUR + timedelta(hours=12),
    )
    answer = show_rule_evidence(calm)
    assert (answer.hour, answer.severity_reason) == (HOUR, "critical because $312.00 are spent")
    assert (answer.strained_budget, answer.used_up_on) == ("org monthly", date(2026, 12, 3))
    assert (answer.calm_since, answer.closes_at) == (calm.calm_since, calm.closes_at)
    assert answer.billed == "0.00"


def test_a_budget_s_evidence_names_the_days_that_were_billed_late() -> None:
    late = show_budget_evidence(replace(EVIDENCE, billed_days=(date(2026, 10, 31),), billed_on=date(2026, 11, 2)))
    assert (late.billed_days, late.billed_on) == ([date(2026, 10, 31)], date(2026, 11, 2))


def test_a_budget_s_evidence_keeps_what_it_was_fired_on() -> None:
    assert show_budget_evidence(EVIDENCE).fired_on is None
    assert show_budget_evidence(replace(EVIDENCE, fired_on=Money(Decimal("20.00")))).fired_on == "20.00"
