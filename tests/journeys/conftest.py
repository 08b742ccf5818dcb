"""The stage that most journeys are played on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from service.workflows.ports.platform import Charts
from tests.factories import utc
from tests.fakes.ports import FakeCharts
from tests.journeys.stage import Stage, open_stage


@pytest.fixture
def charts() -> Charts:
    """Stand-ins: a real picture takes a process and half a second of a core, and most messages have one."""
    return FakeCharts()


@pytest.fixture
async def stage(database_url: str, engine: AsyncEngine, charts: Charts) -> AsyncIterator[Stage]:
    """Everything in place at noon of 20 October 2026, nothing spent, no budget."""
    async with open_stage(database_url, engine, utc("2026-10-20T12:00"), charts) as stage:
        yield stage
