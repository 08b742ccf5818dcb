"""How long a backtest of 400 days and 200 series takes, end to end, as a worker runs it.

    python benchmarks/backtest.py              # four minutes, most to make the past in a PostgreSQL of its own
    python benchmarks/backtest.py "by hour"    # those whose name holds the words

Each line is a rule or budget, replayed with its whole sweep: seconds of this process's processor time to read what was
known, to replay it, and in all, with the answer written; and by the clock, which the database's work is in and other
work on the machine. The target is 10 s for each.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import fields, replace

from backtesting.numbers import CELLS, DAYS, NOW
from backtesting.past import furnish
from backtesting.subjects import subjects
from storing.table import database

from service.adapters.postgres.unit_of_work import uow_factory
from service.domain.backtest.backtest import Subject
from service.workflows.backtest import BacktestQuestion, request_backtest, run_backtest, run_read
from service.workflows.configuration.engine import Author
from service.workflows.ports.spans import NoSpans
from service.workflows.ports.unit_of_work import Ports, UowFactory

TARGET = 10.0


async def measure(ports: Ports, name: str, subject: Subject) -> None:
    async with ports.uow() as uow:
        backtest = await request_backtest(uow, BacktestQuestion(subject, None, None, {}), Author("bench", NOW))
    began = time.process_time()
    await run_read(ports, backtest)
    read = time.process_time() - began
    began, by_clock = time.process_time(), time.perf_counter()
    await run_backtest(ports, backtest.id)
    took, by_clock = time.process_time() - began, time.perf_counter() - by_clock
    async with ports.uow() as uow:
        result = (await uow.backtests.get(backtest.id)).result
    assert result is not None
    assert result.steps >= DAYS
    print(
        f"  {name:<43} read {read:5.1f}  replay {took - read:5.1f}  in all {took:5.1f}  by the clock {by_clock:5.1f}"
        f"  {'MET' if took < TARGET else 'MISSED'}  {result.tally.alerts} alerts at {len(result.sweep)} settings",
        flush=True,
    )


def ports_of(uow: UowFactory) -> Ports:
    """A backtest needs a store and a clock, and nothing else."""
    nothing = None
    return replace(Ports(*[nothing] * len(fields(Ports))), uow=uow, clock=lambda: NOW, spans=NoSpans())  # type: ignore[arg-type]


async def main(asked: str) -> None:
    async with database() as (_, engine):
        uow = uow_factory(engine, to_real=lambda instant: instant)
        await furnish(uow, engine)
        print(f"Backtests of {DAYS} days and {len(CELLS)} series, target {TARGET:.0f} s each")
        for name, subject in subjects().items():
            if asked in name:
                await measure(ports_of(uow), name, subject)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else ""))
