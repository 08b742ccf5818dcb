"""How long a backtest of 400 days and 200 series takes, end to end, as a worker runs it.

    python benchmarks/backtest.py              # four minutes, most to make the past in a PostgreSQL of its own
    python benchmarks/backtest.py "by hour"    # those whose name holds the words

Each line is a rule or budget, replayed with its whole sweep: seconds by the clock to read what was known, and in all,
with the answer written; beside it the processor time of the worker, and of its child processes. The clock has the
database's work in it, and other work on the machine. The target is 10 s by the clock for each.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from dataclasses import fields, replace

from backtesting.numbers import CELLS, DAYS, NOW
from backtesting.past import furnish
from backtesting.subjects import subjects
from storing.table import database

from service.adapters.postgres.unit_of_work import uow_factory
from service.adapters.stretches import StretchProcesses, one_for_each_core
from service.bootstrap.collector import spare_what_lives
from service.domain.backtest.backtest import Subject
from service.workflows.backtest import BacktestQuestion, ReplaySpan, request_backtest, run_backtest, run_read
from service.workflows.configuration.engine import Author
from service.workflows.ports.spans import NoSpans
from service.workflows.ports.unit_of_work import Ports, UowFactory

TARGET = 10.0


async def measure(ports: Ports, name: str, subject: Subject) -> None:
    async with ports.uow() as uow:
        backtest = await request_backtest(uow, BacktestQuestion(subject, None, None, {}), Author("bench", NOW))
    began = time.perf_counter()
    await run_read(ports, ReplaySpan(subject.spec, backtest.first_day, backtest.last_day))
    read = time.perf_counter() - began
    began, worker, children = time.perf_counter(), time.process_time(), _of_children()
    await run_backtest(ports, backtest.id)
    took, worker, children = time.perf_counter() - began, time.process_time() - worker, _of_children() - children
    async with ports.uow() as uow:
        result = (await uow.backtests.get(backtest.id)).result
    assert result is not None
    assert result.steps >= DAYS
    print(
        f"  {name:<43} read {read:4.1f}  in all {took:4.1f}  {'MET   ' if took < TARGET else 'MISSED'}"
        f"  worker {worker:4.1f}  children {children:4.1f}  {result.tally.alerts} alerts, {len(result.sweep)} settings",
        flush=True,
    )


def _of_children() -> float:
    """Seconds of processor time of the child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ports_of(uow: UowFactory) -> Ports:
    """A backtest needs a store, a clock and processes, and nothing else."""
    nothing, hands = None, StretchProcesses(one_for_each_core())
    return replace(Ports(*[nothing] * len(fields(Ports))), uow=uow, clock=lambda: NOW, spans=NoSpans(), hands=hands)  # type: ignore[arg-type]


async def main(asked: str) -> None:
    async with database() as (_, engine):
        uow = uow_factory(engine, to_real=lambda instant: instant)
        await furnish(uow, engine)
        spare_what_lives()  # as a worker does
        cores = one_for_each_core()
        print(f"Backtests of {DAYS} days and {len(CELLS)} series on {cores} cores, target {TARGET:.0f} s each")
        for name, subject in subjects().items():
            if asked in name:
                await measure(ports_of(uow), name, subject)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else ""))
