"""Bands that are kept from one look to the next are those that would be made again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from service.domain.detectors.arrays import Floats
from service.domain.detectors.hourly.bands import HourBands, window_before
from service.domain.detectors.hourly.detector import HourBand, hour_band
from service.domain.detectors.hourly.series_memory import SeriesHours

HELD, STEPS = 768, 40


def again(asked: list[tuple[SeriesHours, list[int]]]) -> HourBand:
    """The bands of these hours, each made anew."""
    return hour_band(np.concatenate([window_before(one, place) for one, places in asked for place in places]))


def assert_same(one: HourBand, other: HourBand) -> None:
    for name in HourBand.__slots__:
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True), name


def looks(seed: int) -> Iterator[list[tuple[SeriesHours, list[int]]]]:
    """A few series seen hour after hour: restated, lifted, growing, idle, with gaps, and at times seen late."""
    chance = np.random.default_rng(seed)
    past = chance.lognormal(3, 0.3, (4, HELD + 3 * STEPS))
    past[1, : int(chance.integers(0, HELD))] = 0.0
    past[2, chance.random(past.shape[1]) < 0.6] = 0.0
    past[2, int(chance.integers(0, 60)) : int(chance.integers(60, 300))] = 0.0
    growth, first = np.ones(4), 0
    for _ in range(STEPS):
        first += int(chance.choice([0, 1, 1, 1, 2, 3]))
        if chance.random() < 0.4:
            past[chance.integers(0, 4), first + chance.integers(0, HELD)] = chance.choice([0.0, 90.0, np.nan])
        if chance.random() < 0.1:
            past[chance.integers(0, 4), : first + 300] *= 1.5
        if chance.random() < 0.1:
            growth[chance.integers(0, 4)] = chance.choice([1.0, 1.1, 1.2])
        places = sorted(set(chance.integers(600, HELD, 12).tolist()))
        yield [
            (SeriesHours(row, past[row, first : first + HELD].copy(), first, float(growth[row])), places)
            for row in chance.permutation(4)[: chance.integers(1, 5)].tolist()
        ]


@pytest.mark.parametrize("seed", [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.fuzz) for seed in range(3, 30))])
def test_bands_from_memory_are_those_that_would_be_made_again(seed: int) -> None:
    kept = HourBands()
    for asked in looks(seed):
        assert_same(kept.of(asked), again(asked))


def test_a_band_is_made_once_while_its_hours_are_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counted(windows: Floats) -> HourBand:
        made.append(len(windows))
        return hour_band(windows)

    monkeypatch.setattr("service.domain.detectors.hourly.bands.hour_band", counted)
    hours, kept = np.random.default_rng(1).lognormal(3, 0.3, HELD + 2), HourBands()
    kept.of([(SeriesHours("a", hours[:HELD], 0), [760, 765])])
    kept.of([(SeriesHours("a", hours[1 : HELD + 1].copy(), 1), [759, 764, 767])])
    assert made == [2, 1]


def test_the_series_that_was_asked_for_longest_ago_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.domain.detectors.hourly.bands.MOST_SERIES", 2)
    hours, kept = np.random.default_rng(1).lognormal(3, 0.3, (3, HELD)), HourBands()
    series = [(SeriesHours(name, hours[row], 0), [700]) for row, name in enumerate("abc")]
    for one in series:
        kept.of([one])
    assert len(kept) == 2
    assert_same(kept.of(series), again(series))
