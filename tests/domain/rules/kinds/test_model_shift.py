"""A more expensive model's share of a scope's spend."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from service.domain.rules.evaluation import evaluate
from service.domain.rules.feedback import Feedback, FeedbackKind
from service.domain.rules.kinds.model_shift import ModelShift, observe
from service.domain.rules.view import DayFigures, SpendView
from service.domain.values.scopes import ORGANISATION, Dimension
from tests.domain.rules.views import CELL, ENG, day, instant, only, rule, view

OPUS = replace(CELL, model="claude-opus-4-1")
RULE = rule("model_shift", ModelShift())


def used(spend: float, million_tokens: float) -> DayFigures:
    return DayFigures(spend=spend, input_tokens=million_tokens * 1e6)


def shifting(opus: DayFigures, sonnet: DayFigures, before: tuple[DayFigures, DayFigures] | None = None) -> SpendView:
    """Ten days of `before` (opus, sonnet), then one closed day, then today."""
    old_opus, old_sonnet = before or (used(20, 1), used(80, 20))
    nothing = DayFigures()
    return view({OPUS: [old_opus] * 10 + [opus, nothing], CELL: [old_sonnet] * 10 + [sonnet, nothing]})


@pytest.mark.parametrize(
    ("opus", "sonnet", "rings"),
    [
        (40.0, 60.0, True),
        (39.9, 60.1, False),
        (90.0, 10.0, True),
        (20.0, 80.0, False),
        (10.0, 90.0, False),
    ],
)
def test_a_dearer_model_fires_from_twenty_points_above_its_usual_share(opus: float, sonnet: float, rings: bool) -> None:
    found = evaluate(shifting(used(opus, opus / 20), used(sonnet, sonnet / 4)), RULE)[ORGANISATION]
    assert found.fires is rings


def test_the_dollars_are_those_above_the_usual_share_and_the_sentence_names_the_model() -> None:
    found = only(observe(shifting(used(120, 6), used(80, 20)), RULE))
    assert found.actual == pytest.approx(120.0)
    assert found.expected == pytest.approx(40.0)
    assert found.days == (day(1),)
    assert found.cause.startswith(
        "claude-opus-4-1 was 60% of the organisation's spend on 20 November 2026, and 20% of it over the 28 days before"
    )
    assert found.cause.endswith("it costs $20.00 per million tokens, the others $4.00.")


def test_a_cheaper_model_may_take_over() -> None:
    found = only(observe(shifting(used(5, 0.25), used(200, 50)), RULE))
    assert not found.candidate


def test_a_dearer_one_is_told_by_dollars_per_token_and_not_by_dollars() -> None:
    before = (used(20, 20), used(80, 4))
    assert not only(observe(shifting(used(90, 90), used(10, 0.5), before), RULE)).candidate


def test_a_model_of_the_same_price_may_take_over() -> None:
    before = (used(20, 5), used(80, 20))
    assert not only(observe(shifting(used(90, 22.5), used(10, 2.5), before), RULE)).candidate


def test_where_tokens_are_not_known_a_growing_share_is_enough() -> None:
    before = (used(20, 0), used(80, 0))
    assert only(observe(shifting(used(90, 0), used(10, 0), before), RULE)).candidate


def test_a_small_shift_in_dollars_does_not_ring_though_its_share_is_large() -> None:
    seen = shifting(used(9, 0.45), used(1, 0.25), (used(2, 0.1), used(8, 2)))
    assert not evaluate(seen, RULE)[ORGANISATION].fires


def test_a_shift_is_found_in_the_workspace_where_it_happens() -> None:
    ops = replace(CELL, workspace="wrkspc_ops")
    nothing = DayFigures()
    seen = view(
        {
            OPUS: [used(20, 1)] * 10 + [used(90, 4.5), nothing],
            CELL: [used(80, 20)] * 10 + [used(10, 2.5), nothing],
            ops: [used(5000, 1250)] * 11 + [nothing],
        }
    )
    found = evaluate(seen, replace(RULE, for_each=Dimension.WORKSPACE))
    assert [key for key, verdict in found.items() if verdict.fires] == [ENG]
    assert not evaluate(seen, RULE)[ORGANISATION].fires


@pytest.mark.parametrize(
    ("sentence", "seen"),
    [
        ("a single day", view({OPUS: [used(90, 1)]})),
        ("the first closed day", view({OPUS: [used(90, 1), used(90, 1)]})),
        ("a scope that uses one model", view({OPUS: [used(90, 1)] * 12})),
        ("a day without spend", shifting(DayFigures(), DayFigures())),
        ("a credit", shifting(used(-90, 1), DayFigures())),
        ("an unknown day", replace(shifting(used(90, 1), used(1, 1)), unknown_days=frozenset({day(1)}))),
    ],
)
def test_no_shift_is_seen_in(sentence: str, seen: SpendView) -> None:
    rule_without_history = rule("model_shift", ModelShift(points=Decimal(1)))
    assert not any(verdict.observation.candidate for verdict in evaluate(seen, rule_without_history).values()), sentence


def test_a_shift_that_somebody_called_expected_is_the_usual_share_from_then_on() -> None:
    nothing, row = DayFigures(), [used(20, 1)] * 10
    seen = view(
        {OPUS: [*row, used(90, 4.5), used(90, 4.5), nothing], CELL: [used(80, 20)] * 10 + [used(10, 2)] * 2 + [nothing]}
    )
    said = Feedback(ORGANISATION, FeedbackKind.EXPECTED, day(2), day(2), instant(1))
    assert only(observe(seen, RULE)).candidate
    assert not only(observe(seen, RULE, [said])).candidate
