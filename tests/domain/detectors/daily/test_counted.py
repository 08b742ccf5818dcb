"""Quiet days that no calendar names: one or two say nothing of what is usual, a third is a new level."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.detectors.arrays import Floats
from service.domain.detectors.daily.baseline import baseline
from service.domain.detectors.daily.explain import explain
from tests.domain.detectors.spending import MONDAY, history_of, judged, normal, office, rare, volatile
from tests.examples import few

DAYS = 112
TODAY = DAYS
"""A Monday, as are the days 7, 14, 21 and 28 before it."""


def expected(row: Floats) -> float:
    return float(judged(history_of(row), 300.0).expected[0])


def resting(*ago: int, share: float = 0.1) -> Floats:
    row = office(DAYS)
    row[[TODAY - back for back in ago]] *= share
    return row


@few(20)
@given(st.sets(st.integers(1, 14), min_size=1, max_size=4), st.floats(0, 0.6))
def test_quiet_days_of_any_depth_leave_the_line_of_a_later_day(places: set[int], share: float) -> None:
    """Each is three days from the next, and no weekday is quiet in three weeks."""
    before = judged(history_of(office(DAYS)), 0.0)
    after = judged(history_of(resting(*(3 * place for place in places), share=share)), 0.0)
    assert after.expected == pytest.approx(before.expected, rel=0.1)
    assert after.high == pytest.approx(before.high, rel=0.1)


def test_the_working_day_after_two_weeks_with_the_same_day_off_is_no_rise() -> None:
    history = history_of(resting(7, 14, share=0.05))
    assert not judged(history, 340.0).rises[0]
    assert judged(history, 700.0).rises[0]


def test_a_third_day_in_a_row_is_a_level_of_which_the_first_two_are_a_part() -> None:
    usual = expected(office(DAYS))
    assert expected(resting(7, 8)) == pytest.approx(usual, rel=0.02)
    assert expected(resting(5, 6, 7)) < 0.85 * usual


def test_what_is_quiet_on_one_weekday_of_three_weeks_is_a_habit() -> None:
    usual = expected(office(DAYS))
    assert expected(resting(7, 14)) == pytest.approx(usual, rel=0.02)
    assert expected(resting(7, 14, 21)) < 0.4 * usual


def test_a_lower_level_is_followed() -> None:
    assert expected(resting(*range(1, 29), share=0.5)) == pytest.approx(0.5 * expected(office(DAYS)), rel=0.05)


def test_a_lower_level_that_a_person_accepts_counts_as_billed_at_once() -> None:
    history = history_of(resting(1, 2, share=0.5)).accepting(0, 2)
    accepted = float(judged(history, 300.0).expected[0])
    assert accepted == pytest.approx(0.5 * expected(office(DAYS)), rel=0.1)


@pytest.mark.parametrize("kind", [volatile, rare])
def test_of_other_series_little_spend_is_nothing_unusual(kind: Callable[[int], Floats]) -> None:
    assert not history_of(kind(DAYS)).tapes.low.cells.any()


def test_an_explanation_says_what_a_quiet_day_counts_as() -> None:
    history = history_of(resting(14))
    found = explain(baseline(history), judged(history, 900.0), normal(), 0, MONDAY)
    (quiet,) = [one for one in found.days if one.changed]
    assert quiet.billed < 0.2 * quiet.counted
    assert np.mean([one.counted for one in found.days]) == pytest.approx(found.expected)
