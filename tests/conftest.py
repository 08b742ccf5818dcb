"""A real PostgreSQL for whoever asks for it: one server a run, one database a worker, empty for every test.

The database is built by our migrations, once, and copied for every xdist worker. Tests commit for real; what
they left is deleted afterwards, which takes a few milliseconds.
"""

from __future__ import annotations

import fcntl
import gc
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby, islice
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.embedded_postgres.server import Durability, EmbeddedPostgres
from service.adapters.postgres.addresses import libpq_url
from service.adapters.postgres.engine import create_engine
from service.adapters.postgres.migrate import upgrade
from service.adapters.postgres.unit_of_work import uow_factory
from service.workflows.ports.unit_of_work import UowFactory
from tests.fakes.clock import FakeClock

TEMPLATE = "tocsin_template"

# The same examples in every run, and no clock: a slow machine is no defect. `make check` is content with
# the first few, `make fuzz` draws new ones.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.register_profile("quick", deadline=None, derandomize=True, max_examples=20)
hypothesis.settings.register_profile("fuzz", deadline=None, max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

# What is imported stays: it need not be searched for garbage, neither while it is imported nor in every test.
gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts files with slow tests first, dealt out to the workers, each of which begins with an equal run of the tests.

    Else one of them would begin its last minute of waiting when the others have nothing left to do beside it.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    files = [list(tests) for _, tests in groupby(items, key=lambda item: item.path)]
    slow = [tests for tests in files if any(item.get_closest_marker("slow") for item in tests)]
    rest = iter([item for tests in files if tests not in slow for item in tests])
    ends = [len(items) * (worker + 1) // workers for worker in range(workers)]
    ordered: list[pytest.Item] = []
    for worker, end in enumerate(ends):
        ordered += [item for tests in slow[worker::workers] for item in tests]
        ordered += islice(rest, max(0, end - len(ordered)))
    items[:] = [*ordered, *rest]


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(20_000)
    gc.enable()


@pytest.fixture(scope="session")
def postgres_root(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder of the run's one server; xdist's workers share their folder's parent."""
    own = tmp_path_factory.getbasetemp()
    return (own if worker_id == "master" else own.parent) / "postgres"


@pytest.fixture(scope="session")
def postgres(postgres_root: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(postgres_root, durability=Durability.DISPOSABLE) as server:
        yield server


@pytest.fixture(scope="session")
def migrated_template(postgres: EmbeddedPostgres, postgres_root: Path) -> str:
    """The name of a database with today's schema, made by the first worker that comes."""
    with _turn(postgres_root / ".template"), _administration(postgres) as server:
        if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", (TEMPLATE,)).fetchone() is None:
            create_database(server, "tocsin_unfinished")
            upgrade(postgres.url("tocsin_unfinished"))
            server.execute(f"ALTER DATABASE tocsin_unfinished RENAME TO {TEMPLATE}")
    return TEMPLATE


@pytest.fixture(scope="session")
def worker_database_url(postgres: EmbeddedPostgres, migrated_template: str, worker_id: str) -> str:
    name = f"test_{worker_id}"
    with _administration(postgres) as server:
        create_database(server, name, template=migrated_template)
    return postgres.url(name)


@pytest.fixture(scope="session")
def _cleaner(worker_database_url: str) -> Iterator[psycopg.Connection]:
    """A session that may delete from append-only tables: as a replica it runs no triggers."""
    with psycopg.connect(libpq_url(worker_database_url), autocommit=True) as connection:
        connection.execute("SET session_replication_role TO replica")
        yield connection


@pytest.fixture
def database_url(worker_database_url: str, _cleaner: psycopg.Connection) -> Iterator[str]:
    """A database with the whole schema and no rows."""
    yield worker_database_url
    tables = _cleaner.execute(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
        " AND relnamespace = 'public'::regnamespace AND relname NOT IN ('alembic_version', 'queue_schema')"
    ).fetchall()
    deletions = [sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for (name,) in tables]
    _cleaner.execute(sql.SQL("; ").join(deletions))


@pytest.fixture
def empty_database_url(postgres: EmbeddedPostgres, worker_id: str) -> Iterator[str]:
    """A database without a schema, for tests of the migrations themselves."""
    name = f"empty_{worker_id}"
    with _administration(postgres) as server:
        create_database(server, name)
        yield postgres.url(name)
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
async def _worker_engine(worker_database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(worker_database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def engine(_worker_engine: AsyncEngine, database_url: str) -> AsyncEngine:
    """The pool of the test's database."""
    return _worker_engine


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def uow(engine: AsyncEngine) -> UowFactory:
    """Units of work that really commit. Jobs are due at the business time that they are given."""
    return uow_factory(engine, to_real=_unchanged)


def create_database(server: psycopg.Connection, name: str, *, template: str = "template1") -> None:
    """Creates a database, in place of one that an earlier run may have left."""
    server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def _unchanged(instant: datetime) -> datetime:
    return instant


@contextmanager
def _administration(postgres: EmbeddedPostgres) -> Iterator[psycopg.Connection]:
    with psycopg.connect(libpq_url(postgres.url("postgres")), autocommit=True) as connection:
        yield connection


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    with path.open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
