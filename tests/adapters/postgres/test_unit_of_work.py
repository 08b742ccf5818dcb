"""Transactions: whole or not at all, and a clear word when there is no database."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from service.adapters.postgres.addresses import libpq_url
from service.adapters.postgres.engine import create_engine
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.unit_of_work import uow_factory
from service.domain.values.errors import NotFound
from service.domain.values.periods import Window
from service.workflows.ports.outages import CALM, Outages, StorageUnavailable
from service.workflows.ports.unit_of_work import UowFactory
from tests.factories import LONG_AGO, budget, resource


async def test_leaving_the_block_commits(uow: UowFactory) -> None:
    async with uow() as unit:
        await unit.budgets.add(resource("bdg_1", budget()))
    async with uow() as unit:
        assert (await unit.budgets.get("bdg_1")).spec == budget()


async def test_an_error_in_the_block_rolls_everything_back_and_comes_out_unchanged(uow: UowFactory) -> None:
    async def fail() -> None:
        async with uow() as unit:
            await unit.budgets.add(resource("bdg_1", budget()))
            await unit.jobs.evaluate("src_1")
            await unit.budgets.get("bdg_9")

    with pytest.raises(NotFound):
        await fail()
    async with uow() as unit:
        assert await unit.budgets.all() == []


async def test_nothing_is_visible_outside_before_the_end(uow: UowFactory) -> None:
    async with uow() as writer:
        await writer.budgets.add(resource("bdg_1", budget()))
        async with uow() as reader:
            assert await reader.budgets.all() == []


async def test_a_database_that_is_not_there_is_unavailable() -> None:
    nowhere = create_engine("postgresql://nobody@127.0.0.1:1/nothing")

    async def enter() -> None:
        async with uow_factory(nowhere, to_real=lambda at: at)():
            pass

    with pytest.raises(StorageUnavailable, match="cannot be reached"):
        await enter()
    await nowhere.dispose()


async def test_fact_tables_of_a_database_that_is_not_there_are_unavailable() -> None:
    nowhere = create_engine("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(StorageUnavailable, match="cannot be reached"):
        await PostgresStorage(nowhere).make_room(Window(LONG_AGO, LONG_AGO + timedelta(days=1)))
    await nowhere.dispose()


async def test_an_outage_is_noted_once_by_all_who_use_the_database(engine: AsyncEngine) -> None:
    outages, nowhere = Outages(), create_engine("postgresql://nobody@127.0.0.1:1/nothing")
    away, well = (uow_factory(one, lambda at: at, outages) for one in (nowhere, engine))
    with capture_logs() as lines:
        for _ in range(3):
            with pytest.raises(StorageUnavailable):
                await away().__aenter__()
        for _ in range(CALM + 1):
            async with well():
                pass
    assert [(line["event"], line["system"]) for line in lines] == [
        ("outage_begins", "database"),
        ("outage_ends", "database"),
    ]
    await nowhere.dispose()


@pytest.mark.parametrize("used_next", ["a store", "the queue"])
async def test_a_connection_lost_inside_the_block_is_unavailable(
    uow: UowFactory, engine: AsyncEngine, database_url: str, used_next: str
) -> None:
    async def lose_it() -> None:
        async with uow() as unit:
            await unit.budgets.all()
            await disconnect_others(engine)
            if used_next == "a store":
                await unit.budgets.all()
            await unit.jobs.poll("src_1", "poll_1")

    with pytest.raises(StorageUnavailable):
        await lose_it()
    async with uow() as unit:
        assert await unit.budgets.all() == []


async def disconnect_others(engine: AsyncEngine) -> None:
    """As a restart of the server would, but only sessions that are inside a transaction."""
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state = 'idle in transaction' AND pid <> pg_backend_pid()"
            )
        )


async def test_sessions_speak_utc(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert await connection.scalar(text("SHOW timezone")) == "UTC"
        now = await connection.scalar(text("SELECT now()"))
    assert now is not None
    assert now.utcoffset() == LONG_AGO.utcoffset()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_a_url_reaches_the_same_place(scheme: str) -> None:
    url = f"{scheme}://tocsin:p%40ss@db.example/tocsin?sslmode=require"
    assert libpq_url(url) == "postgresql://tocsin:p%40ss@db.example/tocsin?sslmode=require"


async def test_the_only_writer_sees_what_it_has_written_itself(uow: UowFactory) -> None:
    async with uow() as unit:
        await unit.budgets.add(resource("bdg_1", budget(), name="first"))
        await unit.become_only_writer()
        assert [one.name for one in await unit.budgets.all()] == ["first"]
        await unit.budgets.add(resource("bdg_2", budget(), name="second"))
        assert await unit.budgets.named() == {"bdg_1": "first", "bdg_2": "second"}
        await unit.budgets.replace(resource("bdg_2", budget(), name="third", version=2))
        assert (await unit.budgets.get("third")).id == (await unit.budgets.get("bdg_2")).id
        await unit.budgets.delete("bdg_1", version=1, now=LONG_AGO)
        assert [one.name for one in await unit.budgets.all()] == ["third"]
        with pytest.raises(NotFound):
            await unit.budgets.get("first")


async def test_the_only_writer_sees_what_others_wrote_before_its_turn(uow: UowFactory) -> None:
    async with uow() as unit:
        assert await unit.budgets.all() == []
        async with uow() as other:
            await other.budgets.add(resource("bdg_1", budget()))
        await unit.become_only_writer()
        assert len(await unit.budgets.all()) == 1
