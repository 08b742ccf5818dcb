"""The worker: a local ticker that queues what is due, and the jobs that do it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from service.domain.notify.escalation import PlannedStep
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.alerts.wake import run_wake
from service.workflows.backtest import run_backtest
from service.workflows.delivery.deliver import run_delivery
from service.workflows.digests.deliver import run_digest, run_due_digests
from service.workflows.notify.escalate import run_step
from service.workflows.notify.resend import INTERVAL, run_resend
from service.workflows.operation.upkeep import run_heartbeat, run_minute, run_retention
from service.workflows.ports.channels import Heartbeat
from service.workflows.ports.outages import DATABASE, Outages, StorageUnavailable, is_worth_a_line
from service.workflows.ports.unit_of_work import Ports
from service.workflows.rules.calibrate import run_due_calibration
from service.workflows.sources.backfill import run_backfill
from service.workflows.sources.ingest import run_due_polls, run_ingest

log = structlog.get_logger(__name__)

POLL_TICK = timedelta(seconds=5)
MINUTE_TICK = timedelta(minutes=1)
RETENTION_TICK = timedelta(hours=6)
SWEEP_TICK = timedelta(seconds=10)
CALIBRATION_TICK = timedelta(minutes=10)
"""One rule at a time: a thousand a week and worker."""
FASTEST_TICK = timedelta(milliseconds=250)


@dataclass(frozen=True, slots=True)
class JobHandlers:
    """Runs the queue's jobs. Each is safe to run twice."""

    ports: Ports

    async def poll(self, source_id: str, poll_id: str) -> None:
        await run_ingest(self.ports, source_id, poll_id)

    async def backfill(self, source_id: str, poll_id: str) -> None:
        await run_backfill(self.ports, source_id, poll_id)

    async def evaluate(self, source_id: str) -> None:
        await run_evaluation(self.ports, source_id)

    async def deliver(self) -> None:
        await run_delivery(self.ports)

    async def backtest(self, backtest_id: str) -> None:
        await run_backtest(self.ports, backtest_id)

    async def wake(self, alert_id: str) -> None:
        await run_wake(self.ports, alert_id)

    async def step(self, alert_id: str, policy_id: str, chain: int, round: int, step: int) -> None:
        await run_step(self.ports, PlannedStep(alert_id, policy_id, chain, round, step))

    async def digest(self, run_id: str) -> None:
        await run_digest(self.ports, run_id)


class JobQueue(Protocol):
    """The queue's other side: runs jobs until it has to stop, and frees what dead workers held."""

    async def run(self, stop: asyncio.Event) -> None: ...

    async def sweep(self) -> None: ...


Tick = Callable[[], Awaitable[object]]


async def work(
    ports: Ports,
    queue: JobQueue,
    stop: asyncio.Event,
    *,
    speed: float,
    keep: timedelta,
    heartbeat: Heartbeat | None = None,
) -> None:
    """Ticks and works until `stop` is set; running jobs are finished first. `speed` is the clock's.

    `heartbeat` is sent every minute of real time. Ticks that take long, or call the world outside, run first after
    their interval, so that a start waits for nobody.
    """
    scheduler = AsyncIOScheduler(timezone="UTC")
    ticks: list[tuple[str, timedelta, Tick]] = [
        ("polls", _real(POLL_TICK, speed), lambda: run_due_polls(ports)),
        ("minute", _real(MINUTE_TICK, speed), lambda: run_minute(ports)),
        ("digests", _real(MINUTE_TICK, speed), lambda: run_due_digests(ports)),
        ("retention", _real(RETENTION_TICK, speed), lambda: run_retention(ports, keep)),
        ("sweep", SWEEP_TICK, queue.sweep),
    ]
    calls: list[tuple[str, timedelta, Tick]] = [
        ("resend", INTERVAL, lambda: run_resend(ports)),
        ("calibration", _real(CALIBRATION_TICK, speed), lambda: run_due_calibration(ports)),
    ]
    if heartbeat is not None:
        calls.append(("heartbeat", MINUTE_TICK, lambda: run_heartbeat(ports, heartbeat)))
    for name, interval, tick in [*ticks, *calls]:
        scheduler.add_job(
            _ended_by_the_stop(_guarded(name, tick, ports.outages)),
            "interval",
            seconds=interval.total_seconds(),
            id=name,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
    for name, _, tick in ticks:
        await _guarded(name, tick, ports.outages)()
    scheduler.start()
    try:
        await queue.run(stop)
    finally:
        _end(scheduler)


def _end(scheduler: AsyncIOScheduler) -> None:
    """Ends the ticks. The shutdown comes a turn of the loop later, and would log a tick that begins until then."""
    scheduler.pause()
    scheduler.shutdown(wait=False)


def _real(interval: timedelta, speed: float) -> timedelta:
    """Returns the real time of an interval of business time, never so short that it starves the jobs."""
    return max(interval / max(speed, 1.0), FASTEST_TICK)


def _ended_by_the_stop(run: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Lets the stop end a tick without a traceback: what it did not commit is done at the next start."""

    async def ended() -> None:
        with suppress(asyncio.CancelledError):
            await run()

    return ended


def _guarded(name: str, tick: Tick, outages: Outages) -> Callable[[], Awaitable[None]]:
    """Lets a tick that fails come again. A database that is away is an outage, and a defect a traceback.

    A defect that comes back at every tick is one that lasts: its traceback is logged as seldom as an outage's line.
    """
    failures = 0

    async def run() -> None:
        nonlocal failures
        try:
            await tick()
        except StorageUnavailable as error:
            outages.failed(DATABASE, str(error))
        except Exception:
            failures += 1
            if is_worth_a_line(failures):
                log.exception("tick_failed", tick=name, failures=failures)
        else:
            failures = 0

    return run
