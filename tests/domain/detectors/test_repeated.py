"""Incidents that come again: what was once unusual says nothing of what is usual."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.detectors.arrays import Floats
from service.domain.detectors.hourly.detector import HOURS, WEEK
from service.domain.detectors.scores import Scores
from tests.domain.detectors.hourly.test_detector import judged as judged_hour
from tests.domain.detectors.hourly.test_detector import usual
from tests.domain.detectors.spending import history_of, judged, office
from tests.examples import few

DAYS = 112
TOLERANCE = 0.10
SIZES = st.floats(1.6, 6).map(lambda exponent: 10**exponent)
"""Dollars on top of a day or an hour, from an incident that just fires to a million."""


def isolated(least: int, most: int, apart: int) -> st.SearchStrategy[list[int]]:
    """Up to six places at least so far apart from each other."""
    places = st.lists(st.integers(least, most), min_size=1, max_size=6, unique=True).map(sorted)
    return places.filter(lambda found: all(later - earlier >= apart for earlier, later in pairwise(found)))


def is_no_habit(days: list[int]) -> bool:
    return not any({day + 7, day + 14} <= set(days) for day in days)


def is_no_nightly_job(hours: list[int]) -> bool:
    """Whether no hour of the week is hit in three weeks."""
    return all(sum((hour - other) % WEEK < 8 or (other - hour) % WEEK < 8 for other in hours) < 3 for hour in hours)


def lines(scores: Scores) -> Floats:
    return np.array([scores.high[0], scores.fires_from[0]])


@few(25)
@given(isolated(DAYS - 40, DAYS - 3, 3).filter(is_no_habit), st.lists(SIZES, min_size=6, max_size=6))
def test_isolated_days_of_any_size_leave_the_line_of_a_later_day(days: list[int], sizes: list[float]) -> None:
    spoilt = office(DAYS)
    spoilt[days] += [max(150.0, size) for size, _ in zip(sizes, days, strict=False)]
    before, after = lines(judged(history_of(office(DAYS)), 0.0)), lines(judged(history_of(spoilt), 0.0))
    assert after == pytest.approx(before, rel=TOLERANCE)


@few(25)
@given(isolated(0, HOURS - 10, 12).filter(is_no_nightly_job), st.lists(SIZES, min_size=6, max_size=6))
def test_isolated_loops_of_any_size_leave_the_line_of_a_later_hour(hours: list[int], sizes: list[float]) -> None:
    spoilt = usual()
    for hour, size in zip(hours, sizes, strict=False):
        spoilt[hour : hour + 8] += max(60.0, size)
    before, after = lines(judged_hour(usual(), 0.0)), lines(judged_hour(spoilt, 0.0))
    assert after == pytest.approx(before, rel=TOLERANCE)


def test_a_day_that_is_dear_in_three_weeks_in_a_row_is_a_habit() -> None:
    once, thrice = office(DAYS), office(DAYS)
    once[-14] += 600
    thrice[[-21, -14, -7]] += 600
    assert judged(history_of(once), 900.0).rises[0]
    assert judged(history_of(thrice), 0.0).expected[0] > 1.2 * judged(history_of(once), 0.0).expected[0]


def test_two_loops_at_the_same_hours_of_two_weeks_do_not_hide_a_third() -> None:
    window = usual()
    for ago in (WEEK, 2 * WEEK):
        window[-ago : -ago + 8] += 400
    assert judged_hour(window, 200.0).rises[0]
