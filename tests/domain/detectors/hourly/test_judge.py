"""Hours that are judged together, in blocks and from memory are judged as the detector judges each alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from service.domain.detectors.arrays import Floats
from service.domain.detectors.buckets import grouping, summed
from service.domain.detectors.hourly.detector import judge_hour
from service.domain.detectors.hourly.hour_scores import HourScores
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


def judge_of(cells: Floats, scores: HourScores | None = None) -> HourJudge:
    spent = SummedHours(cells, grouping(MEMBERS))
    return hour_judge(spent, START, START + MATURE * HOUR, terms(), PLANNED, [SILENT], int(PLACES[0]), scores)


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


def test_scores_that_are_remembered_serve_only_the_window_that_they_were_made_of() -> None:
    cells, scores = drawn(3), HourScores()
    judge_of(cells, scores).rising([HOURS - 1])
    changed = cells.copy()
    changed[3:40, 400] *= 9
    for amounts in (cells, changed):
        warm, cold = judge_of(amounts, scores), judge_of(amounts)
        for row in range(0, len(MEMBERS), 7):
            assert repr(warm.reading(row, HOURS - 1)) == repr(cold.reading(row, HOURS - 1))


def test_a_memory_of_scores_is_filled_by_the_first_who_judges_and_serves_the_next() -> None:
    cells, scores = drawn(3), HourScores()
    judge_of(cells, scores).rising([HOURS - 1])
    made = len(scores)
    assert made > 0
    judge_of(cells, scores).rising([HOURS - 1])
    assert len(scores) == made


@pytest.mark.parametrize("seed", cases(range(4)))
def test_hours_that_were_foreseen_are_judged_by_how_they_came(seed: int) -> None:
    """Half of the series come as they were foreseen, the others do not."""
    cells, chance, held = drawn(seed), np.random.default_rng(seed), 5
    foreseen, scores = cells[:, -held:].copy(), HourScores()
    foreseen[::2] *= chance.uniform(0.1, 3, foreseen[::2].shape)
    for come in range(HOURS - held, HOURS):
        spent = SummedHours(cells[:, :come], grouping(MEMBERS))
        to_come = SummedHours(foreseen[:, come - (HOURS - held) :], grouping(MEMBERS))
        plain = hour_judge(spent, START, START + MATURE * HOUR, terms(), {}, [SILENT], come - 12, HourScores())
        warm = replace(plain, scores=scores, foreseen=to_come)
        for row in range(0, len(MEMBERS), 5):
            for place in (come - 1, come - 2, come - 13):
                assert repr(warm.reading(row, place)) == repr(plain.reading(row, place)), (come, row, place)
