"""Which clocks hours may be judged by, kept so that it need not be found again a minute later, or for the next step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from service.domain.detectors.hourly.clocks import ClockMove, standing
from service.domain.detectors.hourly.series_memory import Kept, SeriesHours, SeriesMemory

MOST_SERIES = 1_000
"""Series of which it is kept: 6 kilobytes each."""
Stands = Sequence[bool]
"""Whether an hour may be judged by UTC, and by the clock of each move."""


class HourClocks:
    """The clocks of the hours of many series, while the clock changes are as they were."""

    def __init__(self) -> None:
        self._moves: Sequence[tuple[str, int, int]] = ()
        self._kept = SeriesMemory[Stands](MOST_SERIES)

    def of(self, asked: Sequence[SeriesHours], moves: Sequence[ClockMove], places: Sequence[int]) -> list[Kept[Stands]]:
        """Tells by which clocks the hours of each series at these places may be judged. All begin at the same hour."""
        self._follow([(move.zone, asked[0].first + move.place, move.forward) for move in moves])
        kept = [self._kept.of(one) for one in asked]
        new = [one for one in kept if any(map(one.missing, places))]
        if new:
            stands = standing(np.stack([one.of.over for one in new]), moves, places).tolist()
            for one, of_one in zip(new, stands, strict=True):
                for place, by in zip(places, of_one, strict=True):
                    one.keep(place, by)
        return kept

    def _follow(self, moves: Sequence[tuple[str, int, int]]) -> None:
        if moves != self._moves:
            self._moves = moves
            self._kept.forget()
