"""One bucket of one series as the detectors read it, in plain numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from service.domain.detectors.arrays import Floats, Whole
from service.domain.detectors.panel import UNBELIEVABLE
from service.domain.detectors.scores import Method, Scores


@dataclass(frozen=True, slots=True)
class ScoredBucket:
    """Dollars as in `Scores`. `amount` is NaN where it is unknown, a credit or past belief.

    `known`: the bucket has been reported, also as a credit. `expected` of a series that cannot be judged is the mean of
    the last four weeks, in which a new series spent nothing before it began; its `low`, `high` and `fires_from` are NaN
    and `method` says why.
    """

    amount: float
    known: bool
    expected: float
    low: float
    high: float
    fires_from: float
    score: float
    method: Method
    override: bool
    rises: bool
    falls: bool


@dataclass(frozen=True, slots=True)
class ScoredColumn:
    """The scores of one bucket of every series, as lists: a look at one number of an array costs more than its sum."""

    amounts: Sequence[float]
    expected: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    fires_from: Sequence[float]
    scores: Sequence[float]
    methods: Sequence[int]
    overrides: Sequence[bool]
    rises: Sequence[bool]
    falls: Sequence[bool]

    def reading(self, row: int, past: Floats) -> ScoredBucket:
        """`past`: the series' amounts of the four weeks before, [buckets], read only where nothing else is expected."""
        amount, method = self.amounts[row], Method(self.methods[row])
        defect = method in DEFECTS
        return ScoredBucket(
            amount=math.nan if defect else amount,
            known=not defect or method is Method.CREDIT,
            expected=self.expected[row] if method.judges else mean_of_known(past),
            low=self.low[row],
            high=self.high[row],
            fires_from=self.fires_from[row],
            score=self.scores[row],
            method=method,
            override=self.overrides[row],
            rises=self.rises[row],
            falls=self.falls[row],
        )


DEFECTS = (Method.UNKNOWN_AMOUNT, Method.NOT_AN_AMOUNT, Method.CREDIT)


def column(scores: Scores, rows: Whole) -> ScoredColumn:
    """The given rows of the scores, in their order."""
    names = ("amounts", "expected", "low", "high", "fires_from", "scores", "methods", "overrides", "rises", "falls")
    return ScoredColumn(*(getattr(scores, name)[rows].tolist() for name in names))


def mean_of_known(cells: Floats) -> float:
    """0 where nothing is known; credits and amounts past belief are left out: [buckets]."""
    believed = cells[(cells >= 0) & (cells <= UNBELIEVABLE)]
    return float(believed.mean()) if believed.size else 0.0


def summed(rows: Sequence[Sequence[float]], members: Sequence[Sequence[int]]) -> Floats:
    """The sum of each member's rows, one at least, always added in the same order: [members, buckets]."""
    cells = np.array(rows, dtype=np.float64).reshape(len(rows), -1)
    ordered = cells[[row for chosen in members for row in chosen]]
    starts = np.cumsum([0, *(len(chosen) for chosen in members)])[:-1]
    return np.asarray(np.add.reduceat(ordered, starts, axis=0), dtype=np.float64)
