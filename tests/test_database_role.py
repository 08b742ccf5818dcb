"""The role that the container deployment makes: no superuser, and enough for all that Tocsin does."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.embedded_postgres.account import Command
from service.adapters.embedded_postgres.program import PostgresProgram
from service.adapters.embedded_postgres.server import Durability, EmbeddedPostgres
from service.adapters.postgres.addresses import libpq_url
from service.adapters.postgres.engine import create_engine
from service.adapters.postgres.migrate import downgrade, upgrade
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.unit_of_work import uow_factory
from service.domain.values.periods import Window
from tests.factories import budget, resource

SCRIPT = Path(__file__).parents[1] / "deploy" / "role.sql"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The database as Tocsin's role sees it, made by the script that the postgres image runs."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("pg"), durability=Durability.DISPOSABLE) as server:
        administration = libpq_url(server.url("postgres"))
        with psycopg.connect(administration, autocommit=True) as superuser:
            superuser.execute("DROP DATABASE tocsin")
            superuser.execute("ALTER ROLE postgres PASSWORD 'FAKE superuser'")
        command: Command = [
            PostgresProgram.installed().command("psql"),
            "-v",
            "ON_ERROR_STOP=1",
            "-f",
            SCRIPT,
            administration,
        ]
        subprocess.run(command, env={"POSTGRES_PASSWORD": "FAKE 'quoted' password"}, check=True)
        with psycopg.connect(administration) as superuser:
            kept = superuser.execute("SELECT rolname FROM pg_authid WHERE rolpassword IS NOT NULL").fetchall()
            assert kept == [("tocsin",)]
        yield f"{server.url()}&options=-crole%3Dtocsin"


@pytest.fixture
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    upgrade(url)
    engine = create_engine(url)
    yield engine
    await engine.dispose()


async def test_the_role_is_no_superuser_and_sees_no_password(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        rights = "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        assert tuple((await connection.execute(text(rights))).one()) == (False,) * 4
        with pytest.raises(ProgrammingError, match="permission denied"):
            await connection.execute(text("SELECT rolpassword FROM pg_authid"))


async def test_the_role_can_write_make_partitions_and_drop_them(engine: AsyncEngine) -> None:
    storage = PostgresStorage(engine)
    await storage.make_room(Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)))
    await storage.forget(facts_before=date(2026, 2, 1), minutes_before=datetime(2026, 2, 1, tzinfo=UTC))
    async with uow_factory(engine, to_real=lambda at: at)() as uow:
        await uow.budgets.add(resource("bdg_1", budget()))
        await uow.jobs.evaluate("src_1")


def test_the_role_can_undo_its_migrations(url: str) -> None:
    upgrade(url)
    downgrade(url, "base")
