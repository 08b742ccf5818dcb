"""Arrays of many series at once, one series a row, and the order statistics that pass over unknown cells.

Detectors see float copies of dollar amounts; money itself never comes from them.
"""

from __future__ import annotations

from collections.abc import Iterable

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


def week_sum(cells: Floats) -> Floats:
    """The sum of each row: [series, days] -> [series].

    Always in the same order, however many series there are and however they lie in memory: numpy itself adds a row in
    another order than a column, and one series would be judged otherwise alone than among others.
    """
    total = np.zeros(cells.shape[0])
    whole = cells.shape[1] // 7 * 7
    for start in range(0, whole, 28):
        weeks = cells[:, start : min(start + 28, whole)]
        total = total + weeks.reshape(weeks.shape[0], -1, 7).sum(axis=1).sum(axis=1)
    for place in range(whole, cells.shape[1]):
        total = total + cells[:, place]
    return total


def true_in(flags: Flags) -> Whole:
    """How many of each row's flags are true, of 255 at most: [series, days] -> [series].

    Bytes are added as they are, which takes a tenth of the time that numpy takes to count them along this axis.
    """
    return np.asarray(flags.view(np.uint8).sum(axis=1, dtype=np.uint8), dtype=np.int64)


def known_or_zero(cells: Floats) -> Floats:
    """The cells with 0 in place of the unknown ones. numpy's nan_to_num takes several times as long."""
    return np.where(np.isnan(cells), 0.0, cells)


def by_method(methods: Whole, dollars: Iterable[tuple[int, Floats]], otherwise: float) -> Floats:
    """For each series the dollars of its method: [series] each. numpy's select takes several times as long."""
    result = np.full(methods.shape, otherwise)
    for method, cells in dollars:
        result = np.where(methods == int(method), cells, result)  # numpy is slow with an enum's members
    return result


def _cell(cells: Floats, place: Whole) -> Floats:
    return cells[np.arange(place.size), place]
