"""Hours that are judged together, in blocks and from memory are judged as the detector judges each alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from service.domain.detectors.arrays import Floats
from service.domain.detectors.buckets import grouping, summed
from service.domain.detectors.hourly.bands import HourBands
from service.domain.detectors.hourly.detector import judge_hour
from service.domain.detectors.hourly.judge import HourJudge, hour_judge
from service.domain.detectors.hourly.sums import SummedHours
from service.domain.detectors.panel import first_spend
from service.domain.detectors.scores import Maturity, Scores, Terms
from service.domain.values.utc import HOUR
from tests.domain.detectors.hourly.test_glance import HOURS, PLACES, SERIES, START, drawn
from tests.examples import cases

MEMBERS = [list(range(SERIES)), *([row] for row in range(SERIES)), *([row, row + 9] for row in range(20))]
ASKED = [*map(int, PLACES), 690, 667, 650]
MATURE = HOURS - 2
SILENT = (5, START + timedelta(hours=100), START + timedelta(hours=300))
PLANNED = {HOURS - 1: [25.0] * len(MEMBERS)}


def judge_of(cells: Floats, bands: HourBands | None = None) -> HourJudge:
    spent = SummedHours(cells, grouping(MEMBERS))
    return hour_judge(spent, START, START + MATURE * HOUR, terms(), PLANNED, [SILENT], int(PLACES[0]), bands)


def terms() -> Terms:
    return Terms(np.full(len(MEMBERS), 0.8), np.full(len(MEMBERS), 1.0))


def alone(cells: Floats, row: int, place: int) -> Scores:
    """One hour of one series by the detector itself, with nothing beside it."""
    amounts = np.ascontiguousarray(summed(cells, grouping([MEMBERS[row]])))
    counted = amounts.copy()
    if row == SILENT[0]:
        counted[0, 100:300] = np.nan
    counted[0, : int(first_spend(counted)[0])] = np.nan
    window = np.concatenate([np.full((1, 672), np.nan), counted], axis=1)[:, place : place + 672]
    own = Terms(np.full(1, 0.8), np.full(1, 1.0))
    planned = np.array([25.0]) if place in PLANNED else None
    maturity = Maturity.FINAL if place < MATURE else Maturity.PARTIAL
    return judge_hour(np.ascontiguousarray(window), amounts[:, place], own, maturity, planned)


@pytest.mark.parametrize("seed", cases(range(4)))
def test_each_hour_is_judged_as_it_is_alone_to_the_last_digit(seed: int) -> None:
    cells = drawn(seed)
    judge = judge_of(cells)
    judge.rising([HOURS - 1, HOURS - 2, HOURS - 3])
    for row in range(0, len(MEMBERS), 3):
        for place in ASKED:
            expected, found = alone(cells, row, place), judge.reading(row, place)
            assert np.array_equal(expected.high, [found.high], equal_nan=True), (row, place)
            assert np.array_equal(expected.scores, [found.score], equal_nan=True), (row, place)
            assert (bool(expected.rises[0]), int(expected.methods[0])) == (found.rises, found.method)


@pytest.mark.parametrize("seed", cases(range(4)))
def test_the_series_that_rise_are_those_of_which_an_hour_rises(seed: int) -> None:
    cells, places = drawn(seed), list(map(int, PLACES))
    each = judge_of(cells)
    rising = {row for row in range(len(MEMBERS)) if any(each.rises(row, place) for place in places)}
    assert judge_of(cells).rising(places) == rising
    assert rising


def test_bands_that_are_remembered_serve_only_the_window_that_they_were_made_of() -> None:
    cells, bands = drawn(3), HourBands()
    judge_of(cells, bands).rising([HOURS - 1])
    changed = cells.copy()
    changed[3:40, 400] *= 9
    for amounts in (cells, changed):
        warm, cold = judge_of(amounts, bands), judge_of(amounts)
        for row in range(0, len(MEMBERS), 7):
            assert repr(warm.reading(row, HOURS - 1)) == repr(cold.reading(row, HOURS - 1))


def test_a_memory_of_bands_is_filled_by_the_first_who_judges_and_serves_the_next() -> None:
    cells, bands = drawn(3), HourBands()
    judge_of(cells, bands).rising([HOURS - 1])
    made = len(bands)
    assert made > 0
    judge_of(cells, bands).rising([HOURS - 1])
    assert len(bands) == made


def test_a_nightly_job_that_grows_is_expected_to_cost_what_it_costs() -> None:
    """Its level says nothing: the median of the last day is an hour without it."""
    place = np.arange(HOURS)
    night = np.where(place % 24 >= 21, 100.0, 2.0) * 1.1 ** (place / 168)
    spent, own = SummedHours.of_series(night[None]), Terms(np.ones(1), np.ones(1))
    plain, other = (hour_judge(spent, START, None, own, {}, (), 0) for _ in range(2))
    grown, last = replace(other, growth=np.array([1.1])), int(place[place % 24 == 22][-1])
    assert plain.reading(0, last).expected < 0.85 * night[last]
    assert grown.reading(0, last).expected == pytest.approx(night[last], rel=0.03)
    assert plain.is_high(0, last)
    assert not grown.is_high(0, last)


def test_a_growing_series_is_not_said_to_have_spent_more_in_the_hour_before_than_it_did() -> None:
    place = np.arange(HOURS)
    spend = np.random.default_rng(4).lognormal(0, 0.05, HOURS) * 40.0 * 1.2 ** (place / 168)
    usual = 40.0 * 1.2 ** (place[-2] / 168)
    spend[-2:] = usual + 300.0
    own = Terms(np.ones(1), np.ones(1))
    judge = replace(hour_judge(SummedHours.of_series(spend[None]), START, None, own, {}, (), 0), growth=np.array([1.2]))
    before = judge.hour_before(0, HOURS - 1)
    assert before is not None
    assert before.above == pytest.approx(300.0, rel=0.05)
