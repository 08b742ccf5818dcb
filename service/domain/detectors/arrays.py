"""Arrays of many series at once, one series a row, and the order statistics that pass over unknown cells.

Detectors see float copies of dollar amounts; money itself never comes from them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]


def row_quantile(cells: Floats, q: float) -> Floats:
    """The linearly interpolated quantile of each row's known cells: [series, n] -> [series]; NaN for an empty row."""
    cells = np.sort(cells, axis=1)
    counts = known_in(cells)
    place = q * np.maximum(counts - 1, 0)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(counts - 1, 0))
    low, high = _cell(cells, below), _cell(cells, above)
    return np.asarray(low + (high - low) * (place - below), dtype=np.float64)


def known_in(cells: Floats) -> Whole:
    return np.asarray(np.count_nonzero(~np.isnan(cells), axis=1), dtype=np.int64)


def median_of(cells: Floats, axis: int) -> Floats:
    """The median along one axis of cells that are all known; faster than numpy's, which looks for NaN first."""
    ordered = np.sort(cells, axis=axis)  # faster than a partition, where the processor sorts vectors
    n = ordered.shape[axis]
    middle = np.take(ordered, [(n - 1) // 2, n // 2], axis=axis)
    return np.asarray(middle.mean(axis=axis), dtype=np.float64)


def _cell(cells: Floats, place: Whole) -> Floats:
    return np.asarray(np.take_along_axis(cells, place[:, None], axis=1)[:, 0], dtype=np.float64)
