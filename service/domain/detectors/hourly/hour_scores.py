"""Scores of hours, kept so that an hour is not judged again a minute later, or for the next step of a backtest."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from service.domain.detectors.arrays import Floats
from service.domain.detectors.buckets import ScoredBucket, reading
from service.domain.detectors.hourly.bands import HourBands
from service.domain.detectors.hourly.clock_memory import HourClocks
from service.domain.detectors.hourly.detector import judge_by
from service.domain.detectors.hourly.series_memory import SeriesHours, differing, serving
from service.domain.detectors.scores import Maturity, Terms

MOST_SERIES = 1_000
"""Series whose scores are kept, each at one threshold: 20 kilobytes each."""
NOTHING_BEYOND: Mapping[int, float] = {}
NO_HOURS: Floats = np.empty(0)


@dataclass(frozen=True, slots=True, eq=False)
class JudgedSeries:
    """The hours of a series as they are judged: `spent` dollars, never written to, by what `usual` says of them.

    `floor`: dollars of excess under which no hour rises. `beyond`: dollars that are expected beyond the usual, by the
    number of the hour.
    """

    usual: SeriesHours
    spent: Floats
    threshold: float
    floor: float
    beyond: Mapping[int, float] = field(default_factory=lambda: NOTHING_BEYOND)

    def expected_beyond(self, hour: int) -> tuple[float, float]:
        """The dollars of an hour and of the one before."""
        return self.beyond.get(hour, 0.0), self.beyond.get(hour - 1, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class _SeriesScores:
    """The scores of a series, by the number of the hour."""

    of: JudgedSeries
    found: dict[int, ScoredBucket] = field(default_factory=dict)

    def missing(self, places: Sequence[int]) -> list[int]:
        """The places that are not scored yet; where the newest hour is one of them, those that are foreseen, too."""
        first, to_come = self.of.usual.first, self.of.usual.to_come
        asked = [place for place in places if first + place not in self.found]
        newest = to_come.start - 1
        return [*asked, *(place for place in to_come if first + place not in self.found)] if newest in asked else asked


class HourScores:
    """A memory of arithmetic, not of facts: a score serves while all that it was made of is as it was.

    `bands`: those of the hours of the same series; `clocks`: which they may be judged by.
    """

    def __init__(self) -> None:
        self.bands = HourBands()
        self.clocks = HourClocks()
        self._kept: dict[Hashable, _SeriesScores] = {}

    def __len__(self) -> int:
        return sum(len(kept.found) for kept in self._kept.values())

    def of(self, asked: Sequence[tuple[JudgedSeries, Sequence[int]]]) -> list[Mapping[int, ScoredBucket]]:
        """The buckets of each series by the number of the hour: of those at the given places, and of others.

        A bucket's `expected` is 0 where its method does not judge, and it `falls` as if it were final.
        """
        kept = [self._standing(one) for one, _ in asked]
        missing = [(one, one.missing(places)) for one, (_, places) in zip(kept, asked, strict=True)]
        self._score([(one, places) for one, places in missing if places])
        for name in list(islice(self._kept, max(0, len(self._kept) - MOST_SERIES))):
            del self._kept[name]
        return [one.found for one in kept]

    def _standing(self, one: JudgedSeries) -> _SeriesScores:
        """The scores of a series that still serve. The series asked for last stands last."""
        name = one.usual.name, one.threshold
        kept = self._kept.pop(name, None)
        if kept is None or kept.of is not one:
            kept = _SeriesScores(one, {} if kept is None else _still_good(kept, one))
        self._kept[name] = kept
        return kept

    def _score(self, missing: Sequence[tuple[_SeriesScores, Sequence[int]]]) -> None:
        buckets = [(kept.of, place) for kept, places in missing for place in places]
        if not buckets:
            return
        bands = self.bands.of([(kept.of.usual, places) for kept, places in missing])
        planned, before = np.array([one.expected_beyond(one.usual.first + place) for one, place in buckets]).T
        growth = np.array([one.usual.growth for one, _ in buckets])
        terms = Terms(np.array([one.threshold for one, _ in buckets]), np.array([one.floor for one, _ in buckets]))
        amounts = np.array([one.spent[place] for one, place in buckets])
        scores = judge_by(bands.explained(before, growth), amounts, terms, Maturity.FINAL, planned)
        found = iter(range(len(buckets)))
        for kept, places in missing:
            kept.found.update((kept.of.usual.first + place, reading(scores, next(found), NO_HOURS)) for place in places)


def _still_good(kept: _SeriesScores, now: JudgedSeries) -> dict[int, ScoredBucket]:
    """The kept scores of hours that are judged by the same, and were what they are."""
    before = kept.of
    if before.floor != now.floor:
        return {}
    serves = serving(before.usual, now.usual)
    changed = frozenset(differing(before.spent, before.usual.first, now.spent, now.usual.first))
    moved, end = before.beyond or now.beyond, now.usual.first + now.spent.size

    def is_same(hour: int) -> bool:
        same_beyond = not moved or before.expected_beyond(hour) == now.expected_beyond(hour)
        return hour < end and hour not in changed and same_beyond and serves(hour)

    return {hour: bucket for hour, bucket in kept.found.items() if is_same(hour)}
