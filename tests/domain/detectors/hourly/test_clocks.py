"""After a clock change the hours since tell by which clock a series lives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from service.domain.detectors.arrays import Floats
from service.domain.detectors.hourly.clocks import ClockMove, moves_within, standing
from service.domain.detectors.hourly.glance import may_rise_by_all
from service.domain.detectors.hourly.judge import hour_judge
from service.domain.detectors.hourly.sums import SummedHours
from service.domain.detectors.scores import Terms
from tests.domain.detectors.hourly.test_glance import HOURS, PLACES, SERIES, START, drawn
from tests.examples import cases
from tests.factories import utc

WALL, UTC_ALONE, BOTH = [False, True], [True, False], [True, True]
MONDAY = 7 * 24 * 3
"""The place of a Monday's first hour; the first hour of all is a Monday's, too."""
EDGE = {1: 7, -1: 18}
"""The hour in which the office is busy since the change, and was not before."""


def office(change: int, forward: int, noise: float = 0.0, level: float = 1.0) -> Floats:
    """Ten busy hours on working days, an hour earlier by UTC after clocks were put forward: [1, hours]."""
    at = np.arange(HOURS)
    wall = at + forward * (at >= change)
    busy = (wall % 24 >= 8) & (wall % 24 < 18) & (wall // 24 % 7 < 5)
    return level * np.where(busy, 1.0, 0.04)[None] * np.random.default_rng(4).lognormal(0, noise, (1, HOURS))


def stands(amounts: Floats, move: ClockMove, place: int) -> list[bool]:
    return [bool(one) for one in standing(amounts, [move], [place])[0, 0]]


@pytest.mark.parametrize("forward", [1, -1])
def test_hours_before_a_change_are_moved_so_that_a_week_looks_like_the_next(forward: int) -> None:
    move = ClockMove("Europe/Berlin", MONDAY, forward)
    moved = move.applied(office(MONDAY, forward))[0]
    assert np.array_equal(moved[168 + 2 : MONDAY - 2], moved[2 * 168 + 2 : MONDAY + 168 - 2])
    assert np.array_equal(moved[MONDAY:], office(MONDAY, forward)[0, MONDAY:])


@pytest.mark.parametrize("forward", [1, -1])
@pytest.mark.parametrize("noise", [0.0, 0.15])
@pytest.mark.parametrize("level", [0.3, 4000.0])
def test_an_office_is_known_after_a_day_and_a_job_by_utc_too(forward: int, noise: float, level: float) -> None:
    move = ClockMove("Europe/Berlin", MONDAY, forward)
    edge = EDGE[forward]
    assert stands(office(MONDAY, forward, noise, level), move, MONDAY + edge)[1], "the first moved hour is expected"
    assert stands(office(MONDAY, forward, noise, level), move, MONDAY + 48 + edge) == WALL
    days = 2 if noise == 0 else 3
    assert stands(office(MONDAY, 0, noise, level), move, MONDAY + 24 * days + edge) == UTC_ALONE
    assert stands(office(MONDAY, forward), move, MONDAY + 48 + 12) == UTC_ALONE, "noon is noon by either clock"


def test_what_has_no_hours_of_its_own_is_judged_by_utc() -> None:
    flat = np.random.default_rng(1).lognormal(3, 0.1, (1, HOURS))
    assert stands(flat, ClockMove("Europe/Berlin", MONDAY, 1), MONDAY + 5) == UTC_ALONE


def test_a_sum_of_both_is_judged_by_both() -> None:
    both = office(MONDAY, 1) + np.roll(office(MONDAY, 0), 7, axis=1)
    assert stands(both, ClockMove("Europe/Berlin", MONDAY, 1), MONDAY + 96 + EDGE[1]) == BOTH


def test_an_incident_and_an_outage_decide_nothing() -> None:
    move, loop, outage = ClockMove("Europe/Berlin", MONDAY, 1), office(MONDAY, 0), office(MONDAY, 0)
    loop[0, MONDAY : MONDAY + 24] = 50.0
    outage[0, MONDAY : MONDAY + 24] = 0.0
    assert stands(loop, move, MONDAY + 24 + EDGE[1]) == stands(outage, move, MONDAY + 24 + EDGE[1]) == BOTH


def test_before_a_change_and_three_weeks_after_it_there_is_one_clock() -> None:
    change = 168
    amounts, move = office(change, 1), ClockMove("Europe/Berlin", change, 1)
    edges = [place for place in range(change - 72, HOURS) if place % 24 == EDGE[1] and place // 24 % 7 < 5]
    judged = {place: stands(amounts, move, place) for place in edges}
    assert {place - change for place, by in judged.items() if by == WALL} <= set(range(24, 505))
    assert [by for place, by in judged.items() if place < change or place > change + 504] == [UTC_ALONE] * 2


def test_what_stood_at_an_hour_still_does_when_later_hours_are_held_and_earlier_ones_are_not() -> None:
    chance = np.random.default_rng(3)
    longer = np.concatenate([chance.lognormal(0, 0.3, (1, 40)), office(MONDAY, 1, 0.3)], axis=1)
    for place in range(MONDAY + EDGE[1], MONDAY + 100, 11):
        then = standing(longer[:, : place + 40], [ClockMove("a", MONDAY + 40, 1)], [place + 40])
        now = standing(longer[:, 40:], [ClockMove("a", MONDAY, 1)], [place])
        assert np.array_equal(then, now)


def test_changes_have_places_among_the_hours() -> None:
    assert moves_within(["Europe/Berlin"], utc("2026-10-20"), 200) == (ClockMove("Europe/Berlin", 121, -1),)
    assert moves_within(["UTC"], utc("2026-10-20"), 200) == ()


@pytest.mark.parametrize("seed", cases(range(8), at_once=2))
def test_what_may_not_rise_by_any_clock_does_not_rise(seed: int) -> None:
    chance, amounts = np.random.default_rng(seed), drawn(seed)
    amounts[: SERIES // 2] += 30 * office(HOURS - 60, 1)
    moves = [
        ClockMove("a", HOURS - int(chance.integers(1, 90)), 1),
        ClockMove("b", HOURS - int(chance.integers(90, 500)), -1),
    ]
    terms = Terms(np.full(SERIES, 0.8), np.full(SERIES, 1.0))
    spent = SummedHours.of_series(amounts)
    judge = hour_judge(spent, START, None, terms, {}, (), int(PLACES[0]))
    judge = replace(judge, moves=moves)
    rises = np.array([any(judge.rises(row, int(place)) for place in PLACES) for row in range(SERIES)])
    assert not (rises & ~may_rise_by_all(amounts, PLACES, terms.floors, moves)).any()
    assert rises.any()


@pytest.mark.parametrize("seed", cases(range(3)))
def test_a_series_is_judged_alone_as_it_is_among_others(seed: int) -> None:
    amounts = drawn(seed)
    amounts[: SERIES // 2] += 30 * office(HOURS - 60, 1)
    moves = [ClockMove("a", HOURS - 60, 1)]

    def judged(rows: slice) -> list[str]:
        chosen = amounts[rows]
        terms = Terms(np.ones(len(chosen)), np.ones(len(chosen)))
        judge = hour_judge(SummedHours.of_series(chosen), START, None, terms, {}, (), int(PLACES[0]))
        judge = replace(judge, moves=moves)
        return [repr((judge.reading(row, HOURS - 1), judge.clock(row, HOURS - 1))) for row in range(len(chosen))]

    together = judged(slice(None))
    assert [judged(slice(row, row + 1))[0] for row in range(0, SERIES, 7)] == together[::7]


def test_dollars_of_any_size_tell_the_same_of_clocks() -> None:
    moves, places = [ClockMove("a", MONDAY, 1)], list(range(MONDAY, MONDAY + 60))
    amounts = office(MONDAY, 1, 0.2)
    assert np.array_equal(standing(amounts, moves, places), standing(1024 * amounts, moves, places))
