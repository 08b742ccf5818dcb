"""Budgets against spend: what rings, what holds, what is recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from service.domain.alerts.alert import Alert, AlertState, Reason
from service.domain.alerts.crossings import Crossing
from service.domain.alerts.evidence import BudgetEvidence
from service.domain.alerts.findings import Condition, Finding
from service.domain.budgets.assessment import assess, budget_endings
from service.domain.budgets.budget import Budget, terms
from service.domain.budgets.known import Known, live_windows
from service.domain.budgets.statuses import budget_status
from service.domain.spend.best_known import Spend
from service.domain.values.money import Money
from service.domain.values.names import Names
from service.domain.values.periods import PeriodKind, PeriodSpec, Window
from service.domain.values.resources import Resource
from service.domain.values.scopes import UNATTRIBUTED, Cell, Dimension, Scope, ScopeKey
from service.domain.values.severity import Severity
from tests.factories import amount, billed, budget, cell, percent, resource, utc

NOW = utc("2026-11-21T12:00")
Cells = Mapping[Cell, Spend]


class Memory:
    """What the store would remember between two evaluations of one budget."""

    def __init__(self, spec: Budget) -> None:
        self.budget: Resource[Budget] = resource("bdg_1", spec)
        self.crossings: list[Crossing] = []
        self.open: list[Alert] = []
        self.names: Names = {}

    def known(self, now: datetime, read_at: datetime | None = None) -> Known:
        return Known(self.crossings, self.open, self.names, now, read_at=read_at)

    def evaluate(self, spent: Cells, now: datetime = NOW, read_at: datetime | None = None) -> Sequence[Finding]:
        """The same cells in every live window; new crossings are remembered."""
        known = self.known(now, read_at)
        windows = {window: spent for window in live_windows([self.budget], known)}
        return self.evaluate_windows(windows, now, read_at)

    def evaluate_windows(
        self, spend: Mapping[Window, Cells], now: datetime, read_at: datetime | None = None
    ) -> Sequence[Finding]:
        known = self.known(now, read_at)
        windows = live_windows([self.budget], known)
        findings = assess(self.budget, {w: spend.get(w, {}) for w in windows}, known)
        for finding in findings:
            self.crossings += [replace(c, alert_id="alert_1") for c in finding.crossings]
        return findings


def only(findings: Sequence[Finding]) -> Finding:
    assert len(findings) == 1
    return findings[0]


def evidence(finding: Finding) -> BudgetEvidence:
    assert isinstance(finding.evidence, BudgetEvidence)
    return finding.evidence


def test_spend_below_every_threshold_is_no_finding() -> None:
    assert not Memory(budget("10.00")).evaluate({cell(): billed("7.999999")})


def test_a_threshold_is_crossed_at_its_exact_level() -> None:
    finding = only(Memory(budget("10.00")).evaluate({cell(): billed("8.00")}))
    assert finding.condition is Condition.FIRES
    assert finding.reason is Reason.FIRST
    assert evidence(finding).threshold == "actual:80%"
    assert evidence(finding).level == Money.of("8.00")


def test_several_crossings_at_once_are_one_finding_for_the_highest() -> None:
    finding = only(Memory(budget("10.00")).evaluate({cell(): billed("12.345678")}))
    assert [c.threshold for c in finding.crossings] == ["actual:80%", "actual:100%"]
    assert evidence(finding).threshold == "actual:100%"
    assert evidence(finding).spent == Money.of("12.345678")
    assert finding.severity is Severity.CRITICAL


def test_the_same_spend_rings_once_and_then_holds() -> None:
    memory = Memory(budget("10.00"))
    memory.evaluate({cell(): billed("12.00")})
    for _ in range(50):
        finding = only(memory.evaluate({cell(): billed("12.00")}))
        assert finding.condition is Condition.HOLDS
        assert not finding.crossings


def test_a_higher_level_rings_again_and_a_lower_one_never_does() -> None:
    memory = Memory(budget("10.00"))
    assert only(memory.evaluate({cell(): billed("8.50")})).condition is Condition.FIRES
    assert only(memory.evaluate({cell(): billed("10.50")})).condition is Condition.FIRES
    assert only(memory.evaluate({cell(): billed("8.50")})).condition is Condition.HOLDS
    assert only(memory.evaluate({cell(): billed("10.60")})).condition is Condition.HOLDS


def test_a_restatement_to_nothing_still_finds_the_scope_that_rang() -> None:
    memory = Memory(budget("10.00", for_each=Dimension.WORKSPACE))
    memory.evaluate({cell("wrkspc_a"): billed("12.00")})
    finding = only(memory.evaluate({}))
    assert finding.condition is Condition.HOLDS
    assert evidence(finding).spent == Money.of("0")


def test_the_next_period_starts_on_time_with_new_crossings() -> None:
    memory = Memory(budget("10.00"))
    november, december = (
        Window(utc("2026-11-01"), utc("2026-12-01")),
        Window(utc("2026-12-01"), utc("2027-01-01")),
    )
    memory.evaluate_windows({november: {cell(): billed("12.00")}}, utc("2026-11-30T23:59"))
    findings = memory.evaluate_windows(
        {november: {cell(): billed("12.00")}, december: {cell(): billed("9.00")}}, utc("2026-12-01T00:00")
    )
    assert [(f.condition, evidence(f).period_label) for f in findings] == [
        (Condition.HOLDS, "November 2026"),
        (Condition.FIRES, "December 2026"),
    ]


def test_a_bill_that_comes_while_the_period_is_closing_rings_late() -> None:
    memory = Memory(budget("10.00"))
    october = Window(utc("2026-10-01"), utc("2026-11-01"))
    finding = only(memory.evaluate_windows({october: {cell(): billed("12.00")}}, utc("2026-11-02T06:00")))
    assert finding.reason is Reason.LATE
    assert evidence(finding).late
    assert evidence(finding).period_label == "October 2026"


@pytest.mark.parametrize(
    "then",
    [
        pytest.param(None, id="there was no budget"),
        pytest.param(budget("10.00", enabled=False), id="it was off"),
        pytest.param(budget("10.00", period=PeriodSpec(PeriodKind.WEEKLY)), id="it had other periods"),
        pytest.param(budget("100.00"), id="its amount was not reached"),
        pytest.param(budget("10.00", amount("50.00")), id="its threshold was not reached"),
        pytest.param(budget("10.00", scope=Scope(workspaces=("b",))), id="it looked elsewhere"),
    ],
)
def test_what_was_configured_after_a_period_s_end_does_not_judge_it(then: Budget | None) -> None:
    october, november = (
        Window(utc("2026-10-01"), utc("2026-11-01")),
        Window(utc("2026-11-01"), utc("2026-12-01")),
    )
    now, stored = utc("2026-11-02T06:00"), resource("bdg_1", budget("10.00"))
    ended = resource("bdg_1", then) if then else None
    known = Known([], [], {}, now, ended_as={("bdg_1", october.end): ended})
    spent = {cell("a"): billed("12.00")}
    finding = only(assess(stored, {october: spent, november: spent}, known))
    assert (evidence(finding).period_label, finding.reason) == ("November 2026", Reason.FIRST)


def test_a_period_that_is_over_still_rings_by_the_terms_that_it_ended_with() -> None:
    october = Window(utc("2026-10-01"), utc("2026-11-01"))
    stored = resource("bdg_1", budget("500.00"))
    then = {("bdg_1", october.end): resource("bdg_1", budget("10.00"))}
    known = Known([], [], {}, utc("2026-11-02T06:00"), ended_as=then)
    windows = {window: {cell(): billed("12.00")} for window in live_windows([stored], known)}
    finding = only(assess(stored, windows, known))
    assert finding.reason is Reason.LATE
    assert (evidence(finding).amount, evidence(finding).period) == (Money.of("10.00"), october)
    assert finding.crossings[0].terms == terms(budget("10.00"))
    shown = {status.period.label: status.terms.amount for status in budget_status(stored, windows, known)}
    assert shown == {"November 2026": Money.of("500.00"), "October 2026": Money.of("10.00")}


def test_a_closed_period_is_not_looked_at_any_more() -> None:
    memory = Memory(budget("10.00"))
    october = Window(utc("2026-10-01"), utc("2026-11-01"))
    assert not memory.evaluate_windows({october: {cell(): billed("12.00")}}, utc("2026-11-04T00:00"))


def test_a_period_does_not_close_while_no_bill_can_be_read() -> None:
    memory = Memory(budget("10.00"))
    october = Window(utc("2026-10-01"), utc("2026-11-01"))
    finding = only(
        memory.evaluate_windows(
            {october: {cell(): billed("12.00")}}, utc("2026-11-06T00:00"), read_at=utc("2026-11-02T00:00")
        )
    )
    assert finding.reason is Reason.LATE


def test_an_added_threshold_that_is_passed_rings_once_if_it_is_the_highest() -> None:
    memory = Memory(budget("10.00", percent(80)))
    memory.evaluate({cell(): billed("12.00")})
    memory.budget = resource("bdg_1", budget("10.00", percent(80), percent(110, Severity.ERROR)))
    assert only(memory.evaluate({cell(): billed("12.00")})).condition is Condition.FIRES
    assert only(memory.evaluate({cell(): billed("12.00")})).condition is Condition.HOLDS


def test_an_added_threshold_that_is_lower_than_a_rung_one_is_recorded_in_silence() -> None:
    memory = Memory(budget("10.00", percent(100)))
    memory.evaluate({cell(): billed("12.00")})
    memory.budget = resource("bdg_1", budget("10.00", percent(50), percent(100)))
    finding = only(memory.evaluate({cell(): billed("12.00")}))
    assert finding.condition is Condition.HOLDS
    assert [c.threshold for c in finding.crossings] == ["actual:50%"]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(budget("11.00"), id="another amount"),
        pytest.param(budget("10.00", period=PeriodSpec(PeriodKind.MONTHLY, "Asia/Tokyo")), id="another zone"),
    ],
)
def test_changed_terms_start_new_crossings(changed: Budget) -> None:
    memory = Memory(budget("10.00"))
    memory.evaluate({cell(): billed("12.00")})
    memory.budget = resource("bdg_1", changed)
    assert all(f.condition is Condition.FIRES for f in memory.evaluate({cell(): billed("12.00")}))


def test_editing_the_scope_keeps_the_alert_and_starts_new_crossings() -> None:
    memory = Memory(budget("10.00"))
    first = only(memory.evaluate({cell(): billed("12.00")}))
    memory.budget = resource("bdg_1", budget("10.00", scope=Scope(workspaces=("default",))))
    second = only(memory.evaluate({cell(): billed("12.00")}))
    assert (second.fingerprint, second.condition) == (first.fingerprint, Condition.FIRES)


def test_a_budget_of_nothing_rings_at_the_first_cent_and_not_before() -> None:
    memory = Memory(budget("0.00", percent(100)))
    assert not memory.evaluate({cell(): billed("0.00")})
    assert only(memory.evaluate({cell(): billed("0.01")})).condition is Condition.FIRES


def test_an_amount_threshold_is_taken_as_dollars() -> None:
    memory = Memory(budget("100.00", amount("7.50")))
    assert not memory.evaluate({cell(): billed("7.49")})
    assert only(memory.evaluate({cell(): billed("7.50")})).crossings[0].threshold == "actual:7.50"


def test_for_each_gives_every_member_its_own_crossing_and_later_members_too() -> None:
    memory = Memory(budget("10.00", for_each=Dimension.WORKSPACE))
    first = memory.evaluate({cell("a"): billed("12.00"), cell("b"): billed("3.00")})
    assert [str(f.scope) for f in first if f.condition is Condition.FIRES] == ["workspace:a"]
    later = memory.evaluate({cell("a"): billed("12.00"), cell("b"): billed("3.00"), cell("c"): billed("11.00")})
    assert [str(f.scope) for f in later if f.condition is Condition.FIRES] == ["workspace:c"]


def test_many_keys_over_one_team_budget_are_one_finding() -> None:
    spent = {cell("team", api_key=f"apikey_{i}"): billed("1.00") for i in range(12)}
    finding = only(Memory(budget("10.00", scope=Scope(workspaces=("team",)))).evaluate(spent))
    assert evidence(finding).spent == Money.of("12.00")


def test_the_scope_filters_by_workspace_model_and_key_together() -> None:
    scope = Scope(workspaces=("a",), models=("m",), api_keys=("k",))
    spent = {
        Cell("a", "m", "k"): billed("9.00"),
        Cell("b", "m", "k"): billed("50.00"),
        Cell("a", "x", "k"): billed("50.00"),
        Cell("a", "m", "z"): billed("50.00"),
    }
    assert evidence(only(Memory(budget("10.00", scope=scope)).evaluate(spent))).spent == Money.of("9.00")


def test_contributions_name_the_largest_parts_with_their_dollars() -> None:
    memory = Memory(budget("10.00"))
    memory.names = {ScopeKey(Dimension.WORKSPACE, "wrkspc_a"): "eng"}
    spent = {cell("wrkspc_a", "m1", "k1"): billed("9.00"), cell("wrkspc_b", "m2", "k2"): billed("3.00")}
    shown = [(str(c.scope), c.name, str(c.amount)) for c in evidence(only(memory.evaluate(spent))).contributions]
    assert shown[:2] == [("workspace:wrkspc_a", "eng", "9.00"), ("workspace:wrkspc_b", "wrkspc_b", "3.00")]


def test_a_disabled_budget_finds_nothing() -> None:
    assert not Memory(budget("10.00", enabled=False)).evaluate({cell(): billed("12.00")})


ROLLING = PeriodSpec(PeriodKind.ROLLING, days=7)


def test_a_rolling_budget_rings_once_while_its_window_moves_on() -> None:
    memory = Memory(budget("10.00", percent(100), period=ROLLING))
    first = only(memory.evaluate({cell(): billed("12.00")}, NOW))
    assert first.condition is Condition.FIRES
    memory.open = [_open_alert(first)]
    for day in range(1, 30):
        finding = only(memory.evaluate({cell(): billed("12.00")}, NOW + timedelta(days=day)))
        assert finding.condition is Condition.HOLDS


def test_a_rolling_budget_that_fell_back_rings_anew_only_after_its_days_are_over() -> None:
    memory = Memory(budget("10.00", percent(100), period=ROLLING))
    first = only(memory.evaluate({cell(): billed("12.00")}, NOW))
    memory.open = [_open_alert(first)]
    memory.evaluate({cell(): billed("8.00")}, NOW + timedelta(days=2))
    day_3 = NOW + timedelta(days=3)
    assert only(memory.evaluate({cell(): billed("12.00")}, day_3)).condition is Condition.HOLDS
    day_8 = NOW + timedelta(days=8)
    assert not memory.evaluate({cell(): billed("8.00")}, day_8)
    (ending,) = budget_endings({"bdg_1": memory.budget}, [], memory.known(day_8))
    assert ending.reason is Reason.RECOVERED
    memory.open = []
    again = only(memory.evaluate({cell(): billed("12.00")}, NOW + timedelta(days=9)))
    assert again.condition is Condition.FIRES
    assert again.fingerprint != first.fingerprint


def test_a_rolling_level_that_fell_back_for_days_rings_anew_while_a_lower_one_still_holds() -> None:
    memory = Memory(budget("10.00", percent(80), percent(100), period=ROLLING))
    memory.open = [_open_alert(only(memory.evaluate({cell(): billed("10.50")}, NOW)))]
    fallen = only(memory.evaluate({cell(): billed("8.50")}, NOW + timedelta(days=10)))
    assert [crossing.threshold for crossing in fallen.released] == ["actual:100%"]
    memory.crossings = [c for c in memory.crossings if c not in fallen.released]
    again = only(memory.evaluate({cell(): billed("38.50")}, NOW + timedelta(days=20)))
    assert again.condition is Condition.FIRES


def test_spend_that_no_key_can_be_named_for_is_nobodys_budget() -> None:
    memory = Memory(budget("10.00", for_each=Dimension.API_KEY))
    assert not memory.evaluate({cell(api_key=UNATTRIBUTED): billed("50.00")})


def test_a_member_that_was_edited_out_of_the_scope_ends_its_alert() -> None:
    memory = Memory(budget("10.00", for_each=Dimension.WORKSPACE))
    memory.open = [_open_alert(only(memory.evaluate({cell("a"): billed("12.00")})))]
    edited = budget("10.00", for_each=Dimension.WORKSPACE, scope=Scope(workspaces=("b",)))
    memory.budget = resource("bdg_1", edited)
    findings = memory.evaluate({cell("a"): billed("12.00")})
    (ending,) = budget_endings({"bdg_1": memory.budget}, findings, memory.known(NOW))
    assert ending.reason is Reason.BUDGET_EDITED


def _open_alert(finding: Finding) -> Alert:
    return Alert(
        id="alert_1",
        version=1,
        fingerprint=finding.fingerprint,
        kind=finding.evidence.kind,
        source_id=finding.source_id,
        scope=finding.scope,
        severity=finding.severity,
        state=AlertState.FIRING,
        opened_at=NOW,
        changed_at=NOW,
        evidence=finding.evidence,
    )


@pytest.mark.parametrize(
    ("edited", "now", "reason"),
    [
        pytest.param(None, NOW, Reason.BUDGET_GONE, id="a deleted budget"),
        pytest.param(budget("10.00", enabled=False), NOW, Reason.BUDGET_DISABLED, id="a disabled budget"),
        pytest.param(budget("99.00"), NOW, Reason.BUDGET_EDITED, id="an amount that no longer holds"),
        pytest.param(budget("10.00"), utc("2026-12-04"), Reason.PERIOD_CLOSED, id="a closed period"),
    ],
)
def test_an_open_alert_ends_with(edited: Budget | None, now: datetime, reason: Reason) -> None:
    memory = Memory(budget("10.00"))
    memory.open = [_open_alert(only(memory.evaluate({cell(): billed("12.00")})))]
    november = Window(utc("2026-11-01"), utc("2026-12-01"))
    budgets = {}
    findings: Sequence[Finding] = []
    if edited is not None:
        memory.budget = resource("bdg_1", edited)
        budgets = {"bdg_1": memory.budget}
        findings = memory.evaluate_windows({november: {cell(): billed("12.00")}}, now)
    endings = budget_endings(budgets, findings, memory.known(now))
    assert [(e.condition, e.reason) for e in endings] == [(Condition.OVER, reason)]


def test_falling_spend_is_no_ending() -> None:
    memory = Memory(budget("10.00"))
    memory.open = [_open_alert(only(memory.evaluate({cell(): billed("12.00")})))]
    findings = memory.evaluate({cell(): billed("1.00")})
    assert not budget_endings({"bdg_1": memory.budget}, findings, memory.known(NOW))


def test_status_shows_spend_share_rest_and_when_each_level_was_crossed() -> None:
    memory = Memory(budget("10.00"))
    memory.evaluate({cell(): billed("8.00")})
    known = memory.known(NOW)
    spend = {window: {cell(): billed("8.50")} for window in live_windows([memory.budget], known)}
    (status,) = budget_status(memory.budget, spend, known)
    assert (str(status.spent.total), str(status.remaining), status.percent) == ("8.50", "1.50", Decimal(85))
    (nothing,) = budget_status(replace(memory.budget, spec=budget("0")), spend, known)
    assert (nothing.percent, str(nothing.remaining)) == (None, "-8.50")
    assert status.crossed_at == {"actual:80%": NOW}


def test_terms_tell_apart_what_starts_new_crossings_and_nothing_else() -> None:
    base = budget("10.00")
    assert terms(base) == terms(replace(base, thresholds=(percent(5),)))
    scopes = [Scope(workspaces=("a",)), Scope(models=("a",)), Scope(api_keys=("a",)), Scope()]
    assert len({terms(replace(base, scope=scope)) for scope in scopes}) == len(scopes)
    kinds = [PeriodSpec(PeriodKind.MONTHLY, anchor_day=day) for day in (1, 15)]
    assert len({terms(replace(base, period=spec)) for spec in kinds}) == 2
