"""The ticker outlives whatever a tick raises, and says no more of it than helps."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from structlog.testing import capture_logs

from service.worker import work
from service.workflows.ports.unit_of_work import Ports, StorageUnavailable, UnitOfWork
from tests.fakes.clock import FakeClock


@dataclass
class IdleQueue:
    """Has no job, and has nothing to free."""

    async def run(self, stop: asyncio.Event) -> None: ...

    async def sweep(self) -> None: ...


def ports_that_raise(error: Exception) -> Ports:
    def uow() -> AbstractAsyncContextManager[UnitOfWork]:
        raise error

    return cast("Ports", SimpleNamespace(uow=uow, clock=FakeClock(), storage=None))


@pytest.mark.parametrize(
    ("error", "event", "has_traceback"),
    [
        (StorageUnavailable("the database cannot be reached"), "tick_skipped", False),
        (ZeroDivisionError("a defect"), "tick_failed", True),
    ],
)
async def test_a_database_that_is_away_is_a_line_and_a_defect_a_traceback(
    error: Exception, event: str, has_traceback: bool
) -> None:
    with capture_logs() as logged:
        await work(ports_that_raise(error), IdleQueue(), asyncio.Event(), speed=1.0, keep=timedelta(days=1))
    polls = next(entry for entry in logged if entry.get("tick") == "polls")
    assert (polls["event"], bool(polls.get("exc_info"))) == (event, has_traceback)
