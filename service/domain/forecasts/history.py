"""The history that a forecast learns from: float copies of one scope's known daily spend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from service.domain.detectors.arrays import Floats
from service.domain.forecasts.pace import HISTORY_DAYS


@dataclass(frozen=True, slots=True)
class DailySpend:
    """One scope's spend by local day, oldest first, without gaps; the last day is today.

    `amounts` are US dollars, negative where a restatement credited more than was spent. `known` says how much of each
    day's spend its amount holds, 0..1: 1 of a complete day, 0 of one nothing is known of, and of today the elapsed
    share of a usual day that is spent by then. Raises ValueError when the two do not fit each other.
    """

    amounts: tuple[float, ...]
    known: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.amounts or len(self.amounts) != len(self.known):
            raise ValueError(f"{len(self.amounts)} amounts and {len(self.known)} known shares: each day needs both")
        if not all(map(isfinite, (*self.amounts, *self.known))) or min(self.known) < 0 or max(self.known) > 1:
            raise ValueError("amounts must be finite and known shares from 0 to 1")

    @classmethod
    def complete(cls, past: Sequence[float], today: float = 0.0, today_known: float = 0.0) -> DailySpend:
        """Every day before today is complete."""
        return cls((*past, today), (*(1.0 for _ in past), today_known))

    def incomplete_days(self) -> list[tuple[int, float]]:
        """The days before today that are not known in full: how many days back, and the share that is missing."""
        return [(back, 1 - share) for back, share in enumerate(reversed(self.known)) if back and share < 1]

    def row(self) -> Floats:
        """The complete days before today, [HISTORY_DAYS], oldest first; NaN before the first spend and where not known.

        A day known in part would look like a cheap one, so it counts as unknown. Credits count as nothing spent.
        """
        row = np.full(HISTORY_DAYS, np.nan)
        past = np.maximum(self.amounts[:-1][-HISTORY_DAYS:], 0.0)
        past[np.array(self.known[:-1][-HISTORY_DAYS:]) < 1] = np.nan
        spent = np.flatnonzero(past > 0)
        first = int(spent[0]) if len(spent) else len(past)
        row[HISTORY_DAYS - len(past) + first :] = past[first:]
        return row
