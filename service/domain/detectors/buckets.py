"""One bucket of one series as the detectors read it, in plain numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from service.domain.detectors.arrays import Flags, Floats, Whole
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


def stirs(scores: Scores) -> Flags:
    """Which series alert, in either direction."""
    return scores.rises | scores.falls


def reading(scores: Scores, row: int, past: Floats) -> ScoredBucket:
    """One series' bucket. `past`: its amounts of the four weeks before, read only where nothing else is expected."""
    amount, method = float(scores.amounts[row]), Method(int(scores.methods[row]))
    defect = method in DEFECTS
    return ScoredBucket(
        amount=math.nan if defect else amount,
        known=not defect or method is Method.CREDIT,
        expected=float(scores.expected[row]) if method.judges else mean_of_known(past),
        low=float(scores.low[row]),
        high=float(scores.high[row]),
        fires_from=float(scores.fires_from[row]),
        score=float(scores.scores[row]),
        method=method,
        override=bool(scores.overrides[row]),
        rises=bool(scores.rises[row]),
        falls=bool(scores.falls[row]),
    )


DEFECTS = (Method.UNKNOWN_AMOUNT, Method.NOT_AN_AMOUNT, Method.CREDIT)


def column(scores: Scores, rows: Whole) -> Scores:
    """The given rows of the scores, in their order."""
    return Scores(*(getattr(scores, name)[rows] for name in Scores.__slots__))


def mean_of_known(cells: Floats) -> float:
    """0 where nothing is known; credits and amounts past belief are left out: [buckets]."""
    believed = cells[(cells >= 0) & (cells <= UNBELIEVABLE)]
    return float(believed.mean()) if believed.size else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """Which rows each member is the sum of, one at least: `rows` holds those of one member after the other's."""

    rows: Whole
    starts: Whole

    def of(self, members: Whole) -> Grouping:
        """Some of the members."""
        ends = np.append(self.starts[1:], self.rows.size)[members]
        counts = ends - self.starts[members]
        starts = np.cumsum(counts) - counts
        within = np.arange(int(counts.sum())) - np.repeat(starts, counts)
        return Grouping(self.rows[np.repeat(self.starts[members], counts) + within], starts)


def grouping(members: Sequence[Sequence[int]]) -> Grouping:
    rows = np.array([row for chosen in members for row in chosen], dtype=np.int64)
    return Grouping(rows, np.cumsum([0, *(len(chosen) for chosen in members)], dtype=np.int64)[:-1])


def turned(groups: Grouping) -> Grouping:
    """The members that each row is in."""
    counts = np.diff(np.append(groups.starts, groups.rows.size))
    order = np.argsort(groups.rows, kind="stable")
    rows, members = groups.rows[order], np.repeat(np.arange(counts.size), counts)[order]
    return Grouping(members, np.searchsorted(rows, np.arange(int(rows.max(initial=-1)) + 1)))


def sharing(groups: Grouping, homes: Grouping, member: int) -> list[int]:
    """The members that share a row with this one, itself among them. `homes`: the groups `turned`."""
    rows = groups.of(np.array([member])).rows
    found: list[int] = np.unique(homes.of(rows).rows).tolist()
    return found


LEAST_AT_ONCE, CELLS_AT_ONCE = 16, 64_000
"""Buckets, and cells, that are added up at once: rows are repeated for every member they are in."""


def summed(cells: Floats, groups: Grouping) -> Floats:
    """The sum of each member's rows, always added in the same order: [rows, buckets] -> [members, buckets]."""
    sums = np.zeros((groups.starts.size, cells.shape[1]), order="F")
    at_once = max(LEAST_AT_ONCE, CELLS_AT_ONCE // max(1, groups.rows.size))
    for start in range(0, cells.shape[1] if groups.starts.size else 0, at_once):
        buckets = slice(start, start + at_once)
        sums[:, buckets] = np.add.reduceat(cells.T[buckets][:, groups.rows], groups.starts, axis=1).T
    return sums


def summed_in_turn(cells: Floats, groups: Grouping) -> Floats:
    """The sum of each member's rows, one row added after the other: [rows, buckets] -> [members, buckets].

    It takes longer than `summed`, and gives the digits of a loop.
    """
    counts = np.diff(np.append(groups.starts, groups.rows.size))
    order = np.argsort(-counts, kind="stable")  # the members with an n-th row are the first ones
    starts, falling = groups.starts[order], counts[order]
    sums = np.zeros((counts.size, cells.shape[1]))
    for turn in range(int(counts.max(initial=0))):
        those = int(np.searchsorted(-falling, -turn, side="left"))
        sums[:those] += cells[groups.rows[starts[:those] + turn]]
    return sums[np.argsort(order)]
