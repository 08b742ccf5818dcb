"""Where most of some spend comes from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from service.domain.alerts.evidence import Contribution
from service.domain.spend.rows import Spend
from service.domain.values.money import ZERO, Money
from service.domain.values.names import Names, name_of
from service.domain.values.scopes import Cell, Dimension, ScopeKey

MOST = 3
"""Members of each dimension."""


def largest_contributions(cells: Mapping[Cell, Spend], scope: ScopeKey, names: Names) -> tuple[Contribution, ...]:
    """The largest members of each dimension that divides a scope's spend any further."""
    largest: list[Contribution] = []
    for dimension in (Dimension.WORKSPACE, Dimension.MODEL, Dimension.API_KEY):
        parts: dict[ScopeKey, Money] = defaultdict(lambda: ZERO)
        for cell, part in cells.items():
            parts[ScopeKey(dimension, cell.along(dimension))] += part.total
        named = [(key, amount) for key, amount in parts.items() if key.id and amount > ZERO]
        if dimension is not scope.dimension:
            named.sort(key=lambda part: (-part[1].usd, part[0].id))
            largest += [Contribution(key, name_of(key, names), amount) for key, amount in named[:MOST]]
    return tuple(largest)
