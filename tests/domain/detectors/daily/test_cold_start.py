"""Series with less than eight weeks."""

import numpy as np
import pytest

from service.domain.detectors.scores import Method
from tests.domain.detectors.spending import history_of, judged, office

FLAT = 100.0


@pytest.mark.parametrize(
    ("days", "quiet", "loud"),
    [
        (3, 399.0, 401.0),
        (6, 399.0, 401.0),
        (7, 299.0, 301.0),
        (13, 299.0, 301.0),
        (14, 249.0, 251.0),
        (27, 249.0, 251.0),
    ],
)
def test_a_short_history_asks_for_multiples_of_its_mean(days: int, quiet: float, loud: float) -> None:
    history = history_of(np.full(days, FLAT))
    assert not judged(history, quiet).rises[0]
    assert judged(history, loud).rises[0]


def test_a_short_history_asks_for_a_multiple_of_its_largest_day_too() -> None:
    history = history_of(np.array([FLAT] * 9 + [280.0]))  # three times the mean is 354
    assert not judged(history, 419.0).rises[0]
    assert judged(history, 421.0).rises[0]


def test_a_short_history_of_small_amounts_asks_for_fifty_dollars_more() -> None:
    history = history_of(np.full(10, 5.0))
    assert not judged(history, 54.0).rises[0]
    assert judged(history, 56.0).rises[0]


@pytest.mark.parametrize(
    ("days", "method"),
    [
        (1, Method.TOO_YOUNG),
        (2, Method.TOO_YOUNG),
        (3, Method.COLD_START),
        (7, Method.COLD_START),
        (14, Method.COLD_START),
        (27, Method.COLD_START),
        (28, Method.COLD_WEEKDAY),
        (55, Method.COLD_WEEKDAY),
        (56, Method.STEADY),
    ],
)
def test_the_rule_follows_the_days_since_the_first_spend(days: int, method: Method) -> None:
    scores = judged(history_of(np.concatenate([np.zeros(30), office(days)])), 50.0)
    assert Method(int(scores.methods[0])) is method
    assert (scores.failed(0) is None) == method.judges


def test_one_point_gives_no_statistics_and_no_alert() -> None:
    scores = judged(history_of(np.array([40.0])), 1e6)
    assert not scores.rises[0]
    assert scores.failed(0) == Method.TOO_YOUNG.reason


def test_from_four_weeks_on_a_steady_series_is_held_to_its_weekdays_too() -> None:
    history = history_of(office(35 + 5))  # the next day is a Saturday
    scores = judged(history, 290.0)
    assert scores.rises[0]
    assert scores.amounts[0] < 2.5 * office(40).mean()


def test_an_early_incident_does_not_hide_the_next_one() -> None:
    days = np.full(20, FLAT)
    days[15] = 5000
    assert judged(history_of(days), 400.0).rises[0]
