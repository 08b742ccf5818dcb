"""How the excess of one scope in one bucket divides among the scopes within it and across it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from service.domain.detectors.arrays import Floats
from service.domain.rules.kinds.anomaly.ground import Ground
from service.domain.rules.kinds.anomaly.sides import Side
from service.domain.values.scopes import ScopeKey

WEEKS = 4
Parts = tuple[tuple[ScopeKey, float], ...]


def parts(ground: Ground, sides: Sequence[Side], rows: Floats, week: int, whole: int, place: int) -> Parts:
    """Dollars of excess of the members of other dimensions inside the member `whole`, the largest first.

    `sides` are those of `ground.keys`, `rows` the amounts of its cells in the same buckets, `week` the buckets of a
    week. What lies wholly inside is judged as ever. What only crosses (a model in a workspace) has no history of its
    own: it is expected to cost the median of its last four same buckets.
    """
    keys = ground.keys
    inside = frozenset(ground.members[keys[whole]])
    sign = -1.0 if sides[whole].falls(place) else 1.0
    found = []
    for at in ground.sharing(whole):
        key = keys[at]
        shared = inside.intersection(ground.members[key])
        if key.dimension is keys[whole].dimension:
            continue
        read = sides[at].reading(place)
        complete = len(shared) == len(ground.members[key])
        moved = (
            read.amount - read.expected if complete else _moved([rows[cell] for cell in sorted(shared)], week, place)
        )
        if sign * moved > 0 and math.isfinite(moved):
            found.append((key, sign * moved))
    return tuple(sorted(found, key=lambda part: (-part[1], str(part[0]))))


def spent_inside(ground: Ground, rows: Floats, found: Parts, whole: int, place: int) -> Parts:
    """The dollars that each part spent inside the member `whole` in all."""
    inside = frozenset(ground.members[ground.keys[whole]])
    return tuple(
        (key, _total([rows[cell] for cell in sorted(inside.intersection(ground.members[key]))], place))
        for key, _ in found
    )


def _moved(rows: Sequence[Floats], week: int, place: int) -> float:
    """The spend of these cells above the median of the same bucket in the weeks before."""
    earlier = [_total(rows, place - week * ago) for ago in range(1, WEEKS + 1) if place >= week * ago]
    known = [amount for amount in earlier if amount >= 0]
    return _total(rows, place) - (median(known) if known else 0.0)


def _total(rows: Sequence[Floats], place: int) -> float:
    return math.fsum(row[place] for row in rows)
