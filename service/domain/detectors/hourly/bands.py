"""The bands of hours, kept so that they need not be made again a minute later, or for the next step of a backtest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from service.domain.detectors.arrays import Floats
from service.domain.detectors.daily.growth import brought_up
from service.domain.detectors.hourly.detector import HOURS, HourBand, hour_band
from service.domain.detectors.hourly.series_memory import Kept, SeriesHours, SeriesMemory

MOST_SERIES = 2_000
"""Series whose bands are kept: 6 kilobytes each, and less for its bands."""
AT_ONCE = 512
"""Bands that are made together: more would not be faster, and take memory."""

_Band = tuple[int, float, float, float, float, float]


class HourBands:
    """The bands of the hours of many series."""

    def __init__(self) -> None:
        self._kept = SeriesMemory[_Band](MOST_SERIES)

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, asked: Sequence[tuple[SeriesHours, Sequence[int]]]) -> HourBand:
        """The bands of each series' hours at the given places, one series after the other."""
        series = [(self._kept.of(one), places) for one, places in asked]
        missing = [(kept, place) for kept, places in series for place in places if kept.missing(place)]
        for start in range(0, len(missing), AT_ONCE):
            _make(missing[start : start + AT_ONCE])
        found = [kept.at(place) for kept, places in series for place in places]
        methods, *dollars = zip(*found, strict=True)
        return HourBand(np.array(methods, dtype=np.int64), *(np.array(each) for each in dollars))


def _make(missing: Sequence[tuple[Kept[_Band], int]]) -> None:
    band = hour_band(np.concatenate([window_before(kept.of, place) for kept, place in missing]))
    columns = (getattr(band, name).tolist() for name in HourBand.__slots__)
    for (kept, place), made in zip(missing, zip(*columns, strict=True), strict=True):
        kept.keep(place, made)


def window_before(one: SeriesHours, place: int) -> Floats:
    """The 672 hours before a place, brought up by the growth: [1, 672].

    They are unknown where nothing is held, and before the series' first spend.
    """
    window, start = np.full((1, HOURS), np.nan), max(0, place - HOURS, one.begun)
    if start < place:
        window[0, HOURS - (place - start) :] = one.hours[start:place]
    return brought_up(window, np.array([one.growth]))
