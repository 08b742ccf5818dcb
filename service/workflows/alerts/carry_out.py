"""From moves to stored alerts, their crossings, and the messages that they cause, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from service.domain.alerts.alert import AlertEvent, AlertState, Reason
from service.domain.alerts.crossings import Crossing
from service.domain.alerts.reconcile import Move, execute, found_since
from service.domain.notify.routing.situation import Situation
from service.domain.values.resources import new_id
from service.workflows.notify.announce import announce
from service.workflows.ports.unit_of_work import UnitOfWork

log = structlog.get_logger(__name__)

UNDONE = frozenset({Reason.BUDGET_GONE, Reason.BUDGET_DISABLED, Reason.BUDGET_EDITED})
"""Ends caused by an edit: if the edit is taken back, the levels fire again."""


async def carry_out(uow: UnitOfWork, situation: Situation, moves: Sequence[Move]) -> list[AlertEvent]:
    """Carries out moves of the situation's alerts, and announces them. Returns those that were made."""
    await _keep_newest(uow, moves)
    events = await _execute(uow, moves, situation.now)
    await announce(uow, situation.after(events), events)
    return events


def log_moves(events: Iterable[AlertEvent]) -> None:
    for event in events:
        log.info(
            "alert_moved",
            alert_id=event.alert.id,
            command=event.command.value,
            reason=event.reason.value,
            severity=event.alert.severity.value,
        )


async def _keep_newest(uow: UnitOfWork, moves: Iterable[Move]) -> None:
    """Keeps what was found of the alerts that stay as they are: for whatever notifies again before the next move.

    An alert's row is taken before a group's, as where it notifies again; else the two could wait for each other.
    """
    found = {move.alert.id: found_since(move) for move in moves if move.alert is not None}
    await uow.alerts.note_latest({id: evidence for id, evidence in found.items() if evidence is not None})


async def _execute(uow: UnitOfWork, moves: Sequence[Move], now: datetime) -> list[AlertEvent]:
    """Stores the alerts as the moves leave them, and the crossings that belong to them.

    Nothing of a move whose alert somebody else moved meanwhile: the next evaluation finds what is still to be done.
    """
    made = [(move, execute(move, new_alert_id=new_id("alert", now), now=now)) for move in moves]
    stored = await uow.alerts.save_all([event for _, event in made if event is not None])
    kept = {event.alert.id for event in stored}
    made = [(move, event) for move, event in made if event is None or event.alert.id in kept]
    await uow.crossings.release([one for move, _ in made for one in move.finding.released])
    await uow.crossings.add([one for move, event in made for one in _crossings(move, event)])
    await uow.crossings.release_all([event.alert.id for event in stored if _is_undone(event)])
    return stored


def _crossings(move: Move, event: AlertEvent | None) -> list[Crossing]:
    alert = event.alert if event is not None else move.alert
    return [replace(one, alert_id=alert.id if alert is not None else "") for one in move.finding.crossings]


def _is_undone(event: AlertEvent) -> bool:
    return event.alert.state is AlertState.RESOLVED and event.reason in UNDONE
