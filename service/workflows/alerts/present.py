"""How alerts stand by now: each evaluation keeps what it found of those that it leaves as they are."""

from __future__ import annotations

from collections.abc import Iterable

from service.domain.alerts.reconcile import Move, found_since
from service.workflows.ports.unit_of_work import UnitOfWork


async def keep_newest(uow: UnitOfWork, moves: Iterable[Move]) -> None:
    """For whatever rings again before the next move, and for who looks. To be done before the moves.

    An alert's row is taken before a group's, as where it rings again; else the two could wait for each other.
    """
    for move in moves:
        found = found_since(move)
        if move.alert is not None and found is not None:
            await uow.alerts.note_latest(move.alert.id, found)
