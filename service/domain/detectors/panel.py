"""Many series on one calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

import numpy as np

from service.domain.detectors.arrays import Floats, Whole

UNBELIEVABLE = 1e12
"""Dollars in one bucket. Past this an amount is a defect of the data, and it would spoil the arithmetic."""


class DayKind(Enum):
    """HOLIDAY: people have the day off, and that little is spent says nothing of other days."""

    ORDINARY = "ordinary"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Dollars of every series on every UTC day: [series, days]. NaN: unknown. 0: known, and nothing was spent.

    Days before a series' first spend are unknown to the detectors: a key that did not exist did not spend $0.
    `holidays`: those of its days that people have off.
    """

    series: tuple[str, ...]
    first: date
    amounts: Floats
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if self.amounts.ndim != 2 or len(self.series) != self.amounts.shape[0]:
            raise ValueError(f"{len(self.series)} series do not fit amounts of shape {self.amounts.shape}")

    @property
    def days(self) -> int:
        return int(self.amounts.shape[1])

    def day(self, index: int) -> date:
        return self.first + timedelta(days=index)

    def kind(self, index: int) -> DayKind:
        return DayKind.HOLIDAY if self.day(index) in self.holidays else DayKind.ORDINARY

    def from_first_spend(self) -> Floats:
        """The amounts, with everything before a series' first spend made unknown: [series, days]."""
        before = np.arange(self.days)[None, :] < first_spend(self.amounts)[:, None]
        return np.where(before, np.nan, self.amounts)


def first_spend(amounts: Floats) -> Whole:
    """The index of each row's first amount above zero; the row's length when there is none."""
    if not amounts.shape[1]:
        return np.zeros(amounts.shape[0], dtype=np.int64)
    spent = amounts > 0
    return np.asarray(np.where(spent.any(axis=1), spent.argmax(axis=1), amounts.shape[1]), dtype=np.int64)
