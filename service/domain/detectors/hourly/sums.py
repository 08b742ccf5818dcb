"""Hours of many series, each the sum of cells, added up where they are looked at: of most only a few are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from service.domain.detectors.arrays import Floats, Whole
from service.domain.detectors.buckets import Grouping, grouping, summed


@dataclass(frozen=True, slots=True, eq=False)
class SummedHours:
    """`cells`: dollars, [cells, hours], NaN where unknown. `groups`: the cells of each series."""

    cells: Floats
    groups: Grouping

    @classmethod
    def of_series(cls, amounts: Floats) -> SummedHours:
        """Series that are cells themselves: [series, hours]."""
        return cls(amounts, grouping([[row] for row in range(amounts.shape[0])]))

    @property
    def series(self) -> int:
        return int(self.groups.starts.size)

    @property
    def hours(self) -> int:
        return int(self.cells.shape[1])

    def of(self, rows: Whole) -> Floats:
        """All hours of some series: [rows, hours], a row's side by side."""
        return np.ascontiguousarray(summed(self.cells, self.groups.of(rows)))

    def at(self, places: Whole) -> Floats:
        """Some hours of all series: [series, places]."""
        return summed(self.cells[:, places], self.groups)
