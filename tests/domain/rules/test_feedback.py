"""What people answered, and what it turns into."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from service.domain.rules.evaluation import gates_of
from service.domain.rules.feedback import (
    Feedback,
    FeedbackKind,
    counted,
    days_out,
    is_expected,
    raised,
    restarts_on,
    stricter,
    validate_feedback,
)
from service.domain.rules.kinds.change import Change
from service.domain.rules.rule import Gates
from service.domain.values.errors import Invalid
from service.domain.values.money import Money
from service.domain.values.scopes import ORGANISATION
from tests.domain.rules.views import ENG, NOON, day, instant, rule

DAYS = [day(ago) for ago in (4, 3, 2, 1, 0)]


def said(kind: FeedbackKind, first: int = 3, last: int = 2, *, given: int = 1) -> Feedback:
    return Feedback(ENG, kind, day(first), day(last), instant(given))


EXPECTED, FIXED, NOISE = (said(kind) for kind in FeedbackKind)


def known(row: list[float]) -> list[bool]:
    return [not math.isnan(value) for value in row]


def test_after_expected_only_days_from_its_first_day_on_count() -> None:
    assert restarts_on([EXPECTED], ENG, NOON) == day(3)
    assert known(counted([1.0] * 5, DAYS, [EXPECTED], ENG, NOON)) == [False, True, True, True, True]


def test_the_latest_expected_decides() -> None:
    assert restarts_on([EXPECTED, said(FeedbackKind.EXPECTED, 1, 1)], ENG, NOON) == day(1)


def test_after_fixed_the_days_of_the_incident_do_not_count() -> None:
    assert days_out([FIXED], ENG, NOON) == {day(3), day(2)}
    assert known(counted([1.0] * 5, DAYS, [FIXED], ENG, NOON)) == [True, False, False, True, True]


def test_what_began_before_the_new_level_is_expected_and_what_begins_later_is_not() -> None:
    assert is_expected([EXPECTED], ENG, NOON, day(3))
    assert not is_expected([EXPECTED], ENG, NOON, day(2))
    assert not is_expected([FIXED, NOISE], ENG, NOON, day(3))


@pytest.mark.parametrize("kind", list(FeedbackKind))
def test_feedback_is_about_its_own_scope_only(kind: FeedbackKind) -> None:
    assert known(counted([1.0] * 5, DAYS, [said(kind)], ORGANISATION, NOON)) == [True] * 5
    assert raised([said(kind)], ORGANISATION, NOON) == 0


@pytest.mark.parametrize("kind", list(FeedbackKind))
def test_the_past_is_judged_without_what_was_said_later(kind: FeedbackKind) -> None:
    later = [said(kind, given=-1)]
    assert known(counted([1.0] * 5, DAYS, later, ENG, NOON)) == [True] * 5
    assert raised(later, ENG, NOON) == 0


@pytest.mark.parametrize(
    ("answers", "age", "share"),
    [(0, 0, 0.0), (1, 0, 0.10), (3, 0, 0.30), (5, 0, 0.50), (9, 0, 0.50), (1, 45, 0.05), (1, 90, 0.0), (1, 900, 0.0)],
)
def test_each_noise_raises_by_a_tenth_up_to_a_half_and_fades_over_ninety_days(
    answers: int, age: int, share: float
) -> None:
    said_then = [replace(NOISE, given_at=NOON - timedelta(days=age))] * answers
    assert raised(said_then, ENG, NOON) == pytest.approx(share)


def test_stricter_gates_ask_for_more_dollars_and_percent_and_nothing_else() -> None:
    gates = Gates(Money.of("20"), Decimal(30), 10, resolve_percent=Decimal(10))
    assert stricter(gates, 0.5) == replace(gates, min_amount=Money.of("30"), min_percent=Decimal(45))
    assert stricter(gates, 0.0) == gates


def test_a_rule_is_stricter_only_where_somebody_called_it_noise() -> None:
    spec = rule("change", Change())
    fresh = replace(NOISE, given_at=NOON)
    assert gates_of(spec, ENG, [fresh], NOON).min_amount == Money.of("22")
    assert gates_of(spec, ORGANISATION, [fresh], NOON) == spec.gates


@pytest.mark.parametrize(
    ("feedback", "pointer"),
    [
        (replace(FIXED, last_day=day(4)), "/last_day"),
        (replace(FIXED, first_day=day(-9), last_day=day(-9)), "/first_day"),
    ],
)
def test_impossible_feedback_is_refused(feedback: Feedback, pointer: str) -> None:
    with pytest.raises(Invalid) as refusal:
        validate_feedback(feedback)
    assert refusal.value.pointer == pointer
