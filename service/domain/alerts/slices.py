"""The moves of one evaluation in slices, each of which is stored and announced in a transaction of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from service.domain.alerts.reconcile import Move, is_idle
from service.domain.values.scopes import Dimension

FIRST, FOLLOWING = 50, 400
"""Moves in the first slice, which should be heard of soon, and in each one after it."""


def sliced(moves: Iterable[Move], *, first: int = FIRST, following: int = FOLLOWING) -> list[list[Move]]:
    """Returns the moves in their order, but for the idle ones. The first slice is always there, and may be empty.

    A slice is longer than it should be where moves belong together.
    """
    slices: list[list[Move]] = [[]]
    for unit in _units([move for move in moves if not is_idle(move)]):
        most = first if len(slices) == 1 else following
        if slices[-1] and len(slices[-1]) + len(unit) > most:
            slices.append([])
        slices[-1] += unit
    return slices


def _units(moves: Sequence[Move]) -> list[list[Move]]:
    """Moves that are stored together or not at all, in the order of the first of each.

    An incident whose alert is there takes in its relatives, such as a workspace's keys. Stored apart, one of two that
    were found at once could take in the other.
    """
    levels: dict[str, set[Dimension]] = defaultdict(set)
    for move in moves:
        if opener := _opener(move):
            levels[opener].add(move.finding.scope.dimension)
    units: dict[str, list[Move]] = defaultdict(list)
    for position, move in enumerate(moves):
        opener = _opener(move)
        units[opener if opener and len(levels[opener]) > 1 else str(position)].append(move)
    return list(units.values())


def _opener(move: Move) -> str | None:
    """The id of the budget or rule whose alert a move opens; None where it opens none, or one of neither."""
    origin = move.finding.evidence.origin
    return origin.id if move.alert is None and origin is not None else None
