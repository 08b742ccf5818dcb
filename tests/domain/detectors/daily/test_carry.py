"""Holidays in a history: what is spent less on them says nothing, what is spent more all that it ever says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.detectors.arrays import Floats
from service.domain.detectors.memory.replay import Replay, replay
from tests.domain.detectors.spending import MONDAY, normal, office, panel, rare, volatile
from tests.examples import few

FEW = few(8)
FIELDS = ("expected", "low", "high", "fires_from", "scores", "methods", "rises", "falls", "overrides")
OFF, DAYS = 77, 99
"""A Monday."""
kinds = st.sampled_from([office, volatile, rare])
holidays = st.sets(st.integers(0, 89), max_size=20)


def judged(row: Floats, off: set[int] | range, first: int = 60, floor: float = 25.0) -> Replay:
    seen = replace(panel(row), holidays=frozenset(MONDAY + timedelta(days=place) for place in off))
    return replay(seen, normal(1, floor), first)


def with_day(place: int, dollars: float) -> Floats:
    row = office(DAYS)
    row[place] = dollars
    return row


@pytest.mark.parametrize("weeks", [1, 2, 3])
def test_the_mondays_after_a_holiday_are_judged_nearly_as_if_it_had_been_a_working_day(weeks: int) -> None:
    place = OFF + 7 * weeks
    usual = judged(office(DAYS), set(), place).scores[0]
    for dollars, off in ((30.0, {OFF}), (240.0, {OFF}), (30.0, set())):
        found = judged(with_day(OFF, dollars), off, place).scores[0]
        assert found.expected == pytest.approx(usual.expected, rel=0.03)
        assert found.high == pytest.approx(usual.high, rel=0.03)


def test_what_costs_more_on_a_holiday_counts_as_on_any_day() -> None:
    for dollars in (400.0, 900.0, 9_000.0):
        loud, plain = (judged(with_day(OFF, dollars), off) for off in ({OFF}, set()))
        for name in FIELDS:
            assert np.array_equal(loud.column(name), plain.column(name)), name
        assert loud.scores[OFF - 60].rises[0]


def test_a_holiday_is_no_day_of_a_fall_and_ends_none() -> None:
    """Days 77 to 79 are far below: the second of them falls, but only working days are counted."""
    row = office(DAYS)
    row[OFF : OFF + 3] = 1.0
    assert judged(row, set()).column("falls")[0, OFF - 60 : OFF - 56].tolist() == [False, True, True, False]
    assert judged(row, {OFF + 1}).column("falls")[0, OFF - 60 + 2]
    assert not judged(row, {OFF, OFF + 1}).column("falls")[0, OFF - 60 : OFF - 56].any()


def test_weeks_with_two_holidays_leave_an_office_steady() -> None:
    quiet = office(DAYS)
    quiet[[42, 44, 49, 51, 56, 58, 63, 65]] = 10.0
    found = judged(quiet, {42, 44, 49, 51, 56, 58, 63, 65}, 70)
    assert set(found.column("methods").ravel().tolist()) == set(
        judged(office(DAYS), set(), 70).column("methods").ravel().tolist()
    )


@FEW
@given(kinds, st.integers(0, 99), holidays, st.sampled_from([0.25, 8.0, 1024.0]))
def test_in_another_currency_everything_scales(kind: Any, seed: int, off: set[int], factor: float) -> None:
    row = 10 * kind(90, seed=seed)
    one, other = judged(row, off, 56, 500.0), judged(factor * row, off, 56, factor * 500.0)
    for name in ("expected", "low", "high", "fires_from"):
        assert other.column(name) == pytest.approx(factor * one.column(name))
    for name in ("rises", "falls", "overrides", "methods"):
        assert np.array_equal(other.column(name), one.column(name)), name


@FEW
@given(kinds, st.integers(0, 99), holidays, st.integers(1, 6))
def test_whole_weeks_later_all_is_the_same(kind: Any, seed: int, off: set[int], weeks: int) -> None:
    row = kind(90, seed=seed)
    later = np.concatenate([np.zeros(7 * weeks), row])
    one = judged(row, off)
    other = judged(later, {place + 7 * weeks for place in off}, 60 + 7 * weeks)
    for name in FIELDS:
        assert np.array_equal(one.column(name), other.column(name)), name


@FEW
@given(kinds, st.integers(0, 99), holidays, st.integers(57, 88))
def test_what_comes_later_changes_nothing_about_today(kind: Any, seed: int, off: set[int], day: int) -> None:
    row = kind(90, seed=seed)
    whole = judged(row, off, day).scores[0]
    cut = judged(row[: day + 1], {place for place in off if place <= day}, day).scores[0]
    for name in FIELDS:
        assert np.array_equal(getattr(whole, name), getattr(cut, name), equal_nan=True), name


wild = st.one_of(st.floats(-1e4, 1e6), st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 1e300]))


@FEW
@given(st.lists(wild, min_size=2, max_size=90), holidays | st.just(set(range(90))))
def test_any_days_off_in_any_history_are_taken(row: list[float], off: set[int]) -> None:
    found = judged(np.array(row), off, 0)
    assert np.isfinite(found.column("expected")[found.column("methods") > 5]).all()


def test_an_office_that_never_works_is_still_judged() -> None:
    found = judged(with_day(DAYS - 1, 2_000.0), range(DAYS))
    assert found.scores[-1].rises[0]
    assert not found.column("rises")[0, :-1].any()
