"""An explanation can be checked with a pencil."""

from datetime import date, timedelta

import numpy as np
import pytest

from service.domain.detectors.daily.baseline import baseline
from service.domain.detectors.daily.detector import judge
from service.domain.detectors.daily.explain import DayExplanation, explain
from service.domain.detectors.daily.history import History
from service.domain.detectors.scores import Maturity, Method
from tests.domain.detectors.spending import MONDAY, carried, history_of, normal, office, rare

DAYS = 112
TODAY = MONDAY + timedelta(days=DAYS)


def explained(history: History, amount: float, planned: float = 0.0, day: date = TODAY) -> DayExplanation:
    base = baseline(history)
    scores = judge(base, np.array([amount]), normal(), Maturity.FINAL, np.array([planned]))
    return explain(base, scores, normal(), 0, day)


def test_the_expectation_is_the_mean_of_the_days_it_names() -> None:
    series = office(DAYS)
    told = explained(history_of(series), 900.0)
    assert [counted.day for counted in told.days] == [TODAY - timedelta(days=n) for n in (28, 21, 14, 7)]
    assert [counted.billed for counted in told.days] == series[[DAYS - 28, DAYS - 21, DAYS - 14, DAYS - 7]].tolist()
    assert told.expected == pytest.approx(sum(counted.counted for counted in told.days) / 4)
    assert not any(counted.changed for counted in told.days)


def test_the_band_follows_from_the_deviation_and_the_line_it_names() -> None:
    series = office(DAYS)
    told = explained(history_of(series), 900.0)
    assert told.deviation is not None
    assert told.line == 2.6
    month = series[-28:].mean()
    assert told.high == pytest.approx(told.expected + told.line * told.deviation * (told.expected + month))


def test_a_capped_day_shows_what_was_billed_and_what_it_counts_for() -> None:
    series = office(DAYS + 7)
    series[DAYS] = 2900.0
    told = explained(history_of(series), 900.0, day=TODAY + timedelta(days=7))
    incident = told.days[-1]
    assert incident.billed == 2900.0
    assert 300 < incident.counted < 700
    assert incident.changed
    assert told.expected == pytest.approx(sum(counted.counted for counted in told.days) / 4)


def test_an_accepted_shift_says_by_how_much_earlier_days_were_lifted() -> None:
    history = history_of(office(DAYS))
    for amount in 2 * office(4):
        history = carried(history, float(amount))
    told = explained(history.accepting(0, 4), 600.0, day=TODAY + timedelta(days=4))
    assert told.lifted == pytest.approx(2, rel=0.1)
    assert told.expected == pytest.approx(sum(counted.counted for counted in told.days) / 4)


def test_a_planned_extra_is_told_apart() -> None:
    told = explained(history_of(office(DAYS)), 900.0, planned=500.0)
    assert told.planned == pytest.approx(500)
    assert told.expected == pytest.approx(500 + sum(counted.counted for counted in told.days) / 4)


@pytest.mark.parametrize(
    ("history", "method", "days"),
    [(history_of(rare(DAYS)), Method.INTERMITTENT, 28), (history_of(office(10)), Method.COLD_START, 10)],
)
def test_rules_without_weekdays_name_every_day_of_their_mean(history: History, method: Method, days: int) -> None:
    told = explained(history, 900.0)
    assert told.method is method
    assert told.line is None
    assert len(told.days) == days
    assert told.expected == pytest.approx(sum(counted.counted for counted in told.days) / days)


def test_nothing_is_explained_where_nothing_was_expected() -> None:
    with pytest.raises(ValueError, match="fewer than 3 days"):
        explained(history_of(office(2)), 900.0)
