"""Which clocks hours may be judged by, kept so that it need not be found again a minute later, or for the next step."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from service.domain.detectors.hourly.bands import SeriesHours, serving
from service.domain.detectors.hourly.clocks import ClockMove, standing

MOST_SERIES = 1_000
"""Series of which it is kept: 6 kilobytes each."""
Stands = Sequence[bool]
"""Whether an hour may be judged by UTC, and by the clock of each move."""


@dataclass(frozen=True, slots=True, eq=False)
class _SeriesClocks:
    """The clocks that were found of these hours, by the number of the hour."""

    of: SeriesHours
    found: dict[int, Stands] = field(default_factory=dict)


class HourClocks:
    """A memory of arithmetic, not of facts: an answer serves while the clock changes and the 672 hours before its own
    are as they were."""

    def __init__(self) -> None:
        self._moves: Sequence[tuple[str, int, int]] = ()
        self._kept: dict[Hashable, _SeriesClocks] = {}

    def of(
        self, asked: Sequence[SeriesHours], moves: Sequence[ClockMove], places: Sequence[int]
    ) -> list[Mapping[int, Stands]]:
        """Tells by which clocks each hour of some series may be judged, by the number of the hour.

        All series begin at the same hour, and hold no hours but those that are over.
        """
        self._follow([(move.zone, asked[0].first + move.place, move.forward) for move in moves])
        kept = [self._standing(one) for one in asked]
        new = [one for one in kept if any(one.of.first + place not in one.found for place in places)]
        if new:
            stands = standing(np.stack([one.of.over for one in new]), moves, places).tolist()
            for one, of_one in zip(new, stands, strict=True):
                one.found.update(zip((one.of.first + place for place in places), of_one, strict=True))
        for name in list(islice(self._kept, max(0, len(self._kept) - MOST_SERIES))):
            del self._kept[name]
        return [one.found for one in kept]

    def _follow(self, moves: Sequence[tuple[str, int, int]]) -> None:
        if moves != self._moves:
            self._moves, self._kept = moves, {}

    def _standing(self, one: SeriesHours) -> _SeriesClocks:
        """Returns what still serves of a series. The series asked for last stands last."""
        kept = self._kept.pop(one.name, None)
        if kept is None or kept.of is not one:
            kept = _SeriesClocks(one, {} if kept is None else _still_good(kept, one))
        self._kept[one.name] = kept
        return kept


def _still_good(kept: _SeriesClocks, now: SeriesHours) -> dict[int, Stands]:
    serves = serving(kept.of, now)
    return {hour: stands for hour, stands in kept.found.items() if serves(hour)}
