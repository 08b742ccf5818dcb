"""What work costs grows with the work alone: statements, and rows that they touch, for 10 and for 200 of everything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from service.domain.rules.kinds.change import Against, Change
from service.domain.rules.rule import Gates, Rule
from service.domain.sources.source import Source, SourceState
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension, Scope
from service.domain.values.severity import Severity
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.configuration.rules import Rules
from service.workflows.configuration.spend import Budgets
from service.workflows.delivery.deliver import run_delivery
from service.workflows.operation.upkeep import run_minute
from tests.factories import budget, claude_source, forecast_percent, percent, resource
from tests.fakes.ports import FakeSource
from tests.workflows.yard import DAY, MINUTE, Yard, billed

FEW, MANY = 10, 200
GROWTH = MANY / FEW
SLICES = 3
"""Transactions for many alerts, where a few take one; a slice has the same statements whatever it holds."""


@dataclass
class Touched:
    statements: int = 0
    rows: int = 0


@contextmanager
def touched(engine: AsyncEngine) -> Iterator[Touched]:
    """The statements inside the block, and the rows that they read or wrote."""
    seen = Touched()

    def count(_connection: object, cursor: object, *_: object) -> None:
        seen.statements += 1
        seen.rows += max(getattr(cursor, "rowcount", 0), 0)

    event.listen(engine.sync_engine, "after_cursor_execute", count)
    try:
        yield seen
    finally:
        event.remove(engine.sync_engine, "after_cursor_execute", count)


@dataclass(frozen=True)
class Organisation:
    """One of several, with as many workspaces as it is about."""

    yard: Yard
    source: Resource[Source]
    reader: FakeSource
    number: int

    def bill(self, dollars: str, *, days_ago: int = 0) -> None:
        """Each workspace has spent so much on a day."""
        lines = [billed(dollars, workspace=f"wrkspc_{one:03}") for one in range(self.number)]
        self.reader.bill(self.yard.clock().date() - days_ago * DAY, *lines)

    async def evaluated(self, moved: int) -> Touched:
        """What one evaluation touches that moves so many alerts."""
        self.yard.clock.advance(MINUTE)
        await self.yard.poll(self.source)
        with touched(self.yard.engine) as seen:
            events = await run_evaluation(self.yard.ports, self.source.id)
        assert len(events) == moved
        return seen

    async def delivered(self) -> Touched:
        with touched(self.yard.engine) as seen:
            await run_delivery(self.yard.ports)
        return seen


async def alerts_of_a_budget(one: Organisation) -> dict[str, Touched]:
    levels = percent(100), percent(200, Severity.CRITICAL), forecast_percent(1000)
    spec = budget("10.00", *levels, for_each=Dimension.WORKSPACE, source_id=one.source.id)
    stored = await one.yard.create(Budgets(), f"each of {one.source.name}", spec)
    found = {}
    for move, dollars in (("open", "12.00"), ("quiet", "12.00"), ("amend", "15.00"), ("raise", "25.00")):
        one.bill(dollars)
        found[move] = await one.evaluated(0 if move == "quiet" else one.number)
        found[f"deliver {move}"] = await one.delivered()
    await one.yard.change(Budgets(), stored, replace(spec, enabled=False))
    return found | {"resolve": await one.evaluated(one.number), "deliver resolve": await one.delivered()}


async def alerts_of_a_rule(one: Organisation) -> dict[str, Touched]:
    gates = Gates(Money.of("20.00"), Money.of("30").usd, min_active_days=3)
    kind = Change(against=Against.PREVIOUS_DAY)
    spec: Rule[object] = Rule(one.source.id, "change", kind, Scope(), for_each=Dimension.WORKSPACE, gates=gates)
    await one.yard.create(Rules(), f"jump of {one.source.name}", spec)
    for ago in range(10, 0, -1):
        one.bill("100.00", days_ago=ago)
    found = {"judge": await one.evaluated(0)}
    one.bill("400.00")
    return found | {"open": await one.evaluated(one.number), "hold": await one.evaluated(0)}


@pytest.mark.parametrize("work", [alerts_of_a_budget, alerts_of_a_rule])
async def test_many_alerts_take_as_many_statements_a_slice_and_rows_in_proportion(
    yard: Yard, work: Callable[[Organisation], Awaitable[dict[str, Touched]]]
) -> None:
    few = await work(Organisation(yard, yard.source, yard.reader, FEW))
    many = await work(Organisation(yard, *await yard.add_source("many"), MANY))
    for move, small in few.items():
        at_once = GROWTH if move.startswith("deliver") else SLICES  # outcomes are recorded as they come
        assert many[move].statements <= at_once * small.statements, move
        assert many[move].rows <= GROWTH * small.rows, move


async def add_sources(yard: Yard, numbers: range) -> None:
    """Sources that are well, each with a budget, and evaluated just now."""
    now = yard.clock()
    async with yard.ports.uow() as uow:
        for id in (f"src_{number:03}" for number in numbers):
            state = SourceState(id, 0, now + MINUTE)
            await uow.sources.add(resource(id, claude_source()))
            await uow.polling_states.add(state)
            await uow.budgets.add(resource(f"bdg_{id}", budget("10.00", percent(100), source_id=id)))
            await uow.polling_states.end_evaluation(state, rules_assessed_at=None, now=now, due_at=now + 14 * MINUTE)


async def test_other_sources_cost_an_evaluation_nothing_and_an_idle_minute_a_row_each(yard: Yard) -> None:
    own = Organisation(yard, yard.source, yard.reader, FEW)
    evaluations, minutes = [], []
    for others in (range(FEW), range(FEW, MANY)):
        await add_sources(yard, others)
        evaluations.append(await own.evaluated(0))
        await yard.settle()
        with touched(yard.engine) as minute:
            await run_minute(yard.ports)
        minutes.append(minute)
    assert evaluations[0] == evaluations[1]
    few, many = minutes
    assert many.statements == few.statements
    assert many.rows <= MANY + few.rows
