"""How long a backtest of 400 days and 200 series takes, end to end, as a worker runs it.

    python benchmarks/backtest.py      # four minutes, most to make the past; its own PostgreSQL, gone afterwards

Each line is a rule or budget, replayed with its whole sweep: seconds to read what was known, to replay it, and in all,
with the answer written. The target is 10 s for each.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import fields, replace
from decimal import Decimal

from backtesting.past import CELLS, DAYS, NOW, SOURCE, furnish
from storing.table import database

from service.adapters.postgres.unit_of_work import uow_factory
from service.domain.backtest.backtest import Subject
from service.domain.budgets.budget import Budget, Threshold
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity
from service.domain.rules.kinds.change import Against, Change
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Rule
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension, Scope
from service.domain.values.severity import Severity
from service.workflows.backtest import BacktestQuestion, request_backtest, run_backtest, run_read
from service.workflows.configuration.engine import Author
from service.workflows.ports.spans import NoSpans
from service.workflows.ports.unit_of_work import Ports, UowFactory

TARGET = 10.0


def subjects() -> Mapping[str, Subject]:
    change = Change(Against.TRAILING_MEDIAN)
    return {
        "anomaly by day, organisation and workspaces": rule("anomaly", Anomaly(AnomalyGranularity.DAYS)),
        "the same, by day and by hour": rule("anomaly", Anomaly()),
        "change, of the organisation": rule("change", change),
        "change, for each workspace": rule("change", change, Dimension.WORKSPACE),
        "change, for each API key": rule("change", change, Dimension.API_KEY),
        "budget, monthly": budget("250000.00"),
        "budget, monthly, for each API key": budget("1250.00", Dimension.API_KEY),
    }


def rule(kind: str, params: object, for_each: Dimension | None = None) -> Resource[Rule[object]]:
    spec: Rule[object] = Rule(SOURCE, kind, params, for_each=for_each, gates=KINDS[kind].gates)
    return Resource("", kind, 0, NOW, NOW, {}, spec)


def budget(dollars: str, for_each: Dimension | None = None) -> Resource[Budget]:
    thresholds = (Threshold(Severity.WARNING, percent=Decimal(80)), Threshold(Severity.CRITICAL, percent=Decimal(100)))
    spec = Budget(SOURCE, Scope(), Money.of(dollars), PeriodSpec(PeriodKind.MONTHLY), thresholds, for_each)
    return Resource("", "budget", 0, NOW, NOW, {}, spec)


async def measure(ports: Ports, name: str, subject: Subject) -> None:
    async with ports.uow() as uow:
        backtest = await request_backtest(uow, BacktestQuestion(subject, None, None, {}), Author("bench", NOW))
    began = time.perf_counter()
    await run_read(ports, backtest)
    read = time.perf_counter() - began
    began = time.perf_counter()
    await run_backtest(ports, backtest.id)
    took = time.perf_counter() - began
    async with ports.uow() as uow:
        result = (await uow.backtests.get(backtest.id)).result
    assert result is not None
    assert result.steps >= DAYS
    print(
        f"  {name:<37} read {read:5.1f} s  replay {took - read:5.1f} s  in all {took:5.1f} s"
        f"  {'MET' if took < TARGET else 'MISSED'}  {result.tally.alerts} alerts at {len(result.sweep)} settings",
        flush=True,
    )


def ports_of(uow: UowFactory) -> Ports:
    """A backtest needs a store and a clock, and nothing else."""
    nothing = None
    return replace(Ports(*[nothing] * len(fields(Ports))), uow=uow, clock=lambda: NOW, spans=NoSpans())  # type: ignore[arg-type]


async def main() -> None:
    async with database() as (_, engine):
        uow = uow_factory(engine, to_real=lambda instant: instant)
        await furnish(uow, engine)
        print(f"Backtests of {DAYS} days and {len(CELLS)} series, target {TARGET:.0f} s each")
        for name, subject in subjects().items():
            await measure(ports_of(uow), name, subject)


if __name__ == "__main__":
    asyncio.run(main())
