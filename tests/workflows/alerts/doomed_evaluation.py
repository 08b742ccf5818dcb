"""Evaluations that end between slices or inside one: in this process, or as a process of its own that is killed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from typing import Any

from service.adapters.postgres.engine import create_engine
from service.adapters.postgres.unit_of_work import uow_factory
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.ports.spans import NoSpans
from service.workflows.ports.unit_of_work import Ports, UnitOfWork, UowFactory
from tests.fakes.clock import FakeClock, real_time_of
from tests.workflows.yard import Killed

_PROCESSES = get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


def ends_in(uow: UowFactory, number: int, *, committed: bool) -> UowFactory:
    """Transactions of which the one of this number, from 1, is the last: it ends before or after its commit."""
    begun = 0

    @asynccontextmanager
    async def doomed() -> AsyncIterator[UnitOfWork]:
        nonlocal begun
        begun += 1
        async with uow() as unit:
            yield unit
            if begun == number and not committed:
                raise Killed
        if begun == number:
            raise Killed

    return doomed


def start(url: str, now: datetime, source_id: str) -> ForkServerProcess:
    """Starts an evaluation whose process is killed after its first slice; whoever calls has to join it."""
    process = _PROCESSES.Process(target=_run, args=(url, now, source_id), daemon=True)
    process.start()
    return process


@dataclass
class _DeadlyClock:
    """Tells the time once; an evaluation asks again before its second slice."""

    now: datetime
    asked: bool = False

    def __call__(self) -> datetime:
        if self.asked:
            os.kill(os.getpid(), signal.SIGKILL)
        self.asked = True
        return self.now


def _run(url: str, now: datetime, source_id: str) -> None:
    asyncio.run(_evaluate(url, now, source_id))


async def _evaluate(url: str, now: datetime, source_id: str) -> None:
    unused: Any = None
    uow = uow_factory(create_engine(url), to_real=real_time_of(FakeClock(now)))
    ports = replace(Ports(*[unused] * len(fields(Ports))), uow=uow, clock=_DeadlyClock(now), spans=NoSpans())
    await run_evaluation(ports, source_id)
