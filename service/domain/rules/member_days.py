"""The daily dollars of a dimension's members: all of them as columns, and one as a row where it is looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from service.domain.detectors.arrays import Floats
from service.domain.detectors.buckets import grouping, summed_in_turn
from service.domain.rules.history import Row
from service.domain.rules.view import SpendView
from service.domain.values.scopes import SPENDER_DIMENSIONS, Dimension, Scope, ScopeKey


@dataclass(frozen=True, eq=False)
class MemberDays(Mapping[ScopeKey, Row]):
    """`rows`: where each member stands in `amounts`, dollars by member and day, NaN on unknown days."""

    rows: Mapping[ScopeKey, int]
    amounts: Floats

    def __getitem__(self, key: ScopeKey) -> Row:
        days: list[float] = self.amounts[self.rows[key]].tolist()
        return days

    def __iter__(self) -> Iterator[ScopeKey]:
        return iter(self.rows)

    def __contains__(self, key: object) -> bool:
        return key in self.rows

    def __len__(self) -> int:
        return len(self.rows)


def member_days(view: SpendView, dimension: Dimension, scope: Scope) -> MemberDays:
    """Added up once for all who ask about the same view."""
    return view.memo.once(("members", dimension, scope), view, lambda: _member_days(view, dimension, scope))


def _member_days(view: SpendView, dimension: Dimension, scope: Scope) -> MemberDays:
    cells = tuple(cell for cell in view.cells if scope.holds(cell))
    places: dict[str, list[int]] = defaultdict(list)
    for place, cell in enumerate(cells):
        places[cell.along(dimension)].append(place)
    if dimension in SPENDER_DIMENSIONS:
        places.pop("", None)  # nobody's: all that no bill has named yet
    amounts = summed_in_turn(view.spend_of(cells), grouping(list(places.values())))
    return MemberDays({ScopeKey(dimension, id): row for row, id in enumerate(places)}, amounts)
