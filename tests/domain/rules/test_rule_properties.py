"""What holds for every kind of rule, whatever the data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.rules.evaluation import evaluate
from service.domain.rules.incidents import incidents
from service.domain.rules.kinds.cache_collapse import CacheCollapse
from service.domain.rules.kinds.change import Against, Change, Direction
from service.domain.rules.kinds.dormant_woke import DormantWoke
from service.domain.rules.kinds.first_seen import FirstSeen
from service.domain.rules.kinds.model_shift import ModelShift
from service.domain.rules.kinds.priority_tier import PriorityTier
from service.domain.rules.rule import Rule, Verdict
from service.domain.rules.view import DayFigures, SpendView
from service.domain.values.scopes import Cell, Dimension, ScopeKey
from tests.domain.rules.views import CELL, NO_GATES, TODAY, rule, view

pytestmark = pytest.mark.slow

CELLS = (CELL, Cell("wrkspc_eng", "claude-opus-4-1", "apikey_bot"), Cell("wrkspc_ops", "claude-opus-4-1", ""))
RULES: tuple[Rule[object], ...] = (
    *(
        rule("change", Change(against, 7, direction), for_each=Dimension.API_KEY)
        for against in Against
        for direction in Direction
    ),
    *(rule("first_seen", FirstSeen(dimension)) for dimension in (Dimension.MODEL, Dimension.API_KEY)),
    rule("dormant_woke", DormantWoke(idle_days=3), for_each=Dimension.API_KEY),
    rule("model_shift", ModelShift(days=7), for_each=Dimension.WORKSPACE),
    rule("cache_collapse", CacheCollapse(days=7)),
    rule("priority_tier", PriorityTier(days=7)),
)
MANY = settings(max_examples=2 * settings().max_examples)
"""Twice as many examples as usual: they are drawn for six kinds of rules at once."""
EVERY_RULE = pytest.mark.parametrize("spec", RULES, ids=lambda spec: repr(spec.params))


@st.composite
def rules(draw: st.DrawFn) -> Rule[object]:
    """Every kind as often as the others, however many rules of it there are."""
    kind = draw(st.sampled_from(sorted({spec.kind for spec in RULES})))
    return draw(st.sampled_from([spec for spec in RULES if spec.kind is kind]))


DOLLARS = st.sampled_from([0.0, 0.0, 0.5, 10.0, 37.25, 100.0, 5000.0, -20.0])
TOKENS = st.sampled_from([0.0, 1e5, 2e6, 8e7])


@st.composite
def figures(draw: st.DrawFn) -> DayFigures:
    tokens = draw(TOKENS)
    cached = tokens * draw(st.sampled_from([0.0, 0.25, 0.875]))
    return DayFigures(draw(DOLLARS), tokens, cached, draw(TOKENS), abs(draw(DOLLARS)))


@st.composite
def views(draw: st.DrawFn) -> SpendView:
    length = draw(st.integers(1, 24))
    rows = {cell: draw(st.lists(figures(), max_size=length)) for cell in CELLS}
    rows[CELL] = draw(st.lists(figures(), min_size=length, max_size=length))
    unknown = draw(st.sets(st.integers(0, length), max_size=5))
    return view(rows, unknown=unknown, settled=draw(st.sampled_from([None, 0, 1, 2])))


def with_figures(seen: SpendView, change: Callable[[DayFigures], DayFigures]) -> SpendView:
    cells = {cell: {day: change(known) for day, known in row.items()} for cell, row in seen.cells.items()}
    return replace(seen, cells=cells)


@given(spec=rules(), seen=views())
@MANY
def test_any_history_is_judged_and_what_a_rule_objects_to_is_known(spec: Rule[object], seen: SpendView) -> None:
    verdicts = evaluate(seen, replace(spec, gates=NO_GATES))
    for verdict in verdicts.values():
        observed = verdict.observation
        assert observed.cause
        assert not observed.candidate or (math.isfinite(observed.actual) and math.isfinite(observed.expected))
        assert not observed.candidate or observed.excess > 0
    assert len(incidents(seen, verdicts)) <= len(verdicts)


def scaled_rule(spec: Rule[object], factor: int) -> Rule[object]:
    params = spec.params
    if isinstance(params, PriorityTier):
        params = replace(params, amount=params.amount * Decimal(factor))
    return replace(spec, params=params, gates=replace(spec.gates, min_amount=spec.gates.min_amount * Decimal(factor)))


def outcomes(verdicts: Mapping[ScopeKey, Verdict]) -> dict[ScopeKey, tuple[bool, list[bool]]]:
    return {key: (one.fires, [gate.passed for gate in one.gates]) for key, one in verdicts.items()}


@given(spec=rules(), seen=views(), factor=st.sampled_from([2, 3, 10, 1024]))
@MANY
def test_all_money_times_a_factor_gives_figures_times_it_and_the_same_verdicts(
    spec: Rule[object], seen: SpendView, factor: int
) -> None:
    larger = with_figures(seen, lambda one: replace(one, spend=one.spend * factor, priority=one.priority * factor))
    before, after = evaluate(seen, spec), evaluate(larger, scaled_rule(spec, factor))
    assert outcomes(after) == outcomes(before)
    for key, verdict in before.items():
        one, other = verdict.observation, after[key].observation
        assert other.actual == pytest.approx(one.actual * factor, nan_ok=True)
        assert other.expected == pytest.approx(one.expected * factor, nan_ok=True)


@given(spec=rules(), seen=views(), weeks=st.integers(-60, 60))
@MANY
def test_the_same_history_whole_weeks_away_is_judged_the_same(spec: Rule[object], seen: SpendView, weeks: int) -> None:
    away = timedelta(weeks=weeks)
    shifted = replace(
        seen,
        as_of=seen.as_of + away,
        days=tuple(day + away for day in seen.days),
        cells={cell: {day + away: known for day, known in row.items()} for cell, row in seen.cells.items()},
        unknown_days=frozenset(day + away for day in seen.unknown_days),
        settled_until=None if seen.settled_until is None else seen.settled_until + away,
    )
    before, after = evaluate(seen, spec), evaluate(shifted, spec)
    assert outcomes(after) == outcomes(before)
    for key, verdict in before.items():
        assert after[key].observation.actual == pytest.approx(verdict.observation.actual, nan_ok=True)
        assert after[key].observation.days == tuple(day + away for day in verdict.observation.days)


STEADY = DayFigures(spend=500.0, input_tokens=8e7, cache_read_tokens=4e7, output_tokens=1e6, priority=64.0)


@given(
    spec=rules(),
    length=st.integers(1, 24),
    unknown=st.sets(st.integers(0, 23), max_size=20),
    credits=st.sets(st.integers(0, 23), max_size=20),
    settled=st.sampled_from([None, 0, 1, 2]),
)
@MANY
def test_unknown_days_and_credits_in_a_steady_history_ring_nothing(
    spec: Rule[object], length: int, unknown: set[int], credits: set[int], settled: int | None
) -> None:
    """Only the gate on active days is left, as nothing else knows that a first day is a first day."""
    row: Sequence[DayFigures] = [
        replace(STEADY, spend=-400.0) if length - 1 - place in credits else STEADY for place in range(length)
    ]
    gates = replace(NO_GATES, min_active_days=1)
    seen = view(row, unknown=unknown, settled=settled)
    assert not any(verdict.fires for verdict in evaluate(seen, replace(spec, gates=gates)).values())


@given(spec=rules(), one=figures(), length=st.integers(1, 24))
@MANY
def test_a_single_day_of_data_rings_nothing(spec: Rule[object], one: DayFigures, length: int) -> None:
    gates = replace(NO_GATES, min_active_days=1)
    row = [DayFigures()] * (length - 1) + [one]
    assert not any(verdict.fires for verdict in evaluate(view(row), replace(spec, gates=gates)).values())


@EVERY_RULE
def test_nothing_but_zeros_rings_nothing(spec: Rule[object]) -> None:
    for length in (1, 2, 30):
        seen = view({cell: [0.0] * length for cell in CELLS}, today=TODAY)
        assert not any(verdict.fires for verdict in evaluate(seen, replace(spec, gates=NO_GATES)).values())


@EVERY_RULE
def test_a_view_without_any_cell_is_no_news(spec: Rule[object]) -> None:
    assert evaluate(view({}), spec) == {}


def test_the_gates_of_these_properties_do_let_something_ring() -> None:
    rings = {spec.kind for spec in RULES for seen in LOUD if any(v.fires for v in evaluate(seen, spec).values())}
    assert rings == {spec.kind for spec in RULES}


USUAL, COSTLY = DayFigures(50.0, 2e6, 1.75e6, 1e5), DayFigures(500.0, 2e6, 0.0, 1e5, priority=100.0)
LOUD = (
    view({CELL: [USUAL] * 12 + [COSTLY, COSTLY]}),
    view({CELL: [USUAL] * 14, CELLS[1]: [COSTLY, COSTLY]}),
    view({CELL: [USUAL] * 8 + [DayFigures()] * 4 + [COSTLY, COSTLY]}),
)
