"""Scores that are kept from one look to the next are those that judging again would give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pytest

from service.domain.detectors.arrays import Floats
from service.domain.detectors.buckets import ScoredBucket
from service.domain.detectors.hourly import hour_scores
from service.domain.detectors.hourly.detector import HourBand, judge_by
from service.domain.detectors.hourly.hour_scores import HourScores, JudgedSeries
from service.domain.detectors.hourly.series_memory import SeriesHours
from service.domain.detectors.scores import Maturity, Scores, Terms

HELD, STEPS, SERIES = 768, 40, 4
Asked = tuple[JudgedSeries, list[int]]


def looks(seed: int) -> Iterator[list[Asked]]:
    """A few series seen hour after hour. Amounts, what is usual, floors, growth and extras change at times, and what is
    foreseen comes otherwise at times."""
    chance = np.random.default_rng(seed)
    past = chance.lognormal(3, 0.3, (SERIES, HELD + 4 * STEPS))
    past[1, : int(chance.integers(0, HELD))] = 0.0
    growth, first, floor = np.ones(SERIES), 0, 1.0
    beyond: dict[int, float] = {}
    for _ in range(STEPS):
        first += int(chance.choice([0, 1, 1, 1, 2, 3]))
        if chance.random() < 0.4:
            past[chance.integers(0, SERIES), first + chance.integers(0, HELD + 9)] = chance.choice([0.0, 90.0, np.nan])
        if chance.random() < 0.1:
            growth[chance.integers(0, SERIES)] = chance.choice([1.0, 1.1, 1.2])
        if chance.random() < 0.1:
            floor = float(chance.choice([1.0, 5.0]))
        if chance.random() < 0.2:
            beyond = beyond | {first + int(chance.integers(HELD - 60, HELD)): float(chance.choice([0.0, 20.0]))}
        foreseen = int(chance.integers(0, 9))
        places = sorted({HELD - 1, *chance.integers(700, HELD, 8).tolist()})
        asked = []
        for row in chance.permutation(SERIES)[: chance.integers(1, SERIES + 1)].tolist():
            spent = past[row, first : first + HELD + foreseen].copy()
            usual = spent.copy()
            usual[100 : 100 + int(chance.choice([0, 0, 5]))] = np.nan
            hours = SeriesHours(row, usual, first, float(growth[row]), foreseen)
            asked.append((JudgedSeries(hours, spent, float(chance.choice([0.1, 1.0])), floor, dict(beyond)), places))
        yield asked


def found(memory: HourScores, asked: Sequence[Asked]) -> list[list[ScoredBucket]]:
    scores: list[Mapping[int, ScoredBucket]] = memory.of(asked)
    return [[of[one.usual.first + at] for at in places] for of, (one, places) in zip(scores, asked, strict=True)]


@pytest.mark.parametrize("seed", [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.fuzz) for seed in range(3, 30))])
def test_scores_from_memory_are_those_that_judging_again_gives(seed: int) -> None:
    memory, differ = HourScores(), set[bool]()
    for asked in looks(seed):
        again = found(HourScores(), asked)
        assert repr(found(memory, asked)) == repr(again)
        differ.update(bucket.rises for buckets in again for bucket in buckets)
    assert differ == {True, False}


def test_hours_that_come_as_they_were_foreseen_are_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[int] = []

    def counted(band: HourBand, amounts: Floats, terms: Terms, maturity: Maturity, planned: Floats) -> Scores:
        judged.append(amounts.size)
        return judge_by(band, amounts, terms, maturity, planned)

    monkeypatch.setattr(hour_scores, "judge_by", counted)
    past, memory = np.random.default_rng(1).lognormal(3, 0.3, HELD + 3), HourScores()
    for come in range(4):
        hours = past[come:].copy()
        memory.of([(JudgedSeries(SeriesHours("a", hours, come, 1.0, 3 - come), hours, 1.0, 1.0), [HELD - 2, HELD - 1])])
    assert judged == [5]


def test_what_was_foreseen_is_forgotten_once_it_no_longer_is() -> None:
    """In between it may change, and nobody would notice."""
    past, memory = np.random.default_rng(1).lognormal(3, 0.3, HELD + 3), HourScores()

    def asked(hours: Floats, first: int, foreseen: int, place: int) -> list[Asked]:
        return [(JudgedSeries(SeriesHours("a", hours, first, 1.0, foreseen), hours, 1.0, 1.0), [place])]

    memory.of(asked(past.copy(), 0, 3, HELD - 1))
    memory.of(asked(past[:HELD].copy(), 0, 0, HELD - 1))
    past[HELD], past[HELD + 2] = 90.0, 500.0
    came = asked(past[3:].copy(), 3, 0, HELD - 1)
    assert repr(found(memory, came)) == repr(found(HourScores(), came))


def test_the_series_that_was_asked_for_longest_ago_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hour_scores, "MOST_SERIES", 2)
    past, memory = np.random.default_rng(1).lognormal(3, 0.3, (3, HELD)), HourScores()
    for row in range(3):
        memory.of([(JudgedSeries(SeriesHours(row, past[row], 0), past[row], 1.0, 1.0), [700])])
    assert len(memory) == 2
