"""Hours of holidays: which they are, and that the cheap look takes them as the judge does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from service.domain.detectors.arrays import Floats
from service.domain.detectors.hourly.glance import may_rise_by_all
from service.domain.detectors.hourly.judge import hour_judge
from service.domain.detectors.hourly.sums import SummedHours
from service.domain.detectors.hourly.time_off import QuietDays, hours_off, no_quiet_days, quiet_days
from service.domain.detectors.scores import Terms
from service.domain.sources.locality import Locality, locality_of
from service.domain.values.utc import HOUR
from tests.domain.detectors.hourly.test_glance import HOURS as DRAWN
from tests.domain.detectors.hourly.test_glance import PLACES, SERIES, START, drawn
from tests.domain.detectors.spending import history_of, office, rare, volatile
from tests.examples import cases
from tests.factories import utc

GERMANY, UNKNOWN = locality_of("Europe/Berlin", "DE"), locality_of("Europe/Berlin")
NONE = no_quiet_days(1, date(2026, 12, 1))


@pytest.mark.parametrize("seed", cases(range(6), at_once=2))
def test_what_may_not_rise_beside_holidays_does_not_rise(seed: int) -> None:
    chance, amounts = np.random.default_rng(seed), drawn(seed)
    off = np.repeat(chance.random((SERIES, -(-DRAWN // 24))) < 0.2, 24, axis=1)[:, :DRAWN]
    terms = Terms(np.full(SERIES, 0.8), np.full(SERIES, 1.0))
    spent = SummedHours.of_series(amounts)
    judge = replace(hour_judge(spent, START, None, terms, {}, (), int(PLACES[0])), off=off)
    rises = np.array([any(judge.rises(row, int(place)) for place in PLACES) for row in range(SERIES)])
    may = may_rise_by_all(amounts, PLACES, terms.floors, (), off)
    assert not (rises & ~may).any()
    assert rises.any()
    assert judge.rising(list(map(int, PLACES))) == frozenset(np.flatnonzero(rises).tolist())


def test_hours_are_off_by_the_local_clock() -> None:
    off = hours_off(GERMANY, NONE, utc("2026-12-24"), 96)
    assert off is not None
    assert np.flatnonzero(off[0]).tolist() == list(range(23, 71))
    assert hours_off(GERMANY, NONE, utc("2026-11-02"), 96) is None
    assert hours_off(UNKNOWN, NONE, utc("2026-12-24"), 96) is None


def test_hours_that_are_off_in_most_weeks_are_what_is_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a calendar says: an hour is never judged by one other alone."""
    every_friday = tuple(
        replace(GERMANY.holidays(date(2026, 12, 25), date(2026, 12, 26))[0], starts_at=start, ends_at=start + 24 * HOUR)
        for start in (utc("2026-12-04") + timedelta(days=7 * week) for week in range(3))
    )
    monkeypatch.setattr(Locality, "holidays", lambda *_: every_friday)
    assert hours_off(GERMANY, NONE, utc("2026-12-01"), 28 * 24) is None
    monkeypatch.setattr(Locality, "holidays", lambda *_: every_friday[1:])
    off = hours_off(GERMANY, NONE, utc("2026-12-01"), 28 * 24)
    assert off is not None
    assert off.sum() == 48


def test_weekends_of_a_series_too_young_to_know_weekdays_are_not_quiet_days() -> None:
    for days in (30, 50, 62, 70):
        assert quiet(office(days)) == []


def quiet(row: Floats) -> list[int]:
    """The places of the quiet days among the last 56 of a history."""
    found = quiet_days(history_of(row), date(2026, 12, 1)).days[0]
    return [len(row) - found.size + place for place in np.flatnonzero(found).tolist()]


def resting(*places: int, share: float = 0.1) -> Floats:
    row = office(90)
    row[list(places)] *= share
    return row


def test_a_day_or_two_far_below_the_usual_are_quiet_and_a_third_is_a_level() -> None:
    assert quiet(resting()) == []
    assert quiet(resting(70, 77, 78)) == [70, 77, 78]
    assert quiet(resting(89)) == [89], "it may last on, but until then it says nothing"
    assert quiet(resting(70, 71, 72)) == []
    assert quiet(resting(77, share=0.8)) == []


def test_a_noisy_series_has_no_quiet_days() -> None:
    assert quiet(volatile(90)) == []
    assert quiet(rare(90)) == []


def test_hours_of_quiet_days_are_off_for_the_series_that_was_quiet_alone() -> None:
    days = np.zeros((2, 56), dtype=np.bool_)
    days[1, [-1, -8]] = True
    off = hours_off(UNKNOWN, QuietDays(days, date(2026, 12, 1)), utc("2026-11-03"), 28 * 24)
    assert off is not None
    assert not off[0].any()
    assert np.flatnonzero(off[1]).tolist() == [*range(20 * 24, 21 * 24), *range(27 * 24, 28 * 24)]
    few = QuietDays(days, date(2026, 12, 1)).of([-1, 1])
    assert few.days.sum(axis=1).tolist() == [0, 2]
