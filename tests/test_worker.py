"""The ticker outlives whatever a tick raises, and says no more of it than helps."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from structlog.testing import capture_logs

from service.worker import work
from service.workflows.ports.outages import Outages, StorageUnavailable
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from tests.fakes.clock import FakeClock


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
