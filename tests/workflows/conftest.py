from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.fakes.clock import FakeClock
from tests.workflows.yard import Yard, open_yard


@pytest.fixture(autouse=True)
def _plain_log() -> Iterator[None]:
    """Not the unconfigured log's renderer, which takes seconds to paint an exception with all its variables."""
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])
    yield
    structlog.reset_defaults()


@pytest.fixture
async def yard(database_url: str, engine: AsyncEngine, clock: FakeClock) -> AsyncIterator[Yard]:
    """At noon of 16 November 2026, before the first poll."""
    async with open_yard(database_url, engine, clock) as yard:
        yield yard
