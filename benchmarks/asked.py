"""What people wait for over REST: requests at a steady rate, on a store of 1,000 workspaces and 5 M facts.

    python benchmarks/asked.py              # about three minutes; its own PostgreSQL and `tocsin api`, gone afterwards
    python benchmarks/asked.py 10000 10     # other workspaces, requests a second

Each question is asked 50 times a second for ten seconds, whether earlier ones are answered or not, by one process of
another one; a figure is the time from when it was due to its whole answer. Beside it `/healthz` at the same rate: what
the server, the connection and this program take themselves. Pages are asked one after another, as a person does.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter

import httpx
from report import report
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from storing.table import database

from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.unit_of_work import uow_factory
from service.domain.budgets.budget import Budget
from service.domain.digests.digest import DigestPlan
from service.domain.notify.channels.console import Console
from service.domain.notify.receivers import Receiver
from service.domain.sources.source import Source, SourceKind, SourceState
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec, Window
from service.domain.values.resources import Resource, Sealed
from service.domain.values.scopes import Dimension, Scope
from service.domain.values.utc import day_start

WORKSPACES = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
RATE = int(sys.argv[2]) if len(sys.argv) > 2 else 50
SECONDS, MEASURES, DAYS = 10, 7, 71
TOKEN = "tcn_FAKE-token-of-the-benchmark"
QUESTIONS = {
    "`/healthz`": "/healthz",
    "`/v1/spend`, 30 days": "/v1/spend",
    "`/v1/spend`, 30 days by workspace, a page of them": "/v1/spend?group_by=workspace&limit=2",
    "`/v1/spend/breakdown` by workspace": "/v1/spend/breakdown",
    "a budget's status": "/v1/budgets/everything/status",
    "a `for_each` budget's status, a page": "/v1/budgets/each/status",
}
PAGES = (
    "/",
    "/pages/spend",
    "/pages/spend?days=90&by=api_key",
    "/pages/spend?days=7&by=workspace&then=token_type",
    "/pages/spend?days=30&by=workspace&then=token_type",
    "/pages/chargeback",
    "/pages/owners",
    "/pages/prices",
    "/pages/claude-code",
    "/pages/budgets",
    "/pages/budgets/bdg_2",
    "/pages/rules",
    "/pages/sources",
    "/pages/receivers",
    "/pages/digests",
    "/pages/digests/dig_1",
    "/pages/planned-activities",
    "/pages/alerts",
)
TIMES = 15
FACTS = (
    "INSERT INTO usage_hours SELECT 'src_1', CAST(:start AS timestamptz) + h * interval '1 hour', s, 1000, 1.25"
    " FROM generate_series(0, 30 * 24 - 1) h, generate_series(1, :series) s"
)
SPEND = (
    "INSERT INTO spend_days SELECT 'src_1', CAST(:day AS date) + d, 'wrkspc_' || w, 'claude-sonnet-4-5',"
    " 'apikey_' || w, 1.25, 0, 1.25, 0, 0, 0, 0, 0"
    " FROM generate_series(0, :days - 1) d, generate_series(1, :workspaces) w"
)
PROFILES = (
    "INSERT INTO usage_day_profiles SELECT 'src_1', CAST(:day AS date) + d, 'wrkspc_' || w, 'claude-sonnet-4-5',"
    " 'apikey_' || w, array_fill(0.05::float8, ARRAY[24])"
    " FROM generate_series(0, :days - 1) d, generate_series(1, :workspaces) w"
)
VERSIONS = (
    "INSERT INTO day_versions SELECT 'src_1', CAST(:day AS date) + d, CAST(:day AS date) + d + later, false, later = 2"
    " FROM generate_series(0, :days - 1) d, generate_series(0, 2) later WHERE d + later < :days"
)
BUCKETS = (
    "INSERT INTO known_buckets SELECT 'src_1', '1d', CAST(:start AS timestamptz) + d * interval '1 day', true"
    " FROM generate_series(0, :days - 2) d"
)


SEEN = (
    "INSERT INTO seen SELECT 'src_1', kind, name || w, 'member ' || w,"
    " CASE kind WHEN 'api_key' THEN 'wrkspc_' || w ELSE '' END, 'active', :now, :now"
    " FROM generate_series(1, :workspaces) w,"
    " (VALUES ('workspace', 'wrkspc_'), ('api_key', 'apikey_')) AS members(kind, name)"
)


async def furnish(engine: AsyncEngine, now: datetime) -> None:
    uow = uow_factory(engine, to_real=lambda instant: instant)
    spec = Source(SourceKind.CLAUDE_ADMIN, "http://127.0.0.1:1", Sealed("", "", ""), enabled=False)
    budget = Budget("src_1", Scope(), Money.of("100000"), PeriodSpec(PeriodKind.MONTHLY), ())
    async with uow() as unit:
        await unit.sources.add(Resource("src_1", "claude", 1, now, now, {}, spec))
        await unit.polling_states.add(SourceState("src_1", 0, now, cost_read_at=now))
        await unit.budgets.add(Resource("bdg_1", "everything", 1, now, now, {}, budget))
        each = replace(budget, for_each=Dimension.WORKSPACE)
        await unit.budgets.add(Resource("bdg_2", "each", 1, now, now, {}, each))
        await unit.receivers.add(Resource("rcv_1", "console", 1, now, now, {}, Receiver((Console(),))))
        digest = DigestPlan("src_1", "rcv_1", "0 9 * * 1")
        await unit.digests.add(Resource("dig_1", "weekly", 1, now, now, {}, digest))
    month, first = day_start(now) - timedelta(days=30), day_start(now) - timedelta(days=DAYS - 1)
    await PostgresStorage(engine).make_room(Window(month, now + timedelta(days=1)))
    async with engine.begin() as connection:
        await connection.execute(text(FACTS), {"start": month, "series": WORKSPACES * MEASURES})
        places = {"day": first.date(), "days": DAYS, "workspaces": WORKSPACES}
        await connection.execute(text(SPEND), places)
        await connection.execute(text(PROFILES), places)
        await connection.execute(text(VERSIONS), {"day": first.date(), "days": DAYS})
        await connection.execute(text(BUCKETS), {"start": first, "days": DAYS})
        await connection.execute(text(SEEN), {"now": now, "workspaces": WORKSPACES})
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("VACUUM ANALYZE"))


@asynccontextmanager
async def api(url: str) -> AsyncIterator[httpx.AsyncClient]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"DATABASE_URL": url, "SECRET_KEY": "FAKE-secret-key", "ADMIN_TOKEN": TOKEN, "PORT": str(port)}
    environment = os.environ | {f"TOCSIN_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-c", "from service.cli.app import main; main()", "api"]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=subprocess.DEVNULL)
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
    headers, address = {"Authorization": f"Bearer {TOKEN}"}, f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=address, headers=headers, timeout=60, limits=limits) as client:
            await until_ready(client)
            yield client
    finally:
        process.terminate()
        await process.wait()


async def until_ready(client: httpx.AsyncClient) -> None:
    for _ in range(300):
        try:
            if (await client.get("/readyz")).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.2)
    raise SystemExit("the API did not come up")


async def waits(client: httpx.AsyncClient, path: str) -> tuple[list[float], int]:
    """Seconds from when each request was due to its whole answer, the shortest first, and how many were refused.

    A server that is saturated answers 503.
    """
    (await client.get(path)).raise_for_status()
    begun, refused = perf_counter(), 0

    async def ask(due: float) -> float:
        nonlocal refused
        await asyncio.sleep(due - perf_counter())
        refused += (await client.get(path)).is_error
        return perf_counter() - due

    found = sorted(await asyncio.gather(*(ask(begun + number / RATE) for number in range(RATE * SECONDS))))
    return found, refused


async def page_seconds(client: httpx.AsyncClient, path: str) -> list[float]:
    """Seconds of each of some requests one after another, the shortest first."""
    took = []
    for _ in range(TIMES):
        begun = perf_counter()
        (await client.get(path)).raise_for_status()
        took.append(perf_counter() - begun)
    return sorted(took)


async def ask_pages(client: httpx.AsyncClient) -> None:
    entered = await client.post("/sign-in", data={"token": TOKEN}, headers={"Origin": str(client.base_url).rstrip("/")})
    if entered.status_code != httpx.codes.SEE_OTHER:
        raise SystemExit(f"the sign-in was answered {entered.status_code}")
    for path in PAGES:
        took = await page_seconds(client, path)
        longest = f"longest of {TIMES}: {took[-1] * 1000:.3g} ms"
        name = f"page `{path}`, {WORKSPACES:,} workspaces"
        report(f"{name}: half within", took[TIMES // 2] * 1000, "ms", anchor=longest, target="< 300")


async def main() -> None:
    async with database() as (url, engine):
        await furnish(engine, datetime.now(UTC))
        async with api(url) as client:
            await ask_pages(client)
            for name, path in QUESTIONS.items():
                found, refused = await waits(client, path)
                p50, p99 = found[len(found) // 2], found[len(found) * 99 // 100]
                size = f"{WORKSPACES:,} workspaces, {RATE} a second"
                report(
                    f"{name}, {size}: p99",
                    p99 * 1000,
                    "ms",
                    anchor=f"half within {p50 * 1000:.3g} ms, refused {refused}",
                )


if __name__ == "__main__":
    asyncio.run(main())
