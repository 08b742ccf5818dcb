"""What it takes to ingest a long report, from the bytes of its pages to the commit, beside COPY of the same facts.

    python benchmarks/ingest.py        # two minutes; its own PostgreSQL in a temporary folder, gone afterwards

A usage report by hour: 1,000 API keys, 205 hours, four measures a row. COPY writes the stored facts once more, into
a table with the same key, in the same run. "longest pause" is the longest time for which the event loop answered
nobody; "peak" is the memory of this process above what it held before.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import psycopg
from sqlalchemy.ext.asyncio import AsyncEngine
from storing.table import HOUR, NOW, Row, database, show, timed, times

from service.adapters.claude.client import open_client
from service.adapters.claude.credentials import AdminKey
from service.adapters.claude.source import ClaudeAdminSource
from service.adapters.postgres.addresses import libpq_url
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.unit_of_work import uow_factory
from service.adapters.prices import list_price_book
from service.bootstrap.collector import spare_what_lives
from service.domain.spend.rows import Width
from service.domain.values.periods import Window
from service.workflows.ports.sources import StoredBuckets
from service.workflows.ports.spend import Changes, Stamp
from service.workflows.ports.unit_of_work import UowFactory
from service.workflows.sources.report_reading import refresh_days
from service.workflows.sources.usage_pricing import price_usage

SOURCE, KEYS, HOURS, PAGE = "src_ingest", 1_000, 205, 168
MODELS = ("claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-4-5")
WHOLE = Window(NOW - HOURS * HOUR, NOW)
FACTS = KEYS * HOURS * 4
MEGABYTE = 1024 * 1024


def page(start: datetime, hours: int, *, last: bool) -> bytes:
    buckets = [bucket(start + number * HOUR) for number in range(hours)]
    return json.dumps({"data": buckets, "has_more": not last, "next_page": None if last else "page_2"}).encode()


def bucket(start: datetime) -> dict[str, object]:
    hour = start.toordinal() * 24 + start.hour
    return {
        "starting_at": start.isoformat(),
        "ending_at": (start + HOUR).isoformat(),
        "results": [row(number, hour) for number in range(KEYS)],
    }


def row(number: int, hour: int) -> dict[str, object]:
    return {
        "api_key_id": f"apikey_{number:04}",
        "context_window": "0-200k",
        "inference_geo": "global",
        "model": MODELS[number % 3],
        "service_tier": "standard",
        "workspace_id": f"wrkspc_{number % 50:02}",
        "uncached_input_tokens": 1_000 + (number * 31 + hour * 7) % 9_000,
        "output_tokens": 100 + (number * 17 + hour * 3) % 900,
        "cache_read_input_tokens": 5_000 + number,
        "cache_creation": {"ephemeral_5m_input_tokens": 1 + number, "ephemeral_1h_input_tokens": 0},
        "server_tool_use": {"web_search_requests": 0},
    }


PAGES = (page(WHOLE.start, PAGE, last=False), page(WHOLE.start + PAGE * HOUR, HOURS - PAGE, last=True))


async def answer(request: httpx.Request) -> httpx.Response:
    body = PAGES[1] if "page" in request.url.params else PAGES[0]
    return httpx.Response(200, content=body, headers={"content-type": "application/json"})


@dataclass
class Watch:
    """What else a span of work costs besides time: the loop's longest pause, in seconds, and bytes of memory."""

    pause: float = 0.0
    memory: int = 0

    @asynccontextmanager
    async def on(self) -> AsyncIterator[None]:
        before, ended = held(), threading.Event()
        sampler = threading.Thread(target=self._sample, args=(before, ended))
        sampler.start()
        ticking = asyncio.create_task(self._tick())
        try:
            yield
        finally:
            ticking.cancel()
            ended.set()
            sampler.join()

    async def _tick(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            self.pause = max(self.pause, time.perf_counter() - began - 0.001)

    def _sample(self, before: int, ended: threading.Event) -> None:
        while not ended.wait(0.01):
            self.memory = max(self.memory, held() - before)

    def __str__(self) -> str:
        return f"longest pause {self.pause * 1000:,.0f} ms, peak {self.memory / MEGABYTE:,.0f} MB"


def held() -> int:
    """The resident memory of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


async def ingest(uow: UowFactory, poll: str) -> Changes:
    """Reads the report and stores it, as a poll does."""
    prices = list_price_book()
    async with uow() as unit:
        stored = StoredBuckets(prices.fingerprint, await unit.fingerprints.stored(SOURCE, Width.HOUR, WHOLE))
    transport = httpx.MockTransport(answer)
    async with open_client("http://127.0.0.1", AdminKey("sk-ant-admin-fake"), transport=transport) as client:
        report = await ClaudeAdminSource(client).usage(WHOLE, Width.HOUR, stored)
    facts = await price_usage(report.buckets, prices)
    stamp = Stamp(SOURCE, poll, NOW)
    async with uow() as unit:
        changes = await unit.facts.replace_usage(stamp, Width.HOUR, facts)
        await unit.fingerprints.keep(SOURCE, Width.HOUR, report.fingerprints)
        await refresh_days(unit, stamp, changes)
    return changes


async def measure(engine: AsyncEngine, url: str) -> Iterator[Row]:
    uow = uow_factory(engine, to_real=lambda instant: instant)
    await PostgresStorage(engine).make_room(WHOLE)
    first, again = Watch(), Watch()
    async with first.on():
        loaded, changes = await timed(lambda: ingest(uow, "poll_1"))
    assert changes.added == FACTS, changes
    async with again.on():
        reread, changes = await timed(lambda: ingest(uow, "poll_2"))
    assert (changes.added, changes.changed, changes.gone) == (0, 0, 0), changes
    copy, _ = await timed(lambda: copied(url))
    return iter(
        (
            line("COPY of the same facts, with key", copy),
            line("first load", loaded, f"{times(loaded, copy, 'COPY')}; {first}"),
            line("read again, unchanged", reread, f"{loaded / reread:.1f} x as fast as the first; {again}"),
        )
    )


def line(what: str, seconds: float, ratio: str = "") -> Row:
    return Row(what, f"{FACTS:,} facts", seconds, f"{FACTS / seconds:,.0f} facts/s", ratio)


async def copied(url: str) -> None:
    """The stored facts, through this process, into a table of the same shape and key."""
    columns = "source_id, bucket, series_id, quantity, cost"
    async with await psycopg.AsyncConnection.connect(libpq_url(url)) as connection, connection.cursor() as cursor:
        await cursor.execute(f"CREATE TABLE copied AS SELECT {columns} FROM usage_hours WITH NO DATA")
        await cursor.execute("ALTER TABLE copied ADD PRIMARY KEY (source_id, bucket, series_id)")
        async with cursor.copy(f"COPY (SELECT {columns} FROM usage_hours) TO STDOUT (FORMAT binary)") as out:
            stored = [bytes(block) async for block in out]
        async with cursor.copy(f"COPY copied ({columns}) FROM STDIN (FORMAT binary)") as into:
            for block in stored:
                await into.write(block)


async def main() -> None:
    async with database() as (url, engine):
        show(f"Ingesting {KEYS * HOURS:,} usage rows", list(await measure(engine, url)))


if __name__ == "__main__":
    spare_what_lives()  # as a worker does when it begins
    asyncio.run(main())
