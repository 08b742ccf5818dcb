"""Hours of holidays: which they are, and that the cheap look takes them as the judge does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from service.domain.detectors.hourly.glance import may_rise_by_all
from service.domain.detectors.hourly.judge import hour_judge
from service.domain.detectors.hourly.sums import SummedHours
from service.domain.detectors.hourly.time_off import hours_off
from service.domain.detectors.scores import Terms
from service.domain.sources.locality import Locality, locality_of
from service.domain.values.utc import HOUR
from tests.domain.detectors.hourly.test_glance import HOURS as DRAWN
from tests.domain.detectors.hourly.test_glance import PLACES, SERIES, START, drawn
from tests.factories import utc

GERMANY, UNKNOWN = locality_of("Europe/Berlin", "DE"), locality_of("Europe/Berlin")


@pytest.mark.parametrize("seed", range(6))
def test_what_may_not_rise_beside_holidays_does_not_rise(seed: int) -> None:
    chance, amounts = np.random.default_rng(seed), drawn(seed)
    off = np.repeat(chance.random(-(-DRAWN // 24)) < 0.2, 24)[:DRAWN]
    terms = Terms(np.full(SERIES, 0.8), np.full(SERIES, 1.0))
    spent = SummedHours.of_series(amounts)
    judge = replace(hour_judge(spent, START, None, terms, {}, (), int(PLACES[0])), off=off)
    rises = np.array([any(judge.rises(row, int(place)) for place in PLACES) for row in range(SERIES)])
    may = may_rise_by_all(amounts, PLACES, terms.floors, (), off)
    assert not (rises & ~may).any()
    assert rises.any()
    assert judge.rising(list(map(int, PLACES))) == frozenset(np.flatnonzero(rises).tolist())


def test_hours_are_off_by_the_local_clock() -> None:
    off = hours_off(GERMANY, utc("2026-12-24"), 96)
    assert off is not None
    assert np.flatnonzero(off).tolist() == list(range(23, 71))
    assert hours_off(GERMANY, utc("2026-11-02"), 96) is None
    assert hours_off(UNKNOWN, utc("2026-12-24"), 96) is None


def test_hours_that_are_off_in_most_weeks_are_what_is_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a calendar says: an hour is never judged by one other alone."""
    every_friday = tuple(
        replace(GERMANY.holidays(date(2026, 12, 25), date(2026, 12, 26))[0], starts_at=start, ends_at=start + 24 * HOUR)
        for start in (utc("2026-12-04") + timedelta(days=7 * week) for week in range(3))
    )
    monkeypatch.setattr(Locality, "holidays", lambda *_: every_friday)
    assert hours_off(GERMANY, utc("2026-12-01"), 28 * 24) is None
    monkeypatch.setattr(Locality, "holidays", lambda *_: every_friday[1:])
    off = hours_off(GERMANY, utc("2026-12-01"), 28 * 24)
    assert off is not None
    assert off.sum() == 48
