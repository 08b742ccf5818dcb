"""What holds for the anomaly rule, whatever the data."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.detectors.memory.baselines import Memo
from service.domain.rules.evaluation import evaluate
from service.domain.rules.feedback import Feedback, FeedbackKind
from service.domain.rules.incidents import incidents
from service.domain.rules.kinds.anomaly.rule import AnomalyDirection, AnomalyGranularity, observe
from service.domain.rules.rule import Calm
from service.domain.rules.view import SpendView
from service.domain.values.scopes import ORGANISATION, Cell, Dimension
from tests.domain.rules.spending import (
    ENG,
    ENG_CI,
    OPS_BOT,
    a_rule,
    hourly,
    hours,
    moved,
    steady,
    with_days,
    with_hours,
)
from tests.domain.rules.views import day, instant, view

pytestmark = pytest.mark.slow

RULE = a_rule(AnomalyGranularity.BOTH, tuple(Dimension), AnomalyDirection.BOTH)
FEW = settings(max_examples=8, deadline=None)
SHARED = Cell(ENG.id, OPS_BOT.model, "")
WILD = st.sampled_from([0.0, 0.0, 0.5, 37.25, 300.0, 9000.0, -20.0, 1e13, math.inf])
CALM = [Feedback(scope, kind, day(9), day(8), instant(5)) for scope in (ORGANISATION, ENG) for kind in FeedbackKind]


@st.composite
def histories(draw: st.DrawFn) -> SpendView:
    """Steady cells with anything at all on some days and hours."""
    length = draw(st.sampled_from([2, 20, 84]))
    odd = st.dictionaries(st.integers(0, min(length, 30) - 1), WILD, max_size=5)
    rows = {cell: with_days(steady(draw(st.sampled_from([1.0, 0.2])), length), draw(odd)) for cell in (ENG_CI, OPS_BOT)}
    rows[SHARED] = draw(st.lists(WILD, max_size=length))
    seen = view(
        rows, unknown=draw(st.sets(st.integers(0, 20), max_size=4)), settled=draw(st.sampled_from([None, 0, 1]))
    )
    known = draw(st.sampled_from([0, 3, 400, 740]))
    if not known:
        return seen
    recent = draw(st.lists(WILD, min_size=3, max_size=3))
    figures = hours({ENG_CI: [*hourly(hours=known), *recent], SHARED: [0.0] * known + recent}, unknown=(2,))
    return with_hours(seen, figures)


@FEW
@given(histories())
def test_any_history_is_judged_and_what_is_objected_to_is_known(seen: SpendView) -> None:
    verdicts = evaluate(seen, RULE, CALM)
    for verdict in verdicts.values():
        one = verdict.observation
        assert one.cause
        assert one.calm is not None
        assert not one.candidate or (one.excess > 0 and math.isfinite(one.excess) and one.severity is not None)
        assert math.isnan(one.actual) or math.isfinite(one.expected)
        assert not verdict.fires or (one.since is not None and one.since <= seen.as_of and one.impact > 0)
    for incident in incidents(seen, verdicts):
        assert all(part.amount.usd > 0 for part in incident.contributions)


@FEW
@given(histories())
def test_the_same_view_gives_the_same_answer_remembered_or_not(seen: SpendView) -> None:
    first, again, fresh = observe(seen, RULE), observe(seen, RULE), observe(replace(seen, memo=Memo()), RULE)
    assert repr(first) == repr(again) == repr(fresh)


def shifted(calm: Calm | None, by: timedelta) -> Calm | None:
    """The same with its times moved."""
    if calm is None or calm.since is None or calm.until is None:
        return calm
    return replace(calm, since=calm.since + by, until=calm.until + by)


@FEW
@given(histories(), st.integers(-60, 60))
def test_the_same_history_whole_weeks_away_is_judged_the_same(seen: SpendView, weeks: int) -> None:
    away = timedelta(weeks=weeks)
    one, other = observe(seen, RULE), observe(replace(moved(seen, away), memo=Memo()), RULE)
    for key, found in one.items():
        same = other[key]
        assert (same.candidate, same.severity, shifted(same.calm, -away), same.falls) == (
            found.candidate,
            found.severity,
            found.calm,
            found.falls,
        )
        assert same.actual == pytest.approx(found.actual, nan_ok=True)
        assert same.expected == pytest.approx(found.expected, nan_ok=True)
        assert same.days == tuple(one + away for one in found.days)


def scaled(seen: SpendView, factor: float) -> SpendView:
    figures = seen.hours
    return replace(
        seen,
        memo=Memo(),
        cells={
            cell: {at: replace(known, spend=known.spend * factor) for at, known in row.items()}
            for cell, row in seen.cells.items()
        },
        hours=figures
        and replace(figures, cells={cell: [value * factor for value in row] for cell, row in figures.cells.items()}),
    )


LOUD = {
    "a day": lambda: view({ENG_CI: with_days(steady(40), {1: 60_000.0}), OPS_BOT: steady(9)}),
    "a late day": lambda: view({ENG_CI: with_days(steady(40), {3: 60_000.0}), OPS_BOT: steady(9)}),
    "an hour": lambda: with_hours(
        view({ENG_CI: steady(40), OPS_BOT: steady(9)}), hours({ENG_CI: [*hourly(160.0)[:-1], 6000.0]})
    ),
    "nothing": lambda: view({ENG_CI: steady(40), OPS_BOT: steady(9)}),
}


@pytest.mark.parametrize("make", LOUD.values(), ids=LOUD)
@pytest.mark.parametrize("factor", [2.0, 1024.0])
def test_money_far_above_the_floors_times_a_factor_gives_findings_times_it(
    make: Callable[[], SpendView], factor: float
) -> None:
    seen = make()
    gates = replace(RULE.gates, min_amount=RULE.gates.min_amount * Decimal(factor))
    one, other = evaluate(seen, RULE), evaluate(scaled(seen, factor), replace(RULE, gates=gates))
    for key, verdict in one.items():
        found, larger = verdict.observation, other[key].observation
        assert (other[key].fires, larger.calm, larger.since) == (verdict.fires, found.calm, found.since)
        assert larger.actual == pytest.approx(found.actual * factor)
        assert larger.expected == pytest.approx(found.expected * factor)
        assert larger.impact == pytest.approx(found.impact * factor, nan_ok=True)


@pytest.mark.parametrize(
    ("name", "ringing"), [("a day", True), ("a late day", True), ("an hour", True), ("nothing", False)]
)
def test_these_histories_ring_as_their_names_say(name: str, ringing: bool) -> None:
    assert bool(incidents(LOUD[name](), evaluate(LOUD[name](), RULE))) is ringing


@settings(max_examples=5, deadline=None)
@given(st.lists(WILD, min_size=12, max_size=12), st.integers(0, 3), st.booleans())
def test_day_after_day_with_one_memory_gives_what_each_day_gives_alone(
    odd: list[float], restated: int, told: bool
) -> None:
    memo, answers = Memo(), CALM if told else []
    whole = with_days(steady(), dict(enumerate(odd)))
    for ago in range(5, -1, -1):
        rows = {ENG_CI: whole[: len(whole) - ago], OPS_BOT: steady(0.2)[: len(whole) - ago]}
        rows[ENG_CI] = with_days(rows[ENG_CI], {restated: 250.0})
        seen = view(rows, today=day(ago))
        together = evaluate(replace(seen, memo=memo), RULE, answers)
        assert repr(together) == repr(evaluate(seen, RULE, answers))


@FEW
@given(st.lists(WILD, min_size=84, max_size=84))
def test_more_history_breaks_nothing(row: list[float]) -> None:
    for length in (1, 8, 15, 29, 57, 84):
        seen = view({ENG_CI: row[-length:], OPS_BOT: steady(0.2, length)})
        assert set(evaluate(seen, RULE)) >= {ORGANISATION, ENG}


@FEW
@given(st.lists(WILD, min_size=84, max_size=84))
def test_no_series_changes_what_is_seen_of_another(row: list[float]) -> None:
    """Of one in another workspace, with another model and key: only the organisation holds both."""
    alone = {ENG_CI: with_days(steady(), {1: 900.0})}
    rule = a_rule()
    small = [min(value, 300.0) for value in row]  # or the organisation's size would lift the floors
    one, both = observe(view(alone), rule)[ENG], observe(view({**alone, OPS_BOT: small}), rule)[ENG]
    assert repr(one) == repr(both)
