"""A level that was held for a week is accepted; incidents, batches and noise are none."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.detectors.arrays import Floats
from service.domain.detectors.daily.baseline import baseline
from service.domain.detectors.daily.history import History
from service.domain.detectors.daily.levels import Level, level
from tests.domain.detectors.spending import carried, history_of, judged, office, rare, volatile
from tests.examples import few

WEEKS_16 = 112
TODAY = date(2026, 12, 16)
FEW = few(15)


def after(days: Floats, start: History | None = None) -> History:
    history = history_of(office(WEEKS_16)) if start is None else start
    for amount in days:
        history = carried(history, float(amount))
    return history


def accepted(history: History) -> Level | None:
    return level(baseline(history), 0, TODAY)


@pytest.mark.parametrize("times", [1.5, 2.0, 4.0])
@pytest.mark.parametrize("begins", range(7))
def test_a_level_is_accepted_after_a_week_whatever_the_weekday_it_begins_on(times: float, begins: int) -> None:
    """Small weekends neither hold it up nor hurry it: by the eighth day, or the Monday after it."""
    usual = office(WEEKS_16 + 60, seed=5)
    start = after(usual[WEEKS_16 : WEEKS_16 + begins])
    launched = times * usual[WEEKS_16 + begins :]
    assert accepted(after(launched[:5], start)) is None
    found = accepted(after(launched[:9], start))
    assert found is not None
    assert (TODAY - found.since).days in (7, 8, 9)
    assert found.after / found.before == pytest.approx(times, rel=0.15)


def test_an_accepted_level_is_quiet_from_then_on_and_an_incident_on_top_of_it_is_found() -> None:
    launched = 2 * office(40, seed=9)
    history, rising = after(launched[:8]), 0
    for amount in launched[8:]:
        rising += bool(judged(history, float(amount)).rises[0])
        history = carried(history, float(amount))
    assert rising == 0
    monday = after(2 * office(7, seed=9))
    assert judged(monday, 2 * 2 * 300.0).rises[0]


def test_a_launch_that_is_taken_back_within_the_week_is_no_level() -> None:
    usual = office(30, seed=7)
    history = after(np.concatenate([2 * usual[:4], usual[4:14]]))
    assert accepted(history) is None
    assert judged(history, 300.0).expected[0] == pytest.approx(300.0, rel=0.25)


def test_an_incident_on_top_of_a_level_is_no_part_of_it() -> None:
    launched = 2 * office(7, seed=9)
    launched[2] *= 10
    found = accepted(after(launched))
    assert found is not None
    assert found.after / found.before == pytest.approx(2, rel=0.2)


def test_a_level_that_a_person_calls_an_incident_is_none_and_rings_again() -> None:
    history = after(2 * office(9, seed=9)[:8])
    found = accepted(history)
    assert found is not None
    undone = history.taking_out(0, (TODAY - found.since).days)
    assert accepted(undone) is None
    assert judged(undone, 2 * office(9, seed=9)[8]).rises[0]
    assert not judged(history, 2 * office(9, seed=9)[8]).rises[0]


def test_a_second_level_on_top_of_the_first_is_accepted_too() -> None:
    usual = office(42, seed=9)
    history = after(np.concatenate([2 * usual[:14], 4 * usual[14:23]]))
    found = accepted(history)
    assert found is not None
    assert found.after / found.before == pytest.approx(2, rel=0.2)
    assert not judged(history, 4 * usual[23]).rises[0]


@pytest.mark.parametrize("series", [office(300, 0.12), volatile(300), rare(300)])
def test_noise_is_no_level_more_than_once_in_months(series: Floats) -> None:
    history, found = history_of(series[:84]), 0
    for amount in series[84:]:
        history = carried(history, float(amount))
        found += int(history.since_accepted[0] == 7)
    assert found <= 1


@FEW
@given(st.floats(0.01, 1e6), st.integers(1, 12))
def test_another_currency_and_other_days_after_it_change_nothing(factor: float, shown: int) -> None:
    """Money scales; and what comes after a day says nothing of it."""
    days = 2 * office(WEEKS_16 + 20, seed=9)[WEEKS_16:]
    one, other = history_of(office(WEEKS_16)), history_of(factor * office(WEEKS_16))
    one, other = after(days[:shown], one), after(factor * days[:shown], other)
    assert one.since_accepted.tolist() == other.since_accepted.tolist()
    assert one.held.tolist() == other.held.tolist()
    assert other.kept == pytest.approx(factor * one.kept)
