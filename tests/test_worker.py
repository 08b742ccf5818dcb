"""The ticker outlives whatever a tick raises, and says no more of it than helps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import MutableMapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from structlog.testing import capture_logs

from service.worker import work
from service.workflows.ports.outages import Outages, StorageUnavailable
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from tests.fakes.clock import FakeClock

TICKS_AT_THE_START = 4
"""Those that ask the database."""
TURNS_OF_A_SHUTDOWN = 5


@dataclass
class IdleQueue:
    """Has no job, and has nothing to free."""

    async def run(self, stop: asyncio.Event) -> None: ...

    async def sweep(self) -> None: ...


def ports_that_raise(error: Exception) -> Ports:
    def uow() -> AbstractAsyncContextManager[UnitOfWork]:
        raise error

    return cast("Ports", SimpleNamespace(uow=uow, clock=FakeClock(), storage=None, outages=Outages()))


async def lines_of(error: Exception) -> list[MutableMapping[str, Any]]:
    """The log of a start at which every tick raises the error."""
    with capture_logs() as logged:
        await work(ports_that_raise(error), IdleQueue(), asyncio.Event(), speed=1.0, keep=timedelta(days=1))
    return logged


async def test_a_database_that_is_away_is_one_line_whatever_ticks() -> None:
    lines = await lines_of(StorageUnavailable("the database cannot be reached"))
    (line,) = [line for line in lines if "tick" not in line]
    assert (line["event"], line["system"], line["reason"]) == (
        "outage_begins",
        "database",
        "the database cannot be reached",
    )


async def test_a_defect_of_a_tick_is_a_traceback() -> None:
    polls = next(line for line in await lines_of(ZeroDivisionError("a defect")) if line.get("tick") == "polls")
    assert (polls["event"], polls["exc_info"], polls["failures"]) == ("tick_failed", True, 1)


@dataclass
class Interrupted(IdleQueue):
    """Is told to stop by an event of its test."""

    waits: asyncio.Event

    async def run(self, stop: asyncio.Event) -> None:
        await self.waits.wait()


async def test_a_tick_that_the_stop_ends_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    calls, waits = count(), asyncio.Event()

    class Waiting:
        async def __aenter__(self) -> UnitOfWork:
            if next(calls) < TICKS_AT_THE_START:
                raise StorageUnavailable("the database cannot be reached")
            waits.set()
            await asyncio.Event().wait()
            raise AssertionError("nothing ends this but the stop")

        async def __aexit__(self, *_: object) -> None: ...

    ports = cast("Ports", SimpleNamespace(uow=Waiting, clock=FakeClock(), storage=None, outages=Outages()))
    with capture_logs():
        await work(ports, Interrupted(waits), asyncio.Event(), speed=1e6, keep=timedelta(days=1))
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_tick_that_is_due_as_the_work_stops_is_no_error(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    due, wakeup = asyncio.Event(), AsyncIOScheduler.wakeup
    calls = count()

    def woken(scheduler: AsyncIOScheduler) -> None:
        if next(calls) > 0:  # the first one is the start's
            due.set()
        wakeup(scheduler)

    monkeypatch.setattr(AsyncIOScheduler, "wakeup", woken)
    ports = ports_that_raise(StorageUnavailable("the database cannot be reached"))
    with capture_logs():
        await work(ports, Interrupted(due), asyncio.Event(), speed=1e6, keep=timedelta(days=1))
        for _ in range(TURNS_OF_A_SHUTDOWN):
            await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
