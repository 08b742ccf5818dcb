"""What it costs to open many alerts at once, and how that grows with their number.

    python benchmarks/opening.py             # about a minute; its own PostgreSQL, gone afterwards
    python benchmarks/opening.py 100 400     # other numbers of alerts
    python benchmarks/opening.py --profile 400     # where the time goes, by cProfile

Each workspace has an alert of one budget, as in `evaluation.py`: routes lead to a receiver and to an escalation policy
with a rota. A line is one evaluation that does the same to all alerts. "first" is when the first notifications were
committed, "longest" the longest transaction. The exponent says how seconds grow from one size to the next: 1 is linear.
Each is measured once: an alert opens once. Processor seconds are those of this process, without PostgreSQL's.
"""

from __future__ import annotations

import asyncio
import cProfile
import logging
import math
import pstats
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from evaluation import MOVES, add_source, furnish, ports_of, spend_of
from report import exponent, report
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from storing.table import HOUR, NOW, database

from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.unit_of_work import uow_factory
from service.domain.values.periods import Window
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.ports.unit_of_work import UowFactory

SIZES = (100, 400, 1000, 2000)
MOST_SHOWN = 40
"""Lines of a profile."""


@dataclass
class Meter:
    """What happens on an engine's connections. Instants are seconds of `time.perf_counter`."""

    began: float = field(default_factory=time.perf_counter)
    statements: int = 0
    transactions: list[float] = field(default_factory=list)
    first: float | None = None
    _open: float = 0.0
    _notifies: bool = False

    def begin(self) -> None:
        self._open, self._notifies = time.perf_counter(), False

    def execute(self, statement: str) -> None:
        self.statements += 1
        self._notifies = self._notifies or statement.startswith("INSERT INTO notifications")

    def commit(self) -> None:
        now = time.perf_counter()
        self.transactions.append(now - self._open)
        if self._notifies and self.first is None:
            self.first = now - self.began


@contextmanager
def metered(engine: AsyncEngine) -> Iterator[Meter]:
    meter = Meter()
    listeners: dict[str, Callable[..., None]] = {
        "begin": lambda _: meter.begin(),
        "before_cursor_execute": lambda _connection, _cursor, statement, *_: meter.execute(statement),
        "commit": lambda _: meter.commit(),
    }
    for name, listener in listeners.items():
        event.listen(engine.sync_engine, name, listener)
    try:
        yield meter
    finally:
        for name, listener in listeners.items():
            event.remove(engine.sync_engine, name, listener)


@dataclass(frozen=True, slots=True)
class Figures:
    """`cpu`: seconds of this process, which other work on the machine does not lengthen much."""

    seconds: float
    cpu: float
    meter: Meter


async def measure(uow: UowFactory, engine: AsyncEngine, source: str, workspaces: int) -> dict[str, Figures]:
    """Each move of all alerts, in order."""
    found = {}
    for move in MOVES:
        await spend_of(uow, source, workspaces, move)
        with metered(engine) as meter:
            began, busy = time.perf_counter(), time.process_time()
            await run_evaluation(ports_of(uow), source)
            found[move] = Figures(time.perf_counter() - began, time.process_time() - busy, meter)
        print(f"  {workspaces:>6} {move}: {found[move].seconds:.2f} s", file=sys.stderr, flush=True)
    return found


def show(sizes: Sequence[int], by_size: Sequence[dict[str, Figures]]) -> None:
    for move in MOVES:
        print(f"\n{move}")
        print(
            f"  {'alerts':>7} {'seconds':>9} {'exponent':>9} {'cpu':>9} {'statements':>11} {'transactions':>13}", end=""
        )
        print(f" {'longest':>9} {'first':>9}")
        before: tuple[int, float] | None = None
        for size, figures in zip(sizes, by_size, strict=True):
            one = figures[move]
            print(f"  {size:>7} {one.seconds:>9.3f} {_exponent(before, (size, one.seconds)):>9}", end="")
            print(f" {one.cpu:>9.3f} {one.meter.statements:>11} {len(one.meter.transactions):>13}", end="")
            print(f" {max(one.meter.transactions):>9.3f} {_instant(one.meter.first):>9}", flush=True)
            before = size, one.seconds


def report_all(sizes: Sequence[int], by_size: Sequence[dict[str, Figures]]) -> None:
    most = max(sizes)
    for move in MOVES:
        figures = {size: found[move] for size, found in zip(sizes, by_size, strict=True)}
        row, largest = f"{most:,} alerts, {move} (once)", figures[most]
        report(f"{row}: evaluation", largest.seconds, "s", target="<= 4")
        report(f"{row}: processor", largest.cpu, "s")
        if largest.meter.first is not None:
            report(f"{row}: first notifications committed", largest.meter.first, "s", target="< 1")
        if len(figures) > 1:
            growth = exponent({size: one.cpu for size, one in figures.items()})
            report(f"alerts, {move}: growth exponent of processor time", growth, "", target="<= 1.1")


def _exponent(before: tuple[int, float] | None, now: tuple[int, float]) -> str:
    if before is None:
        return ""
    return f"{math.log(now[1] / before[1]) / math.log(now[0] / before[0]):.2f}"


def _instant(at: float | None) -> str:
    return "" if at is None else f"{at:.3f}"


async def profile(uow: UowFactory, size: int) -> None:
    source = "src_profiled"
    await add_source(uow, source, size)
    for move in MOVES:
        await spend_of(uow, source, size, move)
        profiler = cProfile.Profile()
        profiler.enable()
        await run_evaluation(ports_of(uow), source)
        profiler.disable()
        print(f"\n{size} alerts, {move}")
        pstats.Stats(profiler).sort_stats("cumulative").print_stats(MOST_SHOWN)


async def main(arguments: Sequence[str]) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    sizes = [int(one) for one in arguments if one.isdigit()] or SIZES
    async with database() as (_, engine):
        uow = uow_factory(engine, to_real=lambda instant: instant)
        await PostgresStorage(engine).make_room(Window(NOW, NOW + HOUR))
        await furnish(uow)
        if "--profile" in arguments:
            await profile(uow, sizes[0])
            return
        by_size = []
        for size in sizes:
            await add_source(uow, f"src_{size}", size)
            by_size.append(await measure(uow, engine, f"src_{size}", size))
    print("One evaluation that moves all alerts of a source at once")
    show(sizes, by_size)
    report_all(sizes, by_size)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
