"""How many SQL statements one evaluation runs that announces 1, 10 or 100 alerts.

    python benchmarks/evaluation.py    # half a minute; its own PostgreSQL, gone afterwards

Each workspace has an alert of one budget. Routes lead to a receiver and to an escalation policy with a rota. Each
block is an evaluation that does the same to all alerts, with its statements by table. "configuration" is what people
have configured and the names of a source's members: the target is the same number for any number of alerts. Jobs enter
the queue past SQLAlchemy: of them only the search for an equal one is counted.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

import structlog
from report import report
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from storing.table import HOUR, NOW, database

from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.unit_of_work import uow_factory
from service.domain.budgets.budget import Budget, Threshold
from service.domain.notify.channels.console import Console
from service.domain.notify.escalation import EscalationPolicy, EscalationStep
from service.domain.notify.receivers import Receiver
from service.domain.notify.rotas import Handover, Person, Rota
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.notify.routing.silences import Silence
from service.domain.sources.source import Source, SourceKind, SourceState
from service.domain.spend.best_known import Spend, SpendDay
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec, Weekday, Window
from service.domain.values.resources import Resource, Sealed
from service.domain.values.scopes import Cell, Dimension, Scope
from service.domain.values.severity import Severity
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.ports.spans import NoSpans
from service.workflows.ports.spend import Stamp
from service.workflows.ports.unit_of_work import Ports, UowFactory

SIZES = (1, 10, 100)
CONFIGURATION = frozenset({"resources", "resource_versions", "seen"})
TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+([a-z_]+)")
QUIET, RESOLVED = "nothing new", "all resolved, as the budget is disabled"
MOVES = {
    "all open": Decimal(12),
    QUIET: Decimal(12),
    "all amended": Decimal(15),
    "all raised": Decimal(25),
    RESOLVED: Decimal(25),
}
"""Dollars of each workspace's rolling week, whose budget is $10: a warning at 100 %, critical at 200 %."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Statement:
    table: str
    writes: bool

    @property
    def kind(self) -> str:
        if self.writes:
            return "writes"
        return "configuration" if self.table in CONFIGURATION else "other reads"


Evaluations = Mapping[str, Counter[Statement]]


@contextmanager
def counted(engine: AsyncEngine) -> Iterator[Counter[Statement]]:
    """Everything that is executed inside the block, but for savepoints."""
    seen: Counter[Statement] = Counter()

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        table = TABLE.search(statement)
        if table:
            seen[Statement(table[1], writes=not statement.lstrip().startswith(("SELECT", "WITH")))] += 1

    event.listen(engine.sync_engine, "before_cursor_execute", count)
    try:
        yield seen
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", count)


async def furnish(uow: UowFactory) -> None:
    """Everything that decides who is notified."""
    rota = Rota((Person("ann", "rcv_ann"),), Handover(Weekday.MONDAY, 9), "UTC", NOW.date())
    steps = EscalationStep(timedelta(0), rota_id="rot_1"), EscalationStep(HOUR, receiver_id="rcv_all")
    routes = RouteTable((Route("rcv_all", escalation_policy_id="esc_1", continues=True), Route("rcv_all")))
    silence = Silence((Matcher("severity", Op.EQUAL, "info"),), NOW, NOW + HOUR)
    async with uow() as unit:
        await unit.receivers.add(_named("rcv_all", Receiver((Console(),))))
        await unit.receivers.add(_named("rcv_ann", Receiver((Console(),))))
        await unit.rotas.add(_named("rot_1", rota))
        await unit.policies.add(_named("esc_1", EscalationPolicy(steps)))
        await unit.routes.add(_named("rts_1", routes))
        await unit.silences.add(_named("sil_1", silence))


async def add_source(uow: UowFactory, id: str, workspaces: int) -> None:
    """A source with so many workspaces, and a budget for each."""
    sealed = Sealed("not a real ciphertext", "...fake", "0123456789abcdef")
    levels = (Threshold(Severity.WARNING, percent=Decimal(100)), Threshold(Severity.CRITICAL, percent=Decimal(200)))
    week = PeriodSpec(PeriodKind.ROLLING, days=7)
    budget = Budget(id, Scope(), Money.of("10.00"), week, levels, Dimension.WORKSPACE)
    async with uow() as unit:
        await unit.sources.add(_named(id, Source(SourceKind.CLAUDE_ADMIN, "http://127.0.0.1:1", sealed)))
        await unit.polling_states.add(SourceState(id, fence=0, next_poll_at=NOW, cost_read_at=NOW))
        await unit.directory.note_cells(id, _cells(workspaces), NOW)
        await unit.budgets.add(_named(f"bud_{id}", budget))


def _named(id: str, spec: T) -> Resource[T]:
    return Resource(id, id, 1, NOW, NOW, {}, spec)


def _cells(workspaces: int) -> list[Cell]:
    return [Cell(f"wrkspc_{number}", "claude-model", "apikey_1") for number in range(workspaces)]


async def evaluations(uow: UowFactory, engine: AsyncEngine, source: str, workspaces: int) -> Evaluations:
    """The statements of each move of all alerts, in order."""
    found = {}
    for move in MOVES:
        await spend_of(uow, source, workspaces, move)
        with counted(engine) as statements:
            events = await run_evaluation(ports_of(uow), source)
        assert len(events) == (0 if move == QUIET else workspaces), (move, len(events))
        found[move] = statements
    return found


async def spend_of(uow: UowFactory, source: str, workspaces: int, move: str) -> None:
    """The spend, or the budget, by which the next evaluation makes this move."""
    day = SpendDay(Spend(billed=Money(MOVES[move])))
    days = {NOW.date(): dict.fromkeys(_cells(workspaces), day)}
    async with uow() as unit:
        await unit.facts.store_days(Stamp(source, "poll", NOW), days)
        if move == RESOLVED:
            budget = await unit.budgets.get(f"bud_{source}")
            await unit.budgets.replace(replace(budget, version=2, spec=replace(budget.spec, enabled=False)))


def ports_of(uow: UowFactory) -> Ports:
    """An evaluation needs a store and a clock, and nothing else."""
    nothing = None
    return replace(Ports(*[nothing] * len(fields(Ports))), uow=uow, clock=lambda: NOW, spans=NoSpans())  # type: ignore[arg-type]


def show(by_size: Mapping[int, Evaluations]) -> None:
    for move in MOVES:
        print(f"\n{move}")
        counters = [by_size[size][move] for size in SIZES]
        for kind in ("configuration", "other reads", "writes"):
            _line(kind, [sum(n for one, n in counter.items() if one.kind == kind) for counter in counters])
            for table in sorted({one.table for counter in counters for one in counter if one.kind == kind}):
                of_table = [
                    sum(n for one, n in counter.items() if (one.kind, one.table) == (kind, table))
                    for counter in counters
                ]
                _line(f"    {table}", of_table)
        _line("in all", [counter.total() for counter in counters])
    for move in MOVES:
        for size in SIZES:
            row = f"{size} alerts, {move}: statements of one evaluation"
            report(row, by_size[size][move].total(), "", target="<= 100")


def _line(what: str, numbers: list[int]) -> None:
    print(f"  {what:<28}" + "".join(f"{number:>8}" for number in numbers), flush=True)


async def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(f"SQL statements of one evaluation that moves {' / '.join(map(str, SIZES))} alerts")
    async with database() as (_, engine):
        uow = uow_factory(engine, to_real=_unchanged)
        await PostgresStorage(engine).make_room(Window(NOW, NOW + HOUR))
        await furnish(uow)
        by_size = {}
        for size in SIZES:
            await add_source(uow, f"src_{size}", size)
            by_size[size] = await evaluations(uow, engine, f"src_{size}", size)
    show(by_size)


def _unchanged(instant: datetime) -> datetime:
    return instant


if __name__ == "__main__":
    asyncio.run(main())
