"""A cheap look at one day of many series: whether it may differ from what is usual. It never misses one that does."""

from __future__ import annotations

from enum import Enum

import numpy as np

from service.domain.detectors.arrays import Flags, Floats, row_quantile
from service.domain.detectors.panel import first_spend

SLACK = 1e-9
"""Means whose parts are added up in another order differ by less than this share."""


class Centre(Enum):
    MEAN = "mean"
    MEDIAN = "median"


def may_rise(amounts: Floats, place: int, usual: Floats) -> Flags:
    """Whether a day lies above what is usual, or so close that an exact mean has to tell: [series, days], [series]."""
    actual = amounts[:, place]
    return np.asarray((actual > 0) & (actual >= usual * (1 - SLACK)), dtype=np.bool_)


def may_fall(amounts: Floats, place: int, usual: Floats) -> Flags:
    """The same below."""
    actual = amounts[:, place]
    return np.asarray((actual >= 0) & (actual <= usual * (1 + SLACK)), dtype=np.bool_)


def usual_amount(amounts: Floats, place: int, first: int, centre: Centre) -> Floats:
    """Mean or median of the days from `first` to before `place`: [series, days] -> [series]; NaN where none is known.

    Days before a series' first spend, credits and unknown days are left out.
    """
    days = np.arange(amounts.shape[1])[max(0, first) : max(0, place)]
    past = amounts[:, days]
    counts = (days[None, :] >= first_spend(amounts)[:, None]) & (past >= 0)
    known = np.where(counts, past, np.nan)
    if not days.size:
        return np.full(amounts.shape[0], np.nan)
    if centre is Centre.MEDIAN:
        return row_quantile(known, 0.5)
    number = counts.sum(axis=1)
    total = np.where(counts, past, 0.0).sum(axis=1)
    return np.asarray(np.where(number > 0, total / np.maximum(number, 1), np.nan), dtype=np.float64)
