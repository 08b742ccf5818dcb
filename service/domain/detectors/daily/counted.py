"""The days that say what is usual: an incident that is over, and a day or two of rest, count as what was expected."""

from __future__ import annotations

import numpy as np

from service.domain.detectors.arrays import Flags, Floats, Whole, true_in
from service.domain.detectors.daily.history import WEEK, History
from service.domain.detectors.scores import Method

DIP_SHARE = 0.7
"""So much of what was expected, at most, is what a day off costs."""


def is_low(chosen: Whole, amounts: Floats, expected: Floats) -> Flags:
    """Whether a day was far below the usual: of steady series, of others it is nothing unusual. [series]."""
    return np.asarray((chosen == Method.STEADY.value) & (amounts <= DIP_SHARE * expected))


def counted(history: History) -> Floats:
    """The days that baselines read: the kept ones, isolated incidents and quiet days at what was expected of them.

    [series, 56].
    """
    rose, low = history.tapes.rose.cells, history.tapes.low.cells
    rows = np.flatnonzero(true_in(rose) + true_in(low))
    if not rows.size:
        return history.kept
    apart = are_isolated(rose[rows]) | are_quiet(low[rows])
    days = history.kept.copy(order="K")
    days[rows] = np.where(apart & np.isfinite(history.expected[rows]), history.expected[rows], days[rows])
    return days


def are_isolated(rose: Flags) -> Flags:
    """Which rising days are an incident of one or two days that is over: [series, days] both, the newest day last.

    Two normal days lie on either side of it. What rises on one weekday of three weeks in a row is a habit.
    """
    first = rose & ~_ago(rose, 1) & ~_ago(rose, 2)
    last = rose & ~_ago(rose, -1) & ~_ago(rose, -2)
    last[:, -2:] = False
    pair = first[:, :-1] & last[:, 1:]
    isolated = first & last
    isolated[:, :-1] |= pair
    isolated[:, 1:] |= pair
    return np.asarray(isolated & ~_are_a_habit(rose))


def are_quiet(low: Flags) -> Flags:
    """Which low days are one or two in a row, whether they go on or not: [series, days] both, the newest day last.

    A third such day in a row is a new level, of which the first two are a part; and what is low on one weekday of three
    weeks in a row is a habit.
    """
    before, after = _ago(low, 1), _ago(low, -1)
    third = (before & _ago(low, 2)) | (after & _ago(low, -2)) | (before & after)
    return np.asarray(low & ~third & ~_are_a_habit(low))


def _are_a_habit(days: Flags) -> Flags:
    before, after = _ago(days, WEEK), _ago(days, -WEEK)
    return np.asarray((before & _ago(days, 2 * WEEK)) | (before & after) | (after & _ago(days, -2 * WEEK)))


def _ago(days: Flags, back: int) -> Flags:
    """Moves what is said of each day to the one so many days later; False where nothing is held."""
    moved = np.zeros_like(days)
    if back > 0:
        moved[:, back:] = days[:, :-back]
    else:
        moved[:, :back] = days[:, -back:]
    return moved
