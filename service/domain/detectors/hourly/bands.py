"""The bands of hours, kept so that they need not be made again a minute later, or for the next step of a backtest."""

from __future__ import annotations

from hashlib import blake2b
from itertools import islice

import numpy as np

from service.domain.detectors.arrays import Floats
from service.domain.detectors.hourly.detector import HourBand, hour_band

MOST_BANDS = 50_000
AT_ONCE = 512
"""Bands that are made together: more would not be faster, and take memory."""

_Band = tuple[int, float, float, float, float, float]


class HourBands:
    """A memory of arithmetic, not of facts: a band is known by the very window that it was made of."""

    def __init__(self) -> None:
        self._made: dict[bytes, _Band] = {}

    def __len__(self) -> int:
        return len(self._made)

    def of(self, windows: Floats) -> HourBand:
        """The band after each window: [windows, 672], a window's hours side by side."""
        digests = [blake2b(window, digest_size=16).digest() for window in windows]
        missing = [at for at, digest in enumerate(digests) if digest not in self._made]
        found = {digest: self._made.pop(digest) for digest in dict.fromkeys(digests) if digest in self._made}
        for start in range(0, len(missing), AT_ONCE):
            chosen = missing[start : start + AT_ONCE]
            found |= zip((digests[at] for at in chosen), _bands(windows[chosen]), strict=True)
        self._keep(found)
        methods, *dollars = zip(*(found[digest] for digest in digests), strict=True)
        return HourBand(np.array(methods, dtype=np.int64), *(np.array(each) for each in dollars))

    def _keep(self, found: dict[bytes, _Band]) -> None:
        """Those asked for last stand last: the others are forgotten first."""
        self._made |= found
        for digest in list(islice(self._made, max(0, len(self._made) - MOST_BANDS))):
            del self._made[digest]


def _bands(windows: Floats) -> list[_Band]:
    band = hour_band(windows)
    columns = (getattr(band, name).tolist() for name in HourBand.__slots__)
    return list(zip(*columns, strict=True))
