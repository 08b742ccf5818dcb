"""Growth that goes on is expected; one week alone is none."""

from __future__ import annotations

import numpy as np
import pytest

from service.domain.detectors.arrays import Floats
from service.domain.detectors.daily.baseline import baseline
from service.domain.detectors.daily.explain import explain
from service.domain.detectors.daily.growth import (
    FOLLOW,
    MOST_GROWTH,
    brought_up,
    in_eight_weeks,
    in_four_weeks,
    weekly_growth,
)
from service.domain.detectors.daily.history import MONTH, WEEK, WINDOW
from service.domain.detectors.memory.replay import replay
from service.domain.detectors.noise import Noise
from tests.domain.detectors.spending import MONDAY, carried, history_of, judged, normal, office, panel

WEEKS_16 = 112
AGED, STEADY = np.array([WINDOW]), np.array([Noise.STEADY.value])


def growing(percent: float, days: int = WEEKS_16, seed: int = 1) -> Floats:
    return office(days, seed=seed) * (1 + percent / 100) ** (np.arange(days) / WEEK)


@pytest.mark.parametrize("percent", [5, 10, 20])
def test_a_day_of_a_growing_series_is_quiet_and_expected_near_what_it_costs(percent: float) -> None:
    series = growing(percent, WEEKS_16 + 28)
    history, rising, missed = history_of(series[:WEEKS_16]), 0, []
    for amount in series[WEEKS_16:]:
        scores = judged(history, float(amount))
        rising += bool(scores.rises[0])
        missed.append(float(amount / scores.expected[0]))
        history = carried(history, float(amount))
    assert rising == 0
    assert np.median(missed) == pytest.approx(1, abs=0.12)


def test_a_noisy_series_that_grows_alerts_about_as_often_as_one_that_does_not() -> None:
    """60 series of 8 weeks, 37 quarters; with the least of three factors from week to week it was 17."""
    weeks = np.arange(WEEKS_16 + 56) / WEEK
    rows = [office(len(weeks), 0.1, seed) * 1.1**weeks for seed in range(60)]
    assert replay(panel(*rows), normal(60), WEEKS_16).column("rises").sum() <= 8


def test_twice_as_much_rings_in_a_growing_series_as_in_any_other() -> None:
    series = growing(10, WEEKS_16 + 1)
    assert judged(history_of(series[:-1]), 1.8 * float(series[-1])).rises[0]


def test_two_weeks_say_what_each_costs_more_than_the_one_two_weeks_before_it() -> None:
    steady, noisy = [1.0, 1.1, 1.21, 1.331], [1.0, 1.15, 1.14, 1.3]
    found = in_four_weeks(np.repeat([steady, noisy], WEEK, axis=1))
    assert found == pytest.approx([1.1**FOLLOW, (1.3 / 1.15) ** (FOLLOW / 2)])


def test_a_last_week_that_costs_less_ends_it() -> None:
    weeks = np.repeat([[1.0, 1.1, 1.25, 1.2], [1.0, 1.3, 1.2, 1.25], [0.0, 1.0, 1.1, 1.2]], WEEK, axis=1)
    assert in_four_weeks(weeks).tolist() == [1, 1, 1]


def test_one_incident_is_no_growth_and_fast_growth_has_a_bound() -> None:
    days = np.ones((2, MONTH))
    days[0, -3] = 40.0
    days[1] = np.repeat([1.0, 2.0, 4.0, 8.0], WEEK)
    assert in_four_weeks(days).tolist() == [1.0, MOST_GROWTH]


@pytest.mark.parametrize("since", range(1, WINDOW + 1))
@pytest.mark.parametrize("times", [1.2, 2.0])
def test_after_a_step_no_more_is_expected_than_a_little_over_its_level(since: int, times: float) -> None:
    days = np.ones((1, WINDOW))
    days[0, -since:] = times
    grown = weekly_growth(days, AGED, STEADY)
    assert brought_up(days[:, -MONTH:], grown).mean() < (1.07 if times < 1.25 else MOST_GROWTH**2.5) * times


def test_eight_weeks_know_slow_growth_that_four_do_not() -> None:
    weeks = np.array([[1.0, 1.1, 1.15, 1.12, 1.24, 1.26, 1.36, 1.34]])
    days = weeks.repeat(WEEK, axis=1)
    assert in_four_weeks(days[:, -MONTH:]) == pytest.approx([1.0])
    assert in_eight_weeks(days) == pytest.approx([(2.7 / 2.27) ** (FOLLOW / 4)])
    assert weekly_growth(days, AGED, STEADY) == pytest.approx(in_eight_weeks(days))


@pytest.mark.parametrize(
    ("age", "noise"), [(WINDOW - 1, Noise.STEADY), (WINDOW, Noise.VOLATILE), (WINDOW, Noise.INTERMITTENT)]
)
def test_eight_weeks_are_asked_of_steady_series_that_have_them(age: int, noise: Noise) -> None:
    days = np.array([[1.0, 1.1, 1.15, 1.12, 1.24, 1.26, 1.36, 1.34]]).repeat(WEEK, axis=1)
    assert weekly_growth(days, np.array([age]), np.array([noise.value])).tolist() == [1.0]


def test_growth_that_began_lately_is_known_by_four_weeks() -> None:
    days = np.array([[1.0, 1.0, 1.0, 1.0, 1.0, 1.1, 1.21, 1.331]]).repeat(WEEK, axis=1)
    assert weekly_growth(days, AGED, STEADY) == pytest.approx(in_four_weeks(days[:, -MONTH:]))
    assert weekly_growth(days, AGED, STEADY)[0] > in_eight_weeks(days)[0] > 1


@pytest.mark.parametrize(
    "weeks", [[1, 1, 1.5, 1.5, 1.2, 1.2, 1.4, 1.4], [1, 1, 1.1, 1.1, 1.3, 1.3, 1.2, 1.2], [0] * 4 + [1] * 4]
)
def test_eight_weeks_of_which_two_cost_less_than_those_before_do_not_grow(weeks: list[float]) -> None:
    assert in_eight_weeks(np.array([weeks]).repeat(WEEK, axis=1)).tolist() == [1.0]


def test_eight_weeks_bring_no_more_than_what_the_last_four_did() -> None:
    days = np.array([[1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.02, 2.02]]).repeat(WEEK, axis=1)
    assert in_eight_weeks(days) == pytest.approx([1.01**0.5])


def test_what_one_incident_costs_is_no_growth_of_eight_weeks() -> None:
    days = np.ones((WINDOW, WINDOW)) + 40 * np.eye(WINDOW)
    assert in_eight_weeks(days).tolist() == [1.0] * WINDOW


def test_growth_is_the_same_in_another_currency_and_of_many_series_at_once() -> None:
    days = np.array([growing(5, WINDOW, seed) for seed in range(40)])
    ages, noise = np.full(40, WINDOW), np.full(40, Noise.STEADY.value)
    together = weekly_growth(days, ages, noise)
    alone = [weekly_growth(days[row : row + 1], AGED, STEADY)[0] for row in range(40)]
    assert together.tolist() == alone
    assert weekly_growth(8 * days, ages, noise).tolist() == alone
    assert (together > 1).mean() > 0.9


def test_unknown_and_empty_series_do_not_grow() -> None:
    days = np.array([np.full(WINDOW, np.nan), np.zeros(WINDOW)])
    assert weekly_growth(days, np.array([0, WINDOW]), np.full(2, Noise.STEADY.value)).tolist() == [1.0, 1.0]


def test_noisy_series_that_grow_slowly_rarely_alert() -> None:
    """120 series of 8 weeks, noise 15 %, 5 % a week; by four weeks alone it was 41, and flat it is 8."""
    weeks = np.arange(WEEKS_16 + 56) / WEEK
    rows = [office(len(weeks), 0.15, seed) * 1.05**weeks for seed in range(120)]
    assert replay(panel(*rows), normal(120), WEEKS_16).column("rises").sum() <= 24


def test_days_are_brought_to_the_week_that_comes() -> None:
    days = np.repeat([[1.0, 1.1, 1.21, 1.331]], WEEK, axis=1)
    assert brought_up(days, np.array([1.1])) == pytest.approx(np.full((1, MONTH), 1.4641))


def test_an_explanation_says_by_how_much_and_its_days_still_have_the_expectation_as_mean() -> None:
    history = history_of(growing(10))
    base, scores = baseline(history), judged(history, 9000.0)
    found = explain(base, scores, normal(), 0, MONDAY)
    assert found.growth == pytest.approx(1.09, abs=0.03)
    assert np.mean([one.counted for one in found.days]) == pytest.approx(found.expected)
    assert not any(one.changed for one in found.days)
