"""Calibration: once a week each rule that guesses is held against its own past, and nothing of it is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from service.domain.backtest.backtest import Firing, Progress
from service.domain.backtest.calibration import (
    AGAIN,
    EVERY,
    LEAST_HISTORY,
    QUARTER,
    Calibration,
    calibrated,
    confirmed_days,
)
from service.domain.backtest.history import Recorded
from service.domain.backtest.rules import firings_by_setting
from service.domain.rules.backtesting import Setting
from service.domain.rules.evaluation import grain_needed
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Rule
from service.domain.values.periods import Window
from service.domain.values.resources import Resource
from service.domain.values.scopes import tells_spenders
from service.domain.values.utc import DAY, midnight
from service.workflows.backtest import ReplaySpan, beside_the_loop, run_read
from service.workflows.ports.rules import CalibrationTurn
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

MOST_AMOUNTS = 4_000_000
"""Amounts of hours held at once: 119 days of 1,400 keys. Of more, days are replayed, and the newest days' hours."""

AnyRule = Resource[Rule[object]]


@dataclass(frozen=True, slots=True)
class _Task:
    """All that one calibration reads."""

    rule: AnyRule
    stretch: ReplaySpan
    known: Recorded
    real: frozenset[date]


async def run_due_calibration(ports: Ports) -> bool:
    """Calibrates one rule, the one that has waited longest, beside the event loop; returns whether one was due.

    Several workers take different ones. One that came to no end is due again a day later.
    """
    now = ports.clock()
    task = await run_take(ports, now)
    if task is None:
        return False
    found = await beside_the_loop(partial(_firings, task), _unheard)
    settings = tuple(calibrated(setting.name, setting.configured, firings, task.real) for setting, firings in found)
    made = Calibration(task.rule.version, now, task.stretch.first, task.stretch.last, settings)
    async with ports.uow() as uow:
        await uow.calibrations.save(task.rule.id, made, now + EVERY)
    return True


def _firings(task: _Task, note: Progress) -> list[tuple[Setting, Sequence[Firing]]]:
    return firings_by_setting(task.rule, task.known, task.stretch.first, task.stretch.last, note)


async def _unheard(progress: float) -> None:
    """Nobody waits for a calibration."""


async def run_take(ports: Ports, now: datetime) -> _Task | None:
    """Takes the turn of a rule that is due, and reads what its replay needs.

    The turn is taken before anything is read: a rule that cannot be read keeps no other one waiting.
    """
    async with ports.uow() as uow:
        taken = await _taken(uow, now)
    if taken is None:
        return None
    rule, stretch = taken
    known = await run_read(ports, stretch)
    async with ports.uow() as uow:
        return _Task(rule, stretch, known, await _confirmed(uow, rule, stretch, now))


async def _taken(uow: UnitOfWork, now: datetime) -> tuple[AnyRule, ReplaySpan] | None:
    turns = await uow.calibrations.turns()
    due = [rule for rule in await uow.rules.readable() if _is_due(rule, turns.get(rule.id), now)]
    for rule in sorted(due, key=lambda one: _since(turns.get(one.id))):
        stretch = await _stretch(uow, rule, now)
        turn = CalibrationTurn(rule.version, now + AGAIN)
        if stretch is not None and await uow.calibrations.take(rule.id, turns.get(rule.id), turn):
            return rule, stretch
    return None


def _is_due(rule: AnyRule, turn: CalibrationTurn | None, now: datetime) -> bool:
    """Never one that tells actors or products apart: of the past it is not kept who spent."""
    if not rule.spec.enabled or not KINDS[rule.spec.kind].calibrated or tells_spenders(grain_needed([rule.spec])):
        return False
    return turn is None or turn.due_at <= now or turn.rule_version != rule.version


def _since(turn: CalibrationTurn | None) -> tuple[bool, float]:
    return turn is not None, 0.0 if turn is None else turn.due_at.timestamp()


async def _stretch(uow: UnitOfWork, rule: AnyRule, now: datetime) -> ReplaySpan | None:
    """The last quarter, or what is known of it; None while that is too little."""
    begins, today = await uow.backtests.begins(rule.spec.source_id), now.date()
    if begins is None or today - begins < LEAST_HISTORY:
        return None
    return ReplaySpan(rule.spec, max(begins, today - QUARTER), today - DAY)


async def _confirmed(uow: UnitOfWork, rule: AnyRule, stretch: ReplaySpan, now: datetime) -> frozenset[date]:
    """The days of alerts that people have answered for."""
    window = Window(midnight(stretch.first), now)
    answers = [one.feedback for one in await uow.feedback.of_rules([rule.id]) if one.holds(now)]
    return confirmed_days(rule.id, await uow.alerts.moves(rule.spec.source_id, window), answers)
