"""What the tests of the queue share: handlers that take notes, a worker to run them, a look at the jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.queue.queue import Handlers, Queue


@dataclass
class Recorder:
    """Handlers that note what they were called with; one that is told to fails or waits first."""

    done: list[str] = field(default_factory=list)
    before: Callable[[str], Awaitable[None]] | None = None

    async def poll(self, source_id: str, poll_id: str) -> None:
        await self._note(f"poll {source_id} {poll_id}")

    async def backfill(self, source_id: str, poll_id: str) -> None:
        await self._note(f"backfill {source_id} {poll_id}")

    async def evaluate(self, source_id: str) -> None:
        await self._note(f"evaluate {source_id}")

    async def deliver(self) -> None:
        await self._note("deliver")

    async def backtest(self, backtest_id: str) -> None:
        await self._note(f"backtest {backtest_id}")

    async def wake(self, alert_id: str) -> None:
        await self._note(f"wake {alert_id}")

    async def step(self, alert_id: str, policy_id: str, chain: int, round: int, step: int) -> None:
        await self._note(f"step {alert_id} {policy_id} {chain} {round} {step}")

    async def digest(self, run_id: str) -> None:
        await self._note(f"digest {run_id}")

    async def _note(self, job: str) -> None:
        if self.before is not None:
            await self.before(job)
        self.done.append(job)


@asynccontextmanager
async def worker(url: str, handlers: Handlers, grace: timedelta = timedelta(seconds=20)) -> AsyncIterator[Queue]:
    stop = asyncio.Event()
    async with Queue.open(url, handlers) as queue:
        running = asyncio.create_task(queue.run(stop, grace=grace))
        try:
            yield queue
        finally:
            stop.set()
            await running


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while True:
            answer = condition()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.02)


async def jobs(engine: AsyncEngine) -> list[str]:
    """Task and status of every job there is, in the order of their making."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT task_name || ' ' || status::text FROM procrastinate_jobs ORDER BY id")
        )
        return list(rows.scalars())
