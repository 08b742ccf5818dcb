"""Clocks that are kept from one look to the next are those that would be found again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from service.domain.detectors.arrays import Flags, Floats
from service.domain.detectors.hourly import clock_memory
from service.domain.detectors.hourly.clock_memory import HourClocks
from service.domain.detectors.hourly.clocks import ClockMove, standing
from service.domain.detectors.hourly.series_memory import SeriesHours
from tests.examples import cases

HELD, STEPS, CHANGED = 768, 60, 760
"""The clocks are changed at this hour of the past; of each look so many hours are held."""


def drawn(chance: np.random.Generator) -> Floats:
    """Two offices and a job that is idle at first, hour by hour."""
    at = np.arange(HELD + 3 * STEPS)
    shape = np.where((at % 24 >= 9) & (at % 24 < 18) & (at // 24 % 7 < 5), 10.0, 1.0)
    past: Floats = shape * chance.lognormal(0, 0.1, (3, at.size))
    past[1, : int(chance.integers(0, HELD))] = 0.0
    return past


@pytest.mark.parametrize("seed", cases(range(12), at_once=3))
def test_clocks_from_memory_are_those_that_would_be_found_again(seed: int) -> None:
    chance, kept, first, by = np.random.default_rng(seed), HourClocks(), 0, 1
    past, found_by_wall = drawn(chance), 0
    for _ in range(STEPS):
        first += int(chance.choice([0, 1, 1, 2, 3]))
        if chance.random() < 0.3:
            past[chance.integers(0, 3), first + chance.integers(0, HELD)] = chance.choice([0.0, 90.0, np.nan])
        if chance.random() < 0.05:
            by = -by
        moves = [
            ClockMove("Europe/Berlin", CHANGED - first, by),
            ClockMove("America/New_York", CHANGED - first - 60, by),
        ]
        places = sorted(set(chance.integers(690, HELD, 9).tolist()))
        series = [SeriesHours(row, past[row, first : first + HELD].copy(), first) for row in range(3)]
        again = standing(np.stack([one.hours for one in series]), moves, places).tolist()
        for stands, expected in zip(kept.of(series, moves, places), again, strict=True):
            assert [stands.at(place) for place in places] == expected
            found_by_wall += sum(any(each[1:]) for each in expected)
    assert found_by_wall > 5


def test_clocks_are_found_once_while_hours_and_changes_are_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, Sequence[int]]] = []

    def counted(amounts: Floats, moves: Sequence[ClockMove], places: Sequence[int]) -> Flags:
        asked.append((amounts.shape[0], places))
        return standing(amounts, moves, places)

    monkeypatch.setattr(clock_memory, "standing", counted)
    past, kept = drawn(np.random.default_rng(1)), HourClocks()

    def look(first: int, forward: int, *places: int) -> None:
        series = [SeriesHours(row, past[row, first : first + HELD].copy(), first) for row in (0, 2)]
        kept.of(series, [ClockMove("Europe/Berlin", CHANGED - first, forward)], places)

    look(0, 1, 762, 765)
    look(1, 1, 761, 764)
    assert asked == [(2, (762, 765))]
    look(1, 1, 764, 766)
    look(1, -1, 764)
    assert asked[1:] == [(2, (764, 766)), (2, (764,))]


def test_the_series_that_was_asked_for_longest_ago_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_memory, "MOST_SERIES", 2)
    made: list[int] = []

    def counted(amounts: Floats, moves: Sequence[ClockMove], places: Sequence[int]) -> Flags:
        made.append(amounts.shape[0])
        return standing(amounts, moves, places)

    monkeypatch.setattr(clock_memory, "standing", counted)
    past, kept = drawn(np.random.default_rng(1)), HourClocks()
    series = [SeriesHours(row, past[row, :HELD], 0) for row in range(3)]
    for row in (0, 1, 0, 2, 0, 1):
        kept.of([series[row]], [ClockMove("Europe/Berlin", CHANGED, 1)], [765])
    assert len(made) == 4
