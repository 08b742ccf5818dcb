"""What holds for any series."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from service.domain.detectors.arrays import Floats
from service.domain.detectors.daily.baseline import baseline
from service.domain.detectors.daily.carry import followed_by
from service.domain.detectors.daily.detector import judge, terms
from service.domain.detectors.daily.history import History, fresh, joined
from service.domain.detectors.memory.replay import replay
from service.domain.detectors.scores import Maturity, Sensitivity
from tests.domain.detectors.spending import normal, office, panel, rare, volatile
from tests.examples import few

pytestmark = pytest.mark.slow

FIELDS = ("expected", "low", "high", "fires_from", "scores", "methods", "rises", "falls", "overrides")
FEW = few(8)
money = st.one_of(st.just(0.0), st.floats(1, 1e5))
wild = st.one_of(st.floats(-1e4, 1e6), st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 1e300]))


def amounts(cell: st.SearchStrategy[float], rows: int, days: int) -> st.SearchStrategy[Floats]:
    any_array: Any = arrays.arrays(np.float64, (rows, days), elements=cell)
    return any_array  # type: ignore[no-any-return]


@FEW
@given(amounts(wild, 3, 75))
def test_nothing_that_is_put_in_raises_or_spoils_a_neighbour(cells: Floats) -> None:
    quiet = office(75)
    result = replay(panel(*cells, quiet), normal(4), 60)
    alone = replay(panel(quiet), normal(), 60)
    for name in FIELDS:
        assert np.array_equal(result.column(name)[3], alone.column(name)[0], equal_nan=True), name
    assert np.isfinite(result.column("expected")[result.column("methods") > 5]).all()


@FEW
@given(amounts(money, 4, 70))
def test_many_series_at_once_are_judged_as_one_by_one(cells: Floats) -> None:
    together = replay(panel(*cells), normal(4), 20)
    for row in range(4):
        alone = replay(panel(cells[row]), normal(), 20)
        for name in FIELDS:
            assert np.array_equal(together.column(name)[row], alone.column(name)[0], equal_nan=True), name


@FEW
@given(st.sampled_from([office, volatile, rare]), st.integers(0, 99), st.sampled_from([0.25, 2.0, 8.0, 1024.0]))
def test_in_another_currency_everything_scales_and_verdicts_stay(kind: Any, seed: int, factor: float) -> None:
    series = 10 * kind(100, seed=seed)
    series[90] *= 4
    one = replay(panel(series), normal(1, 500.0), 56)
    other = replay(panel(factor * series), normal(1, factor * 500.0), 56)
    for name in ("expected", "low", "high", "fires_from"):
        assert other.column(name) == pytest.approx(factor * one.column(name))
    assert other.column("scores") == pytest.approx(one.column("scores"))
    for name in ("rises", "falls", "overrides", "methods"):
        assert np.array_equal(other.column(name), one.column(name)), name


@FEW
@given(st.sampled_from([office, volatile, rare]), st.integers(1, 6))
def test_idle_weeks_before_the_first_spend_change_nothing(kind: Any, weeks: int) -> None:
    series = kind(80)
    later = np.concatenate([np.zeros(7 * weeks), series])
    one, other = replay(panel(series), normal(), 60), replay(panel(later), normal(), 60 + 7 * weeks)
    for name in FIELDS:
        assert np.array_equal(one.column(name), other.column(name)), name


@FEW
@given(amounts(money, 1, 90), st.integers(57, 89))
def test_tomorrow_changes_nothing_about_today(cells: Floats, day: int) -> None:
    whole = replay(panel(cells[0]), normal(), day).scores[0]
    cut = replay(panel(cells[0, : day + 1]), normal(), day).scores[0]
    for name in FIELDS:
        assert np.array_equal(getattr(whole, name), getattr(cut, name), equal_nan=True), name


@FEW
@given(st.floats(0, 5000), st.floats(0, 5000))
def test_more_money_never_quiets_an_alert(one: float, more: float) -> None:
    base = baseline(replay(panel(office(70), volatile(70), rare(70)), normal(3), 70).history)
    less, greater = (judge(base, np.full(3, amount), normal(3), Maturity.FINAL).rises for amount in (one, one + more))
    assert not (less & ~greater).any()


def stepped(history: History, days: Floats) -> History:
    for day in range(days.shape[1]):
        history = followed_by(baseline(history), days[:, day])
    return history


def test_series_that_join_later_are_judged_as_if_they_had_always_been_there() -> None:
    old, new = office(100), np.concatenate([np.full(40, np.nan), volatile(60)])
    apart = joined(stepped(fresh(1), old[None, :40]), fresh(1))
    grown = stepped(apart, np.array([old[40:], new[40:]]))
    always = stepped(fresh(2), np.array([old, new]))
    for name in (*(name for name in History.__slots__ if name != "tapes"), "raw", "kept", "expected", "known"):
        assert np.array_equal(getattr(grown, name), getattr(always, name), equal_nan=name != "known"), name
    swapped = grown.rows(np.array([1, 0]))
    assert np.array_equal(swapped.kept[0], grown.kept[1])


def test_the_same_input_gives_the_same_bytes() -> None:
    rows = office(120), volatile(120), rare(120)
    one, other = (replay(panel(*rows), terms(Sensitivity.HIGH, np.zeros(3), np.full(3, 25.0)), 56) for _ in range(2))
    for name in FIELDS:
        assert one.column(name).tobytes() == other.column(name).tobytes()
