"""How fast notifications leave: with none and with a million finished ones stored, beside Alertmanager where it is.

    python benchmarks/delivery.py      # three minutes, most to store a million; its own PostgreSQL, gone afterwards

The receiver is a webhook in a process of its own, the sender is the worker's own function. A rate is over the time from
the start of the delivery until the last notification is recorded, the median of three. A single alert's milliseconds
are those from its commit until its message is received, through the queue. Statements are those of SQLAlchemy; the
queue's own are not among them. Alertmanager's time is that from the alerts' POST until the last one is received.
"""

from __future__ import annotations

import asyncio
import logging
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import structlog
from delivering import alertmanager
from delivering.outbox import add_due, add_finished, furnish, notification, opening
from delivering.receiver import Receiver, receiver
from report import exponent, report
from rich.console import Console
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from storing.table import database

from service.adapters.channels.dependencies import Dependencies
from service.adapters.channels.factory import ChannelFactory
from service.adapters.charts import ChildCharts
from service.adapters.cron import CrontabReader
from service.adapters.egress.aiohttp_connector import connectors
from service.adapters.egress.guard import Guard, parse_networks
from service.adapters.egress.httpx_transport import open_transport
from service.adapters.postgres.queue.queue import Queue
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.unit_of_work import uow_factory
from service.adapters.signer import HmacSigner
from service.adapters.vault import FernetVault
from service.domain.notify.channels.webhook import Webhook
from service.worker import JobHandlers
from service.workflows.delivery.deliver import run_delivery
from service.workflows.ports.platform import Egress
from service.workflows.ports.unit_of_work import Ports

COUNTS = (100, 500, 2000)
FINISHED = 1_000_000
ROUNDS = 3
SINGLE = 50
COMMIT = "COMMIT"
APART = 0.11
"""Seconds between single alerts: no part of a second, so that they come at every moment of one."""


def now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def statements(engine: AsyncEngine) -> Iterator[Counter[str]]:
    """Counts the statements inside the block, by their first word; transactions are "COMMIT"."""
    seen: Counter[str] = Counter()

    def execute(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen[statement.split(maxsplit=1)[0]] += 1

    def commit(_connection: object) -> None:
        seen[COMMIT] += 1

    event.listen(engine.sync_engine, "before_cursor_execute", execute)
    event.listen(engine.sync_engine, "commit", commit)
    try:
        yield seen
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", execute)
        event.remove(engine.sync_engine, "commit", commit)


async def measure(ports: Ports, engine: AsyncEngine, received: Receiver, stored: int) -> dict[int, float]:
    """Reports what each number of notifications costs; seconds by number."""
    seconds = {}
    for count in COUNTS:
        runs = [await _drain(ports, engine, received, f"due_{stored}_{count}_{n}_", count) for n in range(ROUNDS)]
        seconds[count] = statistics.median(run.seconds for run in runs)
        what = f"delivery of {count:,}, {stored:,} finished"
        report(f"{what}: rate", count / seconds[count], "a second", target=">= 500")
        report(f"{what}: processor", statistics.median(run.processor for run in runs) / count * 1000, "ms each")
        report(f"{what}: statements", runs[-1].statements / count, "each")
        report(f"{what}: commits", runs[-1].commits / count, "each")
    report(f"delivery, {stored:,} finished: growth exponent", exponent(seconds), "", target="<= 1.1")
    return seconds


@dataclass(frozen=True, slots=True)
class Run:
    """`processor` is this process's own time, in seconds as the other one is."""

    seconds: float
    processor: float
    statements: int
    commits: int


async def _drain(ports: Ports, engine: AsyncEngine, received: Receiver, name: str, count: int) -> Run:
    await add_due(engine, name, count)
    with statements(engine) as seen:
        began, busy = time.monotonic(), time.process_time()
        assert await run_delivery(ports) == count
        run = Run(time.monotonic() - began, time.process_time() - busy, seen.total() - seen[COMMIT], seen[COMMIT])
    assert len({one.id for one in await received.wait_for(count)}) == count
    return run


async def measure_single(ports: Ports, url: str, webhook: Webhook, received: Receiver, stored: int) -> None:
    """Reports how long single alerts are under way, each committed while a worker waits for jobs."""
    stop, took = asyncio.Event(), []
    async with Queue.open(url, JobHandlers(ports)) as queue:
        worker = asyncio.create_task(queue.run(stop))
        await asyncio.sleep(1)
        for number in range(SINGLE):
            committed = await _open_alert(ports, f"single_{stored}_{number}", webhook)
            (arrival,) = await received.wait_for(1)
            took.append(arrival.at - committed)
            await asyncio.sleep(APART)
        stop.set()
        await worker
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    report(f"single alert, {stored:,} finished: commit to received, p50", cuts[49] * 1000, "ms")
    report(f"single alert, {stored:,} finished: commit to received, p99", cuts[98] * 1000, "ms", target="< 250")


async def _open_alert(ports: Ports, id: str, webhook: Webhook) -> float:
    at = now()
    async with ports.uow() as uow:
        await uow.alerts.save(opening(id, at))
        await uow.notifications.add(notification(id, f"ntf_{id}", webhook, at))
        await uow.jobs.deliver(at)
    return time.monotonic()


@cache
def vault() -> FernetVault:
    return FernetVault("a secret key of the benchmark")


async def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    guard = Guard(parse_networks("127.0.0.0/8"))
    with receiver() as received:
        async with database() as (url, engine), open_transport(guard, proxy=None) as transport:
            channels = Dependencies(
                vault=vault(),
                transport=transport,
                connector=connectors(guard, None),
                smtp_url=None,
                email_from="tocsin@example.com",
                terminal=Console(),
            )
            ports = Ports(
                uow=uow_factory(engine, to_real=lambda instant: instant),
                storage=PostgresStorage(engine),
                sources=None,  # type: ignore[arg-type]  # nothing is read
                channels=ChannelFactory(channels),
                egress=Egress(guard, guard),
                vault=vault(),
                price_book=None,  # type: ignore[arg-type]
                clock=now,
                public_url="http://tocsin.example",
                cron=CrontabReader(),
                charts=ChildCharts(),
                signer=HmacSigner("a secret key of the benchmark"),
            )
            webhook = await furnish(ports.uow, vault(), received.url, now())
            for stored in (0, FINISHED):
                if stored:
                    await add_finished(engine, "old_", stored)
                await measure(ports, engine, received, stored)
                await measure_single(ports, url, webhook, received, stored)
        await measure_alertmanager(received)


async def measure_alertmanager(received: Receiver) -> None:
    seconds = await alertmanager.seconds(received, COUNTS)
    if seconds is None:
        print(f"{alertmanager.PROGRAM} is not installed: nothing to measure beside")
        return
    for count, took in seconds.items():
        report(f"Alertmanager, {count:,} alerts, in memory: rate", count / took, "a second")
    report("Alertmanager: growth exponent", exponent(seconds), "")


if __name__ == "__main__":
    asyncio.run(main())
