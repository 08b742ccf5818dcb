"""What many organisations cost: polls a second, lag, processor time of workers and database, also when nothing is due.

    python benchmarks/organisations.py      # 50 and 200 organisations, by one and two workers
    python benchmarks/organisations.py --sizes 1000 --workspaces 50 --workers 1 2 4    # about 25 minutes
    python benchmarks/organisations.py --sizes 1000 --workers 1 --idle    # only what is spent while nothing is due

Each organisation has the same workspaces, with one key and one model each, and a budget for each workspace. A cycle
polls all of them once, as every 5 minutes in reality. "first" reads 3 days of hours for the first time; "again" finds
them unchanged, as almost every poll does. Afterwards nothing is due for a while. The first cycle is that of the most
workers; the other numbers go on in the same database. The Admin API is a local server that answers with kept bytes, on
the same cores.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import LiteralString

import psycopg
from machine import free_port
from polling.processes import TOCSIN, processor_seconds, running
from report import exponent, report

from service.adapters.embedded_postgres.postmaster import Postmaster
from service.adapters.embedded_postgres.server import EmbeddedPostgres
from service.adapters.postgres.addresses import libpq_url
from service.adapters.postgres.engine import create_engine
from service.adapters.postgres.migrate import upgrade
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.unit_of_work import uow_factory
from service.adapters.vault import FernetVault
from service.domain.budgets.budget import Budget, Threshold
from service.domain.sources.source import Source, SourceKind, SourceState
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec, Window
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension, Scope
from service.domain.values.severity import Severity

SECRET = "a secret key of no value"
SERVER = Path(__file__).parent / "polling" / "server.py"
IDLE = 30.0
PATIENCE = 1_800.0
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATER = timedelta(minutes=4, seconds=30)
"""Within the interval of polls: beyond it lies no appointment, and such a source is polled at once."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Real seconds, and the processor's of workers and database, for one cycle or one idle stretch."""

    seconds: float
    workers: float
    database: float
    lag: float = 0.0


async def furnish(url: str, address: str, count: int) -> None:
    """Sources that were read an hour ago, so that no poll is a deep one; not due before they are told."""
    engine, vault, now = create_engine(url), FernetVault(SECRET), datetime.now(UTC)
    try:
        await PostgresStorage(engine).make_room(Window(now - 40 * DAY, now + 40 * DAY))
        async with uow_factory(engine, to_real=lambda instant: instant)() as unit:
            for number in range(count):
                id = f"src_{number:05}"
                spec = Source(SourceKind.SIMULATOR, address, vault.seal(f"sk-ant-admin01-{number}"))
                await unit.sources.add(Resource(id, id, 1, now, now, {}, spec))
                ago = now - HOUR
                state = SourceState(id, fence=0, next_poll_at=now + LATER, cost_read_at=ago, deep_read_at=ago)
                await unit.polling_states.add(state)
                await unit.budgets.add(Resource(f"bud_{number:05}", f"budget {id}", 1, now, now, {}, _budget(id)))
    finally:
        await engine.dispose()


def _budget(source: str) -> Budget:
    levels = (Threshold(Severity.WARNING, percent=Decimal(100)),)
    month = PeriodSpec(PeriodKind.MONTHLY)
    return Budget(source, Scope(), Money.of("1000000.00"), month, levels, Dimension.WORKSPACE)


@dataclass(frozen=True, slots=True)
class Bench:
    connection: psycopg.Connection
    workers: list[int]
    postmaster: int

    def cycle(self, count: int) -> Spent:
        """Makes every source due now, and waits until each has been polled."""
        due = datetime.now(UTC)
        before, began = self._spent(), time.perf_counter()
        self.connection.execute("UPDATE source_states SET next_poll_at = %s", (due,))
        while self._done_since(due) < count:
            if time.perf_counter() - began > PATIENCE:
                raise TimeoutError(f"{self._done_since(due)} of {count} sources polled in {PATIENCE:.0f} s")
            time.sleep(0.2)
        newest = self.connection.execute("SELECT max(finished_at) FROM polls WHERE created_at >= %s", (due,)).fetchone()
        assert newest is not None
        return self._since(before, began, (newest[0] - due).total_seconds())

    def idle(self) -> Spent:
        """What is spent while nothing is due: ticks, and the evaluations of each minute."""
        self.connection.execute("UPDATE source_states SET next_poll_at = %s", (datetime.now(UTC) + LATER,))
        self._wait("SELECT count(*) = 0 FROM procrastinate_jobs WHERE status IN ('todo', 'doing')")
        before, began = self._spent(), time.perf_counter()
        time.sleep(IDLE)
        return self._since(before, began)

    def wait_for_workers(self) -> None:
        self._wait("SELECT count(*) >= %s FROM procrastinate_workers", len(self.workers))

    def _wait(self, statement: LiteralString, *values: int) -> None:
        """Waits until the statement says true."""
        given_up = time.perf_counter() + PATIENCE
        while self.connection.execute(statement, values).fetchone() != (True,):
            if time.perf_counter() > given_up:
                raise TimeoutError(statement)
            time.sleep(0.2)

    def _done_since(self, due: datetime) -> int:
        statement = "SELECT count(DISTINCT source_id) FROM polls WHERE state = 'done' AND created_at >= %s"
        row = self.connection.execute(statement, (due,)).fetchone()
        assert row is not None
        return int(row[0])

    def _spent(self) -> tuple[float, float]:
        return processor_seconds(self.workers), processor_seconds([self.postmaster])

    def _since(self, before: tuple[float, float], began: float, lag: float = 0.0) -> Spent:
        workers, database = (after - earlier for after, earlier in zip(self._spent(), before, strict=True))
        return Spent(time.perf_counter() - began, workers, database, lag)


def measure(count: int, workspaces: int, numbers: list[int], *, polls: bool) -> dict[int, Spent]:
    """One number of organisations in a database of its own; by each number of workers, what a cycle costs in which
    nothing has changed, or an idle stretch where nothing `polls`."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder, EmbeddedPostgres(Path(folder) / "pg") as server:
        upgrade(server.url())
        asyncio.run(furnish(server.url(), f"http://127.0.0.1:{port}", count))
        postmaster = Postmaster.recorded(Path(folder) / "pg" / "data")
        assert postmaster is not None
        settings = {
            "TOCSIN_DATABASE_URL": server.url(),
            "TOCSIN_SECRET_KEY": SECRET,
            "TOCSIN_EGRESS_ALLOW": "127.0.0.0/8",
        }
        upstream = [sys.executable, str(SERVER), str(workspaces), str(port)]
        spent: dict[int, Spent] = {}
        with running([upstream], {}), psycopg.connect(libpq_url(server.url()), autocommit=True) as connection:
            for workers in sorted(numbers, reverse=True):
                with running([[str(TOCSIN), "worker"]] * workers, settings) as pids:
                    bench = Bench(connection, pids, postmaster.pid)
                    bench.wait_for_workers()
                    name = f"{count:,} organisations x {workspaces} workspaces, {_named(workers)}"
                    spent[workers] = _told(bench, name, count, _cycles(spent) if polls else ())
    return spent


def _cycles(measured: Mapping[int, Spent]) -> tuple[str, ...]:
    return ("again",) if measured else ("first", "again")


def _told(bench: Bench, name: str, count: int, which: tuple[str, ...]) -> Spent:
    cycles = {cycle: bench.cycle(count) for cycle in which}
    _show(name, count, cycles)
    idle = bench.idle()
    busy = (idle.workers + idle.database) / idle.seconds
    report(f"{name}: idle", busy * 100, "% of a core", target="< 5")
    return cycles.get("again", idle)


def _named(workers: int) -> str:
    return f"{workers} worker{'s' * (workers > 1)}"


def _show(name: str, count: int, cycles: dict[str, Spent]) -> None:
    for which, spent in cycles.items():
        report(f"{name}, {which}: polls", count / spent.seconds, "a second", target=f">= {count / 300:.2g}")
        report(f"{name}, {which}: longest lag", spent.lag, "s")
        report(f"{name}, {which}: workers' processor time", spent.workers / count * 1000, "ms a poll")
        report(f"{name}, {which}: database's processor time", spent.database / count * 1000, "ms a poll")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 200], help="numbers of organisations")
    parser.add_argument("--workspaces", type=int, default=20, help="of each")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--idle", action="store_true", help="no polls")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends with this
    measured = {size: measure(size, asked.workspaces, asked.workers, polls=not asked.idle) for size in asked.sizes}
    if len(measured) > 1 and not asked.idle:
        for workers in asked.workers:
            of_sizes = {size: spent[workers].workers + spent[workers].database for size, spent in measured.items()}
            report(f"polling by {_named(workers)}: growth exponent of processor time", exponent(of_sizes), "")


if __name__ == "__main__":
    main()
