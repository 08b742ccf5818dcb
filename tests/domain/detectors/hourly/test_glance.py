"""The cheap look at hours never misses one that the detector would call unusual."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from service.domain.detectors.arrays import Floats
from service.domain.detectors.hourly.detector import LEAST_HOURS
from service.domain.detectors.hourly.glance import may_rise
from service.domain.detectors.hourly.judge import hour_judge
from service.domain.detectors.hourly.sums import SummedHours
from service.domain.detectors.scores import Terms
from tests.examples import cases
from tests.factories import utc

SERIES, HOURS = 60, 700
PLACES = np.arange(HOURS - 9, HOURS)
START = utc("2026-10-01")


def drawn(seed: int) -> Floats:
    """Series of many sizes and shapes, with incidents, gaps, credits and young ones."""
    chance = np.random.default_rng(seed)
    level = 10 ** chance.uniform(-1, 3, (SERIES, 1))
    amounts = level * chance.lognormal(0, chance.uniform(0.02, 0.6, (SERIES, 1)), (SERIES, HOURS))
    amounts *= np.where(np.arange(HOURS) % 24 < chance.integers(1, 25, (SERIES, 1)), 1, chance.choice([0.0, 0.3]))
    amounts *= 1 + np.where(np.arange(HOURS) > HOURS - 40, chance.uniform(-0.9, 1.5, (SERIES, 1)), 0)
    amounts[: SERIES // 4, : chance.integers(1, HOURS - 30)] = 0
    amounts *= np.where(chance.random((SERIES, HOURS)) < 0.02, chance.choice([-1, 3, 8], (SERIES, HOURS)), 1)
    if seed % 2:
        amounts[:, chance.random(HOURS) < 0.1] = np.nan
    amounts[-1] = 5.0 * chance.lognormal(0, 0.1, HOURS)
    amounts[-1, HOURS - chance.integers(1, 9)] = 300.0
    return amounts


@pytest.mark.parametrize("seed", cases(range(25), at_once=5))
def test_what_may_not_rise_does_not_rise(seed: int) -> None:
    amounts = drawn(seed)
    terms = Terms(np.full(SERIES, 0.8), np.full(SERIES, 1.0))
    judge = hour_judge(SummedHours.of_series(amounts), START, None, terms, {}, (), int(PLACES[0]))
    rises = np.array([[judge.rises(row, int(place)) for place in PLACES] for row in range(SERIES)])
    assert not (rises & ~may_rise(amounts, amounts[:, PLACES], PLACES, terms.floors)).any()
    assert rises.any()


@pytest.mark.parametrize("seed", cases(range(10), at_once=3))
def test_what_may_not_rise_in_a_series_that_grows_does_not(seed: int) -> None:
    amounts, growth = drawn(seed), np.random.default_rng(seed).choice([1.0, 1.05, 1.2], SERIES)
    growth[-1] = 1.2
    terms = Terms(np.full(SERIES, 0.8), np.full(SERIES, 1.0))
    judge = hour_judge(SummedHours.of_series(amounts), START, None, terms, {}, (), int(PLACES[0]))
    judge = replace(judge, growth=growth)
    rises = np.array([[judge.rises(row, int(place)) for place in PLACES] for row in range(SERIES)])
    assert not (rises & ~may_rise(amounts, amounts[:, PLACES], PLACES, terms.floors, growth)).any()
    assert rises[growth > 1].any()


@pytest.mark.parametrize("age", [LEAST_HOURS - 1, LEAST_HOURS])
def test_a_series_that_is_too_young_to_be_judged_is_passed_over(age: int) -> None:
    amounts, newest = np.full((1, HOURS), 5.0), np.array([HOURS - 1])
    amounts[0, : HOURS - 1 - age], amounts[0, -1] = 0.0, 300.0
    terms = Terms(np.ones(1), np.ones(1))
    judge = hour_judge(SummedHours.of_series(amounts), START, None, terms, {}, (), HOURS - 1)
    assert judge.rises(0, HOURS - 1) == (age == LEAST_HOURS)
    assert may_rise(amounts, amounts[:, newest], newest, terms.floors).tolist() == [[age == LEAST_HOURS]]


def test_most_usual_hours_are_passed_over() -> None:
    chance = np.random.default_rng(7)
    amounts = 40 * chance.lognormal(0, 0.15, (SERIES, HOURS))
    assert may_rise(amounts, amounts[:, PLACES], PLACES, np.full(SERIES, 10.0)).mean() < 0.02
