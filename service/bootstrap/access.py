"""The part of the product that the commands about tokens need: two tables and a clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.adapters.postgres.access import access_uow_factory
from service.adapters.postgres.engine import create_engine
from service.bootstrap.clock import business_clock, wall_clock
from service.settings import Settings
from service.workflows.ports.access import AccessPorts


@asynccontextmanager
async def open_access(settings: Settings, url: str) -> AsyncIterator[AccessPorts]:
    """Connects to the database at `url`, whose schema must be up to date."""
    engine = create_engine(url)
    try:
        clock = await business_clock(settings, engine)
        yield AccessPorts(access_uow_factory(engine), lambda: clock.at(wall_clock()))
    finally:
        await engine.dispose()
