"""How calm a series is, and when it is believed."""

import numpy as np
import pytest

from service.domain.detectors.arrays import Floats
from service.domain.detectors.noise import (
    CALM_NOISE,
    IDLE_SHARE,
    Noise,
    idle_share,
    noise_class,
    settled_class,
    week_on_week_noise,
)
from tests.domain.detectors.spending import office, rare, volatile

DAYS = 56


@pytest.mark.parametrize(
    ("days", "noise"),
    [
        (office(DAYS), Noise.STEADY),
        (volatile(DAYS), Noise.VOLATILE),
        (rare(DAYS), Noise.INTERMITTENT),
        (np.full(DAYS, 100.0), Noise.STEADY),
        (np.resize([100.0] * 5 + [0.0] * 2, DAYS), Noise.STEADY),  # idle weekends are 29 % of the days
        (np.resize([100.0] * 4 + [0.0] * 3, DAYS), Noise.INTERMITTENT),
    ],
)
def test_eight_weeks_point_at_a_class(days: Floats, noise: Noise) -> None:
    assert noise_class(days[None])[0] == noise


def test_one_wild_day_does_not_change_the_class() -> None:
    days = office(DAYS)
    days[30] *= 10
    assert noise_class(days[None])[0] == Noise.STEADY


@pytest.mark.parametrize(
    ("current", "today", "needed"),
    [
        (Noise.UNKNOWN, Noise.STEADY, 1),
        (Noise.STEADY, Noise.VOLATILE, 7),
        (Noise.STEADY, Noise.INTERMITTENT, 7),
        (Noise.INTERMITTENT, Noise.VOLATILE, 7),
        (Noise.VOLATILE, Noise.STEADY, 21),
        (Noise.INTERMITTENT, Noise.STEADY, 21),
    ],
)
def test_a_class_changes_after_so_many_days_in_a_row(current: Noise, today: Noise, needed: int) -> None:
    state = np.array([current]), np.array([current]), np.array([0])
    for day in range(1, needed + 1):
        state = settled_class(*state, np.array([today]))
        assert (state[0][0] == today) == (day == needed)


def test_a_single_day_back_starts_the_count_again() -> None:
    state = np.array([Noise.STEADY]), np.array([Noise.STEADY]), np.array([0])
    for today in [Noise.VOLATILE] * 6 + [Noise.STEADY] + [Noise.VOLATILE] * 6:
        state = settled_class(*state, np.array([today]))
    assert state[0][0] == Noise.STEADY


def test_idle_share_and_noise_are_shares() -> None:
    assert idle_share(np.array([[0.0, 0.0, 100.0, 4.0]]))[0] == 0.5
    assert week_on_week_noise(np.array([[100.0] * 7 + [110.0] * 7]))[0] == pytest.approx(10 / 105)


@pytest.mark.parametrize("seed", range(30))
def test_the_class_by_counts_is_that_of_the_median(seed: int) -> None:
    random = np.random.default_rng(seed)
    days = random.lognormal(3, random.choice([0.05, 0.1, 0.12, 0.15, 0.3]), (40, 56)) * (random.random((40, 56)) > 0.1)
    calm = week_on_week_noise(days) < CALM_NOISE
    idle = idle_share(days) > IDLE_SHARE
    expected = np.where(idle, Noise.INTERMITTENT, np.where(calm, Noise.STEADY, Noise.VOLATILE))
    assert np.array_equal(noise_class(days), expected)
