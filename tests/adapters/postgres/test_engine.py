"""Sessions: each is bounded by the server, and whoever used one for too long hears that the database is away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from service.adapters.postgres.engine import FOR_CALLERS, FOR_JOBS, PREPARE_AFTER, SessionBounds, create_engine
from service.adapters.postgres.unit_of_work import uow_factory
from service.workflows.ports.outages import StorageBusy, StorageUnavailable
from service.workflows.ports.unit_of_work import UowFactory

LONG = timedelta(minutes=5)
SHORT = timedelta(milliseconds=100)


@asynccontextmanager
async def pool_of_one(url: str, bounds: SessionBounds) -> AsyncIterator[tuple[AsyncEngine, UowFactory]]:
    engine = create_engine(url, pool_size=1, max_overflow=0, bounds=bounds)
    yield engine, uow_factory(engine, to_real=lambda at: at)
    await engine.dispose()


@pytest.mark.parametrize("bounds", [FOR_JOBS, FOR_CALLERS])
async def test_the_server_knows_how_long_a_session_may_go_on(database_url: str, bounds: SessionBounds) -> None:
    async with pool_of_one(database_url, bounds) as (engine, _), engine.connect() as connection:
        for setting, bound in (
            ("statement_timeout", bounds.statement),
            ("idle_in_transaction_session_timeout", bounds.idle),
        ):
            shown = (await connection.execute(text(f"SELECT current_setting('{setting}')::interval"))).scalar_one()
            assert shown == bound


async def test_a_statement_that_takes_too_long_is_ended(database_url: str, engine: AsyncEngine) -> None:
    async def wait_for_a_lock(uow: UowFactory) -> None:
        async with uow() as unit:
            await unit.become_only_writer()

    async with pool_of_one(database_url, SessionBounds(SHORT, LONG)) as (_, uow), engine.begin() as other:
        await other.execute(text(f"SELECT pg_advisory_xact_lock({0x70C5_0003})"))
        with pytest.raises(StorageUnavailable, match="took too long"):
            await wait_for_a_lock(uow)


async def test_a_session_is_not_waited_for_without_end(database_url: str) -> None:
    async with pool_of_one(database_url, SessionBounds(LONG, LONG, wait=SHORT)) as (_, uow), uow():
        with pytest.raises(StorageBusy, match="all connections to the database that this process may have are in use"):
            await uow().__aenter__()


async def test_a_full_pool_is_no_outage_of_the_database(database_url: str) -> None:
    async with pool_of_one(database_url, SessionBounds(LONG, LONG, wait=SHORT)) as (_, uow), uow():
        with capture_logs() as lines:
            for _ in range(3):
                with pytest.raises(StorageBusy):
                    await uow().__aenter__()
    assert [(line["event"], line["most"]) for line in lines] == [("connections_in_use", 1)]


async def test_a_transaction_that_does_nothing_for_too_long_is_ended(database_url: str, engine: AsyncEngine) -> None:
    async with pool_of_one(database_url, SessionBounds(LONG, SHORT)) as (_, uow):
        with pytest.raises(StorageUnavailable, match="cannot be reached"):
            await _stay_idle(uow, engine)
        async with uow() as unit:  # another session has taken its place
            assert await unit.budgets.all() == []


async def _stay_idle(uow: UowFactory, engine: AsyncEngine) -> None:
    idle = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = :state")
    async with uow() as unit:
        await unit.budgets.all()
        async with engine.connect() as watcher:
            while (await watcher.execute(idle, {"state": "idle in transaction"})).scalar_one():
                await watcher.rollback()
        await unit.budgets.all()


@pytest.mark.parametrize(("threshold", "prepared"), [(PREPARE_AFTER, 1), (None, 0)])
async def test_statements_are_prepared_by_name_unless_a_pooler_cannot_follow(
    database_url: str, threshold: int | None, prepared: int
) -> None:
    engine = create_engine(database_url, pool_size=1, max_overflow=0, prepare_threshold=threshold)
    async with engine.connect() as connection:
        for _ in range(2 * PREPARE_AFTER):
            await connection.execute(text("SELECT 'asked again and again'"))
        found = await connection.execute(text("SELECT name FROM pg_prepared_statements WHERE statement LIKE '%again%'"))
        assert len(found.all()) == prepared
    await engine.dispose()
