"""A scope that exceeds, observed once for all sensitivities at which the same buckets do: only the words differ.

What a sensitivity changes is from how many dollars on a bucket exceeds and, after a clock change, by which clock an
hour is judged. All else that is said of a scope is made of which of its buckets exceed, of amounts, and of what was
expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.rules.kinds.anomaly.sides import DaySide, HourSide
from service.domain.rules.rule import Observation


@dataclass(frozen=True, slots=True)
class Observed:
    """An exceeding scope, and the sides that were asked about it: it exceeds in this place of the one numbered."""

    observation: Observation
    sides: Sequence[DaySide | HourSide]
    side: int
    place: int


def is_alike(sides: Sequence[DaySide | HourSide], found: Observed, sharing: Sequence[int]) -> bool:
    """Whether the scope is as it was observed. `sharing`: the rows of those that its excess divides among."""
    return _exceed_alike(sides, found.sides) and _by_same_clocks(sides[found.side], found, sharing)


def _exceed_alike(sides: Sequence[DaySide | HourSide], others: Sequence[DaySide | HourSide]) -> bool:
    """Whether the same buckets exceed, of those of `others` that were asked about, and by the same clocks.

    A bucket that is large enough for the gates of size is so at any sensitivity.
    """
    return all(
        (side.objects(place) and side.clock(place) == other.clock(place)) if exceeds else not side.exceeds(place)
        for side, other in zip(sides, others, strict=True)
        for place, exceeds in other.asked.items()
    )


def _by_same_clocks(side: DaySide | HourSide, found: Observed, rows: Sequence[int]) -> bool:
    """Whether the hour that exceeds is judged by the same clocks in all these scopes."""
    first = found.sides[found.side]
    if not (isinstance(side, HourSide) and isinstance(first, HourSide) and side.judge.moves):
        return True
    side.judge.look_at(rows, [found.place])
    return all(side.judge.clock_number(row, found.place) == first.judge.clock_number(row, found.place) for row in rows)
