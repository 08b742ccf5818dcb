"""A server that is there and takes nothing: said with what to do, and over when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from service.adapters.postgres.addresses import libpq_url
from service.adapters.postgres.engine import create_engine
from service.adapters.postgres.migrate import upgrade
from service.adapters.postgres.unit_of_work import uow_factory
from service.workflows.ports.outages import Outages, StorageRefuses, StorageUnavailable
from service.workflows.ports.unit_of_work import UowFactory
from tests.adapters.postgres.queue.queue_runs import Recorder, until, worker

REFUSALS = [
    ("53100", "its disk is full"),
    ("53200", "run out of memory"),
    ("53300", "connections are in use"),
    ("58030", "answers with errors"),
]


async def fail_with(engine: AsyncEngine, code: str) -> None:
    async with uow_factory(engine, to_real=lambda at: at)() as unit:
        connection = unit._connection  # type: ignore[attr-defined]
        await connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$"))


@pytest.mark.parametrize(("code", "words"), REFUSALS)
async def test_what_a_server_refuses_of_everybody_says_what_to_do(engine: AsyncEngine, code: str, words: str) -> None:
    with pytest.raises(StorageRefuses, match=words):
        await fail_with(engine, code)


async def test_what_it_refuses_of_a_statement_is_a_defect_of_the_statement(engine: AsyncEngine) -> None:
    with pytest.raises(Exception, match="no") as caught:
        await fail_with(engine, "22012")
    assert not isinstance(caught.value, StorageUnavailable)


async def test_a_full_disk_while_a_job_is_queued_is_one_too(engine: AsyncEngine, uow: UowFactory) -> None:
    async def queue_a_job() -> None:
        async with uow() as unit:
            await unit.jobs.backtest("btst_1")

    refusing = (
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = '53100'; END $$;"
        " CREATE TRIGGER full_disk BEFORE INSERT ON procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION full_disk()"
    )
    async with engine.begin() as connection:
        for statement in refusing.split(";; "):
            await connection.exec_driver_sql(statement)
    try:
        with pytest.raises(StorageRefuses, match="disk is full"):
            await queue_a_job()
    finally:
        async with engine.begin() as connection:
            await connection.exec_driver_sql("DROP TRIGGER full_disk ON procrastinate_jobs")
            await connection.exec_driver_sql("DROP FUNCTION full_disk()")
    await queue_a_job()


@contextmanager
def read_only(database_url: str) -> Iterator[None]:
    """The database takes no writes for as long as the block lasts; sessions end when it begins and when it ends."""
    with psycopg.connect(libpq_url(database_url), autocommit=True) as connection:
        name = make_url(database_url).database
        connection.execute("SET default_transaction_read_only TO off")
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only TO on')
        _end_sessions(connection)
        try:
            yield
        finally:
            connection.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
            _end_sessions(connection)


def _end_sessions(connection: psycopg.Connection) -> None:
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


async def test_a_read_only_database_tells_writers_why_and_afterwards_all_goes_on(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    outages, recorder = Outages(), Recorder()
    engine = create_engine(empty_database_url)
    units = uow_factory(engine, to_real=lambda at: at, outages=outages)

    async def write() -> None:
        async with units() as unit:
            await unit.jobs.evaluate("src_1")

    async with worker(empty_database_url, recorder):
        with read_only(empty_database_url):
            async with units() as unit:
                assert await unit.budgets.all() == []
            with capture_logs() as lines, pytest.raises(StorageRefuses, match="read-only"):
                await write()
        await engine.dispose()
        await write()
        await until(lambda: recorder.done == ["evaluate src_1"])
    await engine.dispose()
    assert ["read-only" in line["reason"] for line in lines] == [True]


async def test_a_queue_leaves_the_sessions_that_began_while_the_database_was_read_only(empty_database_url: str) -> None:
    """Such a session stays read-only, also when the database is not any more."""
    upgrade(empty_database_url)
    recorder, engine = Recorder(), create_engine(empty_database_url)
    async with worker(empty_database_url, recorder) as queue:
        pool = queue._connector.pool
        async with AsyncExitStack() as held:
            for connection in [await held.enter_async_context(pool.connection()) for _ in range(3)]:
                await connection.execute("SET SESSION default_transaction_read_only TO on")
        async with uow_factory(engine, to_real=lambda at: at)() as unit:
            await unit.jobs.evaluate("src_1")
        await until(lambda: recorder.done == ["evaluate src_1"])
    await engine.dispose()


async def test_units_of_work_leave_such_sessions_too(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    engine = create_engine(empty_database_url, pool_size=1, max_overflow=0)
    units = uow_factory(engine, to_real=lambda at: at)

    async def write() -> None:
        async with units() as unit:
            await unit.jobs.evaluate("src_1")

    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.exec_driver_sql("SET SESSION default_transaction_read_only TO on")
    with pytest.raises(StorageRefuses, match="read-only"):
        await write()
    await write()
    await engine.dispose()
