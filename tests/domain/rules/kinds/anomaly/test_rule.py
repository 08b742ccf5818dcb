"""The anomaly rule on days."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from service.domain.rules.evaluation import evaluate
from service.domain.rules.feedback import Feedback, FeedbackKind
from service.domain.rules.incidents import incidents
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyDirection, AnomalyGranularity, observe
from service.domain.rules.planned import PlannedActivity
from service.domain.rules.registry import validate
from service.domain.rules.rule import Observation, Rule
from service.domain.rules.view import SpendView
from service.domain.values.errors import Invalid
from service.domain.values.money import Money
from service.domain.values.scopes import ORGANISATION, Cell, Dimension, Scope, ScopeKey
from service.domain.values.severity import Severity
from tests.domain.rules.spending import (
    BOT,
    CI,
    ENG,
    ENG_CI,
    ENG_NEW,
    HAIKU,
    LEVELS,
    NEW,
    OPS,
    OPS_BOT,
    OPUS,
    a_rule,
    steady,
    usual,
    with_days,
)
from tests.domain.rules.views import NOON, TODAY, day, instant, view

SPECIFICATION = a_rule()


def office(
    changed: dict[int, float] | None = None, *, unknown: tuple[int, ...] = (), settled: int | None = 1
) -> SpendView:
    """A steady workspace eng with other figures on some days, and a calm small workspace ops."""
    return view(
        {ENG_CI: with_days(steady(), {0: usual(0) / 2, **(changed or {})}), OPS_BOT: steady(0.2)},
        unknown=unknown,
        settled=settled,
    )


def rings(seen: SpendView, rule: Rule[Anomaly] = SPECIFICATION, *feedback: Feedback) -> list[ScopeKey]:
    return [one.scope for one in incidents(seen, evaluate(seen, rule, feedback))]


@pytest.mark.parametrize(("ago", "late", "fires"), [(5, 6, True), (5, None, False), (3, None, True), (6, 5, False)])
def test_days_of_an_outage_are_judged_with_the_last_three(ago: int, late: int | None, fires: bool) -> None:
    seen = replace(office({ago: 8 * usual(ago)}), late_since=None if late is None else day(late))
    found = of_eng(seen)
    assert (found.candidate, found.days == (day(ago),)) == (fires, fires)
    if fires:
        assert rings(seen), "an alert that is over once normal days have passed is there for a day"
        assert found.calm is not None
        assert found.calm.at_least == timedelta(days=1)


def of_eng(seen: SpendView, rule: Rule[Anomaly] = SPECIFICATION, *feedback: Feedback) -> Observation:
    return observe(seen, rule, feedback)[ENG]


def calm(observation: Observation) -> tuple[bool, str]:
    assert observation.calm is not None
    return observation.calm.over, observation.calm.found


# ------------------------------------------------------------------------------------------------ what rings


def test_a_steady_organisation_is_quiet_on_every_level() -> None:
    assert rings(office()) == []
    assert not any(one.candidate for one in observe(office(), SPECIFICATION).values())


def test_every_member_of_every_dimension_is_observed() -> None:
    assert set(observe(office(), SPECIFICATION)) == {ORGANISATION, ENG, OPS, OPUS, HAIKU, CI, BOT}


@pytest.mark.parametrize("ago", [1, 2, 3])
def test_one_of_the_last_three_closed_days_at_three_times_the_usual_rings(ago: int) -> None:
    seen = office({ago: 3 * usual(ago)})
    assert rings(seen) == [ORGANISATION]
    assert of_eng(seen).days == (day(ago),)


def test_a_day_before_the_last_three_closed_ones_rings_no_more() -> None:
    assert rings(office({4: 3 * usual(4)})) == []


def test_an_open_day_rings_upwards_as_soon_as_it_is_too_much() -> None:
    seen = office({0: 3 * usual(0)})
    assert rings(seen) == [ORGANISATION]
    assert of_eng(seen).days == (TODAY,)
    assert "so far" in of_eng(seen).cause


def test_the_newest_exceeding_day_is_the_one_that_is_told_of() -> None:
    assert of_eng(office({1: 3 * usual(1), 3: 4 * usual(3)})).days == (day(1),)


def test_a_late_restatement_of_the_day_before_yesterday_s_eve_rings() -> None:
    before, after = office(), office({3: 900.0})
    assert rings(before) == []
    assert rings(after) == [ORGANISATION]
    found = of_eng(after).calm
    assert found is not None
    assert found.at_least == timedelta(days=1)


def test_a_second_incident_is_found_after_a_first_one_ten_times_the_usual() -> None:
    assert rings(office({8: 10 * usual(8), 1: 3 * usual(1)})) == [ORGANISATION]


def test_a_gate_of_size_keeps_a_finding_back_and_names_itself() -> None:
    rule = replace(SPECIFICATION, gates=replace(SPECIFICATION.gates, min_amount=Money.of("2000")))
    seen = office({1: 3 * usual(1)})
    assert rings(seen, rule) == []
    failed = [gate.gate for gate in evaluate(seen, rule)[ENG].gates if not gate.passed]
    assert failed == ["min_amount"]


def test_for_each_adds_a_level() -> None:
    rule = replace(a_rule(levels=(Dimension.ORGANISATION,)), for_each=Dimension.WORKSPACE)
    only_eng = Scope(workspaces=(ENG.id,))
    assert rings(office({1: 3 * usual(1)}), replace(rule, scope=only_eng)) == [ORGANISATION]
    assert observe(office({1: 3 * usual(1)}), rule)[ENG].stands_alone
    assert not observe(office({1: 3 * usual(1)}), replace(rule, for_each=None))[ENG].stands_alone


def test_the_organisation_of_a_filtered_rule_is_all_that_lies_in_its_scope() -> None:
    rule = replace(SPECIFICATION, scope=Scope(workspaces=(OPS.id,)))
    seen = office({1: 3 * usual(1)})
    assert rings(seen, rule) == []
    found = observe(seen, rule)
    assert set(found) == {ORGANISATION, OPS, HAIKU, BOT}
    assert found[ORGANISATION].actual == found[OPS].actual


# ----------------------------------------------------------------------------------------------------- drops

FALLEN = {1: 5.0, 2: 5.0, 3: 5.0}
DOWN = a_rule(direction=AnomalyDirection.BOTH)


def test_a_drop_is_information_once_it_is_final_and_the_second_in_a_row() -> None:
    seen = office(FALLEN, settled=0)
    found = of_eng(seen, DOWN)
    assert (found.candidate, found.falls, found.severity) == (True, True, Severity.INFO)
    assert found.excess == pytest.approx(usual(1), rel=0.2)


def test_a_drop_on_a_day_that_is_not_settled_is_no_news() -> None:
    assert not of_eng(office(FALLEN, settled=None), DOWN).candidate


def test_a_drop_is_no_news_for_a_rule_that_looks_upwards() -> None:
    assert not of_eng(office(FALLEN, settled=0)).candidate


def test_where_most_keys_fall_at_once_reading_is_to_blame() -> None:
    rows = {Cell(ENG.id, OPUS.id, f"apikey_{n}"): with_days(steady(), FALLEN) for n in range(4)}
    seen = view(rows, settled=0)
    assert not any(one.candidate for one in observe(seen, DOWN).values())


# ------------------------------------------------------------------------------------------ words and numbers


def test_the_cause_can_be_checked_by_hand() -> None:
    seen = office({1: 1240.0, 15: 2900.0})
    rows = [with_days(steady(), {15: 2900.0})[-1 - ago] for ago in (29, 22, 8)]
    cause = of_eng(seen).cause
    assert cause.startswith("Workspace eng spent $1,240.00 on Friday 20 November 2026; ")
    assert "the last four Fridays counted " in cause
    for amount in rows:
        assert f"${amount:,.2f}" in cause
    assert "(6 Nov's $2,900.00 spike counts as $" in cause
    assert cause.endswith(f"it fires from ${float(dict(of_eng(seen).inputs)['fires from'].strip('$')):,.2f}.")


def test_the_counted_days_have_the_expectation_as_their_mean() -> None:
    found = of_eng(office({1: 1240.0}))
    counted = [float(value.split("$")[-1].replace(",", "")) for _, value in found.inputs[-4:]]
    assert sum(counted) / 4 == pytest.approx(found.expected, abs=0.01)


def test_since_is_the_incident_s_first_day_and_impact_what_it_has_cost() -> None:
    seen = office({1: 900.0, 2: 900.0, 4: 900.0})
    found = of_eng(seen)
    assert found.since == instant(4)
    assert found.impact == pytest.approx(2700 - usual(1) - usual(2) - usual(4), rel=0.1)


def test_two_normal_days_part_two_incidents() -> None:
    found = of_eng(office({1: 900.0, 4: 900.0}))
    assert found.since == instant(1)


def test_the_severity_is_that_of_size_and_speed() -> None:
    assert of_eng(office({1: 3 * usual(1)})).severity is Severity.ERROR
    assert of_eng(office({1: 9000.0})).severity is Severity.CRITICAL


def test_active_days_are_those_before_the_judged_one() -> None:
    assert of_eng(office({1: 900.0})).active_days == 82


# ------------------------------------------------------------------------------------------------------ calm


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, (True, "2 normal days")),
        ({0: 900.0}, (False, "0 normal days")),
        ({1: 900.0}, (False, "0 normal days")),
        ({2: 900.0}, (False, "1 normal day")),
        ({3: 900.0}, (True, "2 normal days")),
    ],
)
def test_two_normal_closed_days_make_an_end(changed: dict[int, float], expected: tuple[bool, str]) -> None:
    assert calm(of_eng(office(changed))) == expected


def test_unknown_days_do_not_count_as_normal() -> None:
    assert calm(of_eng(office({3: 900.0}, unknown=(1, 2)))) == (False, "0 normal days")
    assert calm(of_eng(office({4: 900.0}, unknown=(1, 2)))) == (False, "1 normal day")


def test_an_unknown_day_is_judged_by_nobody() -> None:
    found = of_eng(office(unknown=(1,)))
    assert math.isnan(found.actual)
    assert not found.candidate
    assert "not known" in found.cause


# -------------------------------------------------------------------------------------------- young and unsteady


def test_a_new_key_that_nothing_is_known_of_is_a_contribution_with_all_its_dollars() -> None:
    seen = view({ENG_CI: steady(), OPS_BOT: steady(0.2), ENG_NEW: [0.0] * 82 + [700.0, 0.0]})
    found = observe(seen, SPECIFICATION)[NEW]
    assert (found.candidate, found.actual, found.expected) == (False, 700.0, 0.0)
    [incident] = incidents(seen, evaluate(seen, SPECIFICATION))
    amounts = {part.scope: str(part.amount) for part in incident.contributions}
    assert amounts[NEW] == "700.00"
    assert {ENG, OPUS, NEW} <= set(amounts)
    assert OPS not in amounts or float(amounts[OPS]) < 10


WILD = [120.0, 250.0, 180.0, 300.0, 210.0, 140.0, 260.0, 230.0, 150.0, 110.0, 240.0]


def wild(last: float) -> SpendView:
    row = [WILD[place * 7 % 11] for place in range(84)]
    return view({ENG_CI: with_days(row, {1: last}), OPS_BOT: [20 * one for one in steady()]})


def test_the_second_day_of_a_new_key_is_a_contribution_as_well() -> None:
    seen = view({ENG_CI: steady(), OPS_BOT: steady(0.2), ENG_NEW: [0.0] * 82 + [700.0, 700.0]})
    [incident] = incidents(seen, evaluate(seen, SPECIFICATION))
    assert incident.verdict.observation.days == (TODAY,)
    amounts = {part.scope: float(str(part.amount)) for part in incident.contributions}
    assert amounts[NEW] == pytest.approx(700 - 700 / 28)


def test_a_volatile_workspace_rings_only_when_it_is_huge() -> None:
    rule = a_rule(levels=(Dimension.WORKSPACE,))
    candidates = {amount: of_eng(wild(float(amount)), rule) for amount in range(400, 1200, 100)}
    unsteady = [amount for amount, one in candidates.items() if one.candidate and not one.stands_alone]
    huge = [amount for amount, one in candidates.items() if one.candidate and one.stands_alone]
    assert unsteady
    assert max(unsteady) < min(huge)
    assert all(rings(wild(float(amount)), rule) == [] for amount in unsteady)
    assert all(rings(wild(float(amount)), rule) == [ENG] for amount in huge)


def test_an_unnamed_key_does_not_ring_but_explains() -> None:
    rule = a_rule(levels=(Dimension.API_KEY,))
    seen = view({Cell(ENG.id, OPUS.id, ""): with_days(steady(), {1: 3 * usual(1)})})
    assert rings(seen, rule) == []
    [incident] = incidents(seen, evaluate(seen, SPECIFICATION))
    assert ScopeKey(Dimension.API_KEY, "") in {part.scope for part in incident.contributions}


# -------------------------------------------------------------------------------------------------- what people say


def said(kind: FeedbackKind, first: int, last: int, given: datetime = NOON, scope: ScopeKey = ORGANISATION) -> Feedback:
    return Feedback(scope, kind, day(first), day(last), given)


def doubled(days: int) -> SpendView:
    return office({ago: 2.2 * usual(ago) for ago in range(days)})


def test_an_expected_level_is_quiet_from_the_answer_on() -> None:
    answers = [said(FeedbackKind.EXPECTED, 2, 2, instant(1, 9), scope) for scope in (ORGANISATION, ENG)]
    assert rings(doubled(3)) == [ORGANISATION]
    assert rings(doubled(3), SPECIFICATION, *answers) == []


def test_a_second_incident_on_an_expected_level_rings() -> None:
    answers = [said(FeedbackKind.EXPECTED, 3, 3, instant(2, 9), scope) for scope in (ORGANISATION, ENG)]
    seen = office({**{ago: 2.2 * usual(ago) for ago in range(4)}, 1: 2000.0})
    assert rings(seen, SPECIFICATION, *answers) == [ORGANISATION]


def test_an_answer_given_later_is_not_known_yet() -> None:
    later = said(FeedbackKind.EXPECTED, 2, 2, NOON + timedelta(hours=1))
    assert rings(doubled(3), SPECIFICATION, later) == [ORGANISATION]


def test_days_that_are_fixed_do_not_raise_what_is_expected_a_week_later() -> None:
    seen = office({10: 900.0, 9: 900.0, 8: 900.0, 1: 400.0})
    fixed = said(FeedbackKind.FIXED, 10, 8, instant(7, 9), ENG)
    assert of_eng(seen, SPECIFICATION, fixed).expected < of_eng(seen).expected - 5


def test_noise_lifts_the_amount_from_which_it_rings() -> None:
    seen = office({1: 900.0})
    noise = [said(FeedbackKind.NOISE, 1, 1, instant(1, hour), ENG) for hour in (8, 9, 10)]
    edge = [float(dict(of_eng(seen, SPECIFICATION, *told).inputs)["fires from"][1:]) for told in ([], noise)]
    assert edge[1] > edge[0] + 10


def test_a_planned_activity_raises_the_expectation() -> None:
    activity = PlannedActivity("src_1", Scope(), instant(1), instant(0), Money.of("600"))
    seen = replace(office({1: 900.0}), planned=(activity,))
    assert rings(office({1: 900.0})) == [ORGANISATION]
    assert rings(seen) == []
    assert of_eng(seen).expected == pytest.approx(of_eng(office({1: 900.0})).expected + 600)


# ------------------------------------------------------------------------------------------------------ edges


@pytest.mark.parametrize("length", [1, 2, 3, 30])
@pytest.mark.parametrize("amount", [0.0, 5.0])
def test_a_short_or_empty_history_rings_nothing(length: int, amount: float) -> None:
    seen = view([amount] * length)
    assert rings(seen) == []
    assert all(one.expected >= 0 for one in observe(seen, SPECIFICATION).values())


def test_a_view_without_spend_has_nothing_to_observe() -> None:
    assert observe(view({}), SPECIFICATION) == {}


def test_a_day_restated_below_zero_is_not_judged() -> None:
    found = of_eng(office({1: -50.0}))
    assert math.isnan(found.actual)
    assert not found.candidate
    assert "below zero" in found.cause


def test_a_rule_on_hours_has_nothing_to_say_without_hours() -> None:
    assert observe(office(), a_rule(AnomalyGranularity.HOURS)) == {}


@pytest.mark.parametrize("levels", [(), (Dimension.MODEL, Dimension.MODEL)])
def test_levels_are_named_and_named_once(levels: tuple[Dimension, ...]) -> None:
    with pytest.raises(Invalid) as refusal:
        validate(a_rule(levels=levels))
    assert refusal.value.pointer == "/params/levels"


def test_the_defaults_are_accepted() -> None:
    validate(a_rule())
    assert Anomaly().levels == LEVELS


def test_the_organisation_is_no_for_each() -> None:
    with pytest.raises(Invalid) as refusal:
        validate(replace(a_rule(), for_each=Dimension.ORGANISATION))
    assert refusal.value.pointer == "/for_each"


def test_no_other_cell_changes_what_is_seen_of_a_workspace() -> None:
    alone = view({ENG_CI: with_days(steady(), {1: 700.0})}, settled=0)
    beside = view({ENG_CI: with_days(steady(), {1: 700.0}), OPS_BOT: WILD * 7 + [900.0] * 7}, settled=0)
    assert of_eng(alone, DOWN) == of_eng(beside, DOWN)
