"""Two hours in a row, of which neither would fire alone."""

from dataclasses import replace

import numpy as np
import pytest

from service.domain.detectors.arrays import Floats
from service.domain.detectors.hourly.detector import HOURS, hour_band, judge_by, judge_hour
from service.domain.detectors.scores import Maturity, Scores
from tests.domain.detectors.spending import normal

NOON = 12


def noisy_office(hour: int = NOON, seed: int = 4) -> Floats:
    """$40 an hour from 8 to 18 on working days, else $1.60, with a noise of 25 %, before a Monday's hour: [672]."""
    at = np.arange(HOURS) + hour
    busy = (at % 24 >= 8) & (at % 24 < 18) & (at // 24 % 7 < 5)
    return np.where(busy, 40.0, 1.6) * np.random.default_rng(seed).lognormal(0, 0.25, HOURS)


def judged(window: Floats, amount: float) -> Scores:
    return judge_hour(window[None], np.array([amount]), normal(1, 10.0), Maturity.FINAL)


def after(dollars: float) -> Floats:
    """The office when the hour before cost so much."""
    spoilt = noisy_office()
    spoilt[-1] = dollars
    return spoilt


def test_a_loop_in_busy_hours_of_a_noisy_office_fires_in_its_second_hour() -> None:
    assert not judged(after(40.0), 95.0).rises[0]
    assert judged(after(95.0), 95.0).rises[0]


def line_after(before: float, hour: int = NOON) -> float:
    """The amount at a score of 1, after an hour of so many dollars above normal."""
    band = replace(hour_band(noisy_office(hour)[None]), before=np.array([before]))
    return float(judge_by(band, np.array([0.0]), normal(1, 10.0), Maturity.FINAL).high[0])


def test_the_more_the_hour_before_cost_the_less_is_needed_down_to_a_line_of_each() -> None:
    band = hour_band(noisy_office()[None])
    alone, half, expected = (float(each[0]) for each in (band.alone, band.half, band.expected))
    assert half < 0.6 * alone
    assert line_after(-20.0) == line_after(0.0) == expected + alone
    assert line_after(half / 2) == pytest.approx(expected + (alone + half) / 2)
    assert line_after(half) == pytest.approx(line_after(9e4)) == pytest.approx(expected + half)


def test_small_hours_need_what_a_mean_hour_does() -> None:
    """At 3 in the morning two hours of several times the usual are nothing."""
    assert line_after(5.0, hour=3) == pytest.approx(line_after(0.0, hour=3), rel=0.02)


@pytest.mark.parametrize("before", [np.nan, -5.0])
def test_an_hour_before_that_is_unknown_or_a_credit_lowers_nothing(before: float) -> None:
    assert hour_band(after(before)[None]).before[0] <= 0


def test_what_was_announced_of_the_hour_before_lowers_nothing() -> None:
    band = hour_band(after(95.0)[None])
    explained = band.explained(np.array([40.0]), np.ones(1))
    assert explained.before[0] == pytest.approx(band.before[0] - 40)
    assert explained.reach[0] > band.reach[0]


@pytest.mark.parametrize("days", [2, 9, 17])
def test_a_loop_in_busy_hours_is_left_out_like_any_other(days: int) -> None:
    spoilt = noisy_office()
    spoilt[-24 * days : -24 * days + 6] += 120.0
    assert judged(spoilt, 0.0).high[0] == pytest.approx(judged(noisy_office(), 0.0).high[0], rel=0.10)
