"""A scope that exceeds, observed once for all sensitivities at which the same buckets do: only the words differ.

What a sensitivity changes is from how many dollars on a bucket exceeds. All else that is said of a scope is made of
which of its buckets do, of amounts, and of what was expected.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from service.domain.rules.kinds.anomaly.sides import Side
from service.domain.rules.rule import Observation


@dataclass(frozen=True, slots=True)
class Observed:
    """An exceeding scope, and the sides that were asked about it: it exceeds in this place of the one numbered."""

    observation: Observation
    sides: Sequence[Side]
    side: int
    place: int


def exceed_alike(sides: Iterable[Side], others: Iterable[Side]) -> bool:
    """Whether the same buckets exceed, of those of `others` that were asked about.

    A bucket that is large enough for the gates of size is so at any sensitivity.
    """
    return all(
        side.objects(place) if exceeds else not side.exceeds(place)
        for side, other in zip(sides, others, strict=True)
        for place, exceeds in other.asked.items()
    )
