"""The cached share of the input, and what its fall costs."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from service.domain.rules.evaluation import evaluate
from service.domain.rules.feedback import Feedback, FeedbackKind
from service.domain.rules.kinds.cache_collapse import CacheCollapse, observe
from service.domain.rules.view import DayFigures, SpendView
from service.domain.values.scopes import ORGANISATION, Cell, Dimension
from tests.domain.rules.views import day, instant, only, rule, view

RULE = rule("cache_collapse", CacheCollapse())
USUAL = DayFigures(spend=40.0, input_tokens=10e6, cache_read_tokens=8e6)


def fallen(share: float, spend: float = 130.0, tokens: float = 10e6) -> SpendView:
    """Ten usual days (80% cached, $4 a million), one closed day, then today."""
    bad = DayFigures(spend, tokens, tokens * share)
    return view([USUAL] * 10 + [bad, DayFigures()])


@pytest.mark.parametrize(("share", "rings"), [(0.80, False), (0.51, False), (0.50, True), (0.0, True), (0.95, False)])
def test_a_fall_of_thirty_points_rings(share: float, rings: bool) -> None:
    assert evaluate(fallen(share), RULE)[ORGANISATION].fires is rings


@pytest.mark.parametrize(("share", "objects"), [(0.41, False), (0.39, True)])
def test_a_fall_below_half_of_the_median_is_found_without_points(share: float, objects: bool) -> None:
    half = CacheCollapse(points=None, below_percent=Decimal(50))
    assert only(observe(fallen(share), rule("cache_collapse", half))).candidate is objects


def test_the_gates_weigh_the_dollars_that_the_lost_cache_cost() -> None:
    """18.2M times the input price is $260: 14M tokens of 20M were not read, each at nine tenths of it."""
    found = only(observe(fallen(0.1, spend=260.0, tokens=20e6), RULE))
    assert (found.actual, found.expected) == (260.0, 80.0)
    assert found.cause == (
        "The organisation read 10% of its input from the cache on 20 November 2026; the median of the 14 days before "
        "is 80%. The lost cache cost about $180.00: with it the day would have cost $80.00; it cost $260.00."
    )
    assert dict(found.inputs)["cost of the lost cache"] == "$180.00"
    assert dict(found.inputs)["of them usually cached, and not now"] == "14,000,000"


def test_more_output_is_not_what_the_lost_cache_cost() -> None:
    usual = DayFigures(spend=40.0, input_tokens=10e6, cache_read_tokens=8e6, output_tokens=0.24e6)  # $10 a million
    talkative = DayFigures(spend=200.0, input_tokens=10e6, cache_read_tokens=0.0, output_tokens=2e6)
    found = only(observe(view([usual] * 10 + [talkative, DayFigures()]), RULE))
    assert found.excess == pytest.approx(72.0)  # 8M tokens at $9 a million; $100 more are the output's


def test_each_model_lost_its_own_price() -> None:
    """Opus stops reading its cache at $5 a million; a cheap model beside it uses as many tokens, never cached."""
    opus, haiku = Cell("wrkspc_a", "opus", "key"), Cell("wrkspc_a", "haiku", "key")
    cheap = DayFigures(spend=2.0, input_tokens=20e6)
    usual, bad = DayFigures(28.0, 20e6, 16e6), DayFigures(100.0, 20e6, 0.0)  # 5 * 4 + 0.5 * 16; 5 * 20
    days = {opus: [usual] * 10 + [bad, DayFigures()], haiku: [cheap] * 11 + [DayFigures()]}
    found = only(observe(view(days), RULE))
    assert found.excess == pytest.approx(72.0)  # 16M tokens at $4.50 a million
    assert dict(found.inputs)["of them usually cached, and not now"] == "16,000,000"


OLD_KEY, NEW_KEY = Cell("wrkspc_a", "opus", "key_old"), Cell("wrkspc_a", "opus", "key_new")
CACHED, BROKEN = DayFigures(28.0, 20e6, 16e6), DayFigures(100.0, 20e6, 0.0)
NO_USE = DayFigures()


@pytest.mark.parametrize("successor", [NEW_KEY, replace(OLD_KEY, model="opus-next")])
@pytest.mark.parametrize("for_each", [None, Dimension.WORKSPACE])
def test_a_key_or_model_that_is_replaced_on_the_day_its_cache_breaks_is_compared_with_its_workspace(
    successor: Cell, for_each: Dimension | None
) -> None:
    days = {OLD_KEY: [CACHED] * 10 + [NO_USE, NO_USE], successor: [NO_USE] * 10 + [BROKEN, NO_USE]}
    judged = rule("cache_collapse", CacheCollapse(), for_each=for_each)
    found = only(observe(view(days), judged))
    assert found.candidate
    assert found.excess == pytest.approx(72.0)  # 16M tokens at $4.50 a million
    assert all(one.fires for one in evaluate(view(days), judged).values())


def test_a_replaced_key_of_which_half_is_there_lost_half() -> None:
    half, broken = DayFigures(14.0, 10e6, 8e6), DayFigures(50.0, 10e6, 0.0)
    days = {OLD_KEY: [CACHED] * 10 + [half, NO_USE], NEW_KEY: [NO_USE] * 10 + [broken, NO_USE]}
    assert only(observe(view(days), RULE)).excess == pytest.approx(36.0)


def test_work_that_is_added_without_a_cache_has_lost_none() -> None:
    days = {OLD_KEY: [CACHED] * 10 + [CACHED, NO_USE], NEW_KEY: [NO_USE] * 10 + [BROKEN, NO_USE]}
    assert not only(observe(view(days), RULE)).candidate


def test_a_new_key_that_reads_its_cache_makes_up_for_no_other() -> None:
    days = {OLD_KEY: [CACHED] * 10 + [BROKEN, NO_USE], NEW_KEY: [NO_USE] * 10 + [DayFigures(1.0, 1e6, 1e6), NO_USE]}
    assert dict(only(observe(view(days), RULE)).inputs)["of them usually cached, and not now"] == "16,000,000"


def test_a_new_workspace_has_no_cache_to_lose() -> None:
    other = replace(NEW_KEY, workspace="wrkspc_b")
    days = {OLD_KEY: [CACHED] * 10 + [CACHED, NO_USE], other: [NO_USE] * 10 + [BROKEN, NO_USE]}
    assert not only(observe(view(days), RULE)).candidate


def test_spend_that_is_told_by_person_lost_what_it_lost_without() -> None:
    """Tokens are known by key alone, so that they stand beside the spend of no person."""
    key, alice = Cell("wrkspc_a", "opus", "key"), Cell("wrkspc_a", "opus", "key", "person_alice", "messages_api")
    usual, bad = DayFigures(28.0, 20e6, 16e6), DayFigures(100.0, 20e6, 0.0)
    plain = [usual] * 10 + [bad, DayFigures()]
    told = {
        key: [replace(one, spend=0.0) for one in plain],
        alice: [DayFigures(spend=one.spend) for one in plain],
    }
    assert only(observe(view(told), RULE)) == only(observe(view({key: plain}), RULE))
    assert evaluate(view(told), RULE)[ORGANISATION].fires


def test_dollars_that_a_cheaper_model_saved_are_not_lost() -> None:
    found = only(observe(fallen(0.0, spend=60.0), RULE))
    assert (found.candidate, found.excess) == (True, 20.0)  # at the day's own price it would be $43


def test_a_collapse_that_costs_nothing_does_not_ring() -> None:
    assert not evaluate(fallen(0.0, spend=40.0), RULE)[ORGANISATION].fires


def test_a_day_with_few_input_tokens_is_not_judged() -> None:
    assert only(observe(fallen(0.0, tokens=1e6), RULE)).candidate
    few = only(observe(fallen(0.0, tokens=999_999), RULE))
    assert not few.candidate
    assert "caching is judged from 1,000,000 on" in few.cause


def test_days_with_few_input_tokens_are_in_no_median() -> None:
    idle = DayFigures(spend=1.0, input_tokens=1000.0)
    seen = view([USUAL] * 3 + [idle] * 7 + [DayFigures(130.0, 10e6, 0.0), DayFigures()])
    found = only(observe(seen, RULE))
    assert (found.candidate, found.expected, found.active_days) == (True, 40.0, 3)


def test_a_collapse_already_seen_does_not_lower_the_median_once_it_is_fixed() -> None:
    bad = DayFigures(130.0, 10e6, 0.0)
    seen = view([USUAL] * 4 + [bad] * 6 + [DayFigures()])
    said = Feedback(ORGANISATION, FeedbackKind.FIXED, day(6), day(2), instant(1))
    assert not only(observe(seen, RULE)).candidate
    assert only(observe(seen, RULE, [said])).candidate


@pytest.mark.parametrize(
    ("sentence", "seen"),
    [
        ("a single day", view([DayFigures(130.0, 10e6, 0.0)])),
        ("the first closed day", view([DayFigures(130.0, 10e6, 0.0), DayFigures()])),
        ("a scope that never cached", view([DayFigures(40.0, 10e6, 0.0)] * 12)),
        ("days without any input", view([0.0] * 12)),
        ("an unknown day", replace(fallen(0.0), unknown_days=frozenset({day(1)}))),
        ("a credit", fallen(0.0, spend=-5.0)),
    ],
)
def test_no_collapse_is_seen_in(sentence: str, seen: SpendView) -> None:
    assert not any(found.candidate for found in observe(seen, RULE).values()), sentence
