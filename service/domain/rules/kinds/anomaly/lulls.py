"""How far a scope is on its way back to normal: normal buckets, and those of them that say that an incident is over.

In a night nobody can know whether an office is back to normal, nor in two small days of a week. And what stays well
above the usual is not over, though the line has moved up to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from service.domain.rules.kinds.anomaly.sides import Side
from service.domain.values.utc import DAY

MOST_AHEAD = 24 * 7
"""Buckets to come that are looked at for the end of an incident."""


@dataclass(frozen=True, slots=True)
class Lull:
    """The buckets since the newest exceeding one: `normal` ones, and those of them that have `settled` it.

    Both are counted up to as many as are needed; `over`: they are there. `fresh`: those that settled since the newest
    bucket that exceeds or was passed over. `high`: some since the newest exceeding one are still well above the usual,
    or there is none since. `holds`: for so many buckets to come `over` stays as it is, if none of them exceeds.
    `after`: where normal ones began; None: long ago. `until`: where there will be enough, if all that come are normal.
    """

    normal: int
    settled: int
    over: bool
    fresh: int
    high: bool
    holds: int
    after: datetime | None = None
    until: datetime | None = None


def lull(side: Side, passed_over: Callable[[int], bool] = lambda place: False) -> Lull:
    """How long a side has been normal. Unknown buckets do not count; `passed_over`: exceeding ones that are normal."""
    count = _Count(side)
    for place in range(side.recent[0], side.earliest - 1, -1):
        exceeds = side.exceeds(place)
        if exceeds and not passed_over(place):
            return count.lull(place)
        if side.counts(place):
            count.add(place, exceeds)
        else:
            count.waiting += 1
        if count.over:
            break
    return count.lull()


def is_up(side: Side) -> bool:
    """Whether most of the newest hours are well above the usual; the newest day, where there are none."""
    newest = [place for place in side.recent if side.weighs(place) and (side.counts(place) or side.is_high(place))]
    asked = newest[:1] if side.width == DAY else newest
    return 2 * sum(map(side.is_high, asked)) > len(asked)


class _Count:
    """The buckets of a lull, from the newest back."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._newest: int | None = None
        self._passed = False
        self.waiting = 0
        self.normal = self.settled = self.high = self.fresh = 0

    def add(self, place: int, passed_over: bool) -> None:
        self._newest = place if self._newest is None else self._newest
        self._passed |= passed_over
        self.normal += 1
        if passed_over:
            self.settled += 1
        elif self._side.weighs(place):
            is_high = self._side.is_high(place)
            self.high += is_high
            self.settled += not is_high
            self.fresh += not (is_high or self.high or self._passed)

    @property
    def over(self) -> bool:
        return self.settled >= self._side.needed and self.high <= self._side.tolerance * self.settled

    def lull(self, exceeding: int | None = None) -> Lull:
        side, needed = self._side, self._side.needed
        normal, settled = min(self.normal, needed), min(self.settled, needed)
        if exceeding is None:
            return Lull(normal, settled, self.over, self.fresh, self.high > 0, self._holds())
        after = side.start(exceeding) + side.width
        is_high = self.high > 0 or self.normal == 0
        holds = min(self._holds(), exceeding - side.earliest)
        return Lull(normal, settled, self.over, self.fresh, is_high, holds, after, self._until(exceeding))

    def _holds(self) -> int:
        """Buckets to come that cannot be enough to change `over`: one that comes may settle, and one be high.

        Those that are there already, and do not count yet, may come to count with them.
        """
        side = self._side
        spare = side.tolerance * self.settled - self.high if self.over else side.needed - self.settled - 1
        return max(0, int(spare) - self.waiting)

    def _until(self, exceeding: int) -> datetime | None:
        place, left = (exceeding if self._newest is None else self._newest) + 1, self._side.needed - self.settled
        last = place + MOST_AHEAD
        while left > 0 and place < last:
            left -= self._side.weighs(place)
            place += 1
        return self._side.start(place) + self._side.told_after if left <= 0 else None
