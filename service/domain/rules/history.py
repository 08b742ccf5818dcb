"""The past of one row of daily figures, as far as it can be compared with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median

Row = Sequence[float]
"""One figure a day, oldest first; NaN where it is not known."""

UNKNOWN = math.nan


def begins(row: Row) -> int:
    """The place of the first spend; the row's length where there is none."""
    return next((place for place, value in enumerate(row) if value > 0), len(row))


def before(row: Row, place: int, days: int) -> list[float]:
    """The known figures of the `days` days before `place`, from the row's first spend on.

    What did not exist yet did not spend $0. A negative day is a credit: it says nothing of what was used.
    """
    first = max(0, place - days, begins(row))
    return [value for value in row[first:place] if value >= 0]


def on(row: Row, place: int) -> float:
    """The figure of one day to compare with, UNKNOWN under the same conditions as in `before`."""
    kept = before(row, place + 1, 1) if place >= 0 else []
    return kept[0] if kept else UNKNOWN


def mean_of(values: Sequence[float]) -> float:
    return fmean(values) if values else UNKNOWN


def median_of(values: Sequence[float]) -> float:
    return float(median(values)) if values else UNKNOWN


def active_days(row: Row, place: int) -> int:
    """How many days before `place` had spend."""
    return sum(1 for value in row[:place] if value > 0)


def known(row: Row, place: int) -> float:
    """The figure to be judged; UNKNOWN for a credit, too."""
    return row[place] if row[place] >= 0 else UNKNOWN


def total(row: Row) -> float:
    """The sum of the known figures, credits left out."""
    return math.fsum(value for value in row if value > 0)
