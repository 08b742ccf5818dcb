"""What every part of the benchmark shares: a database, a stopwatch, a table."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from report import report
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.embedded_postgres.server import EmbeddedPostgres
from service.adapters.postgres.engine import create_engine
from service.adapters.postgres.migrate import upgrade

NOW = datetime(2026, 11, 16, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: `ratio` is how many times longer it took than what it is compared with."""

    what: str
    amount: str
    seconds: float
    rate: str
    ratio: str = ""


async def timed(work: Callable[[], Awaitable[T]]) -> tuple[float, T]:
    began = time.perf_counter()
    result = await work()
    return time.perf_counter() - began, result


def times(seconds: float, reference: float, name: str) -> str:
    return f"{seconds / reference:.1f} x {name}"


async def best_of(work: Callable[[], Awaitable[T]], runs: int = 3) -> tuple[float, T]:
    """The fastest run: the first one fills caches."""
    results = [await timed(work) for _ in range(runs)]
    return min(seconds for seconds, _ in results), results[-1][1]


@asynccontextmanager
async def database() -> AsyncIterator[tuple[str, AsyncEngine]]:
    """An empty, migrated database on a server as safe as the product's own."""
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder, EmbeddedPostgres(Path(folder) / "pg") as server:
        url = server.url()
        upgrade(url)
        engine = create_engine(url)
        try:
            yield url, engine
        finally:
            await engine.dispose()


def show(title: str, rows: Sequence[Row]) -> None:
    print(f"\n{title}")
    for row in rows:
        report(f"{row.what}, {row.amount}", row.seconds, f"s, {row.rate}", anchor=row.ratio)
