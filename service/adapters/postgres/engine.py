"""Connections to Postgres: the pool, transactions on it as blocks, and whether it can be worked with just now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple, TypeVar

import psycopg
import structlog
from sqlalchemy import event, text
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from service.adapters.postgres.addresses import sqlalchemy_url
from service.adapters.postgres.losses import losses_are_unavailability
from service.adapters.postgres.migrate import head, objection
from service.workflows.ports.outages import CALM, DATABASE, Outages, RecurringDefects, StorageBusy, StorageUnavailable

log = structlog.get_logger(__name__)

Unit = TypeVar("Unit")

PREPARE_AFTER = 5
"""psycopg prepares a statement when it runs for the sixth time."""


@dataclass(frozen=True, slots=True)
class SessionBounds:
    """How long the server lets a session go on: in one statement, and in a transaction that it does nothing in.

    `wait` is how long a session is waited for while all of the pool are in use.
    """

    statement: timedelta
    idle: timedelta
    wait: timedelta = timedelta(seconds=30)


FOR_JOBS = SessionBounds(statement=timedelta(minutes=15), idle=timedelta(minutes=5))
"""A first load is one statement; an evaluation computes between its statements."""
FOR_CALLERS = SessionBounds(statement=timedelta(minutes=1), idle=timedelta(minutes=1), wait=timedelta(seconds=10))
"""Nobody waits longer for an answer."""


def create_engine(
    url: str,
    *,
    pool_size: int = 5,
    max_overflow: int = 5,
    prepare_threshold: int | None = PREPARE_AFTER,
    bounds: SessionBounds = FOR_JOBS,
) -> AsyncEngine:
    """Returns an engine whose sessions speak UTC. It connects when first used.

    `prepare_threshold=None` is for a pgbouncer before 1.21 in transaction mode, which cannot follow prepared
    statements. At most `pool_size + max_overflow` connections are open at once.
    """
    engine = create_async_engine(
        sqlalchemy_url(url),
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=bounds.wait.total_seconds(),
        pool_pre_ping=True,
        connect_args={"prepare_threshold": prepare_threshold},
    )
    event.listen(engine.sync_engine, "connect", _preparing(bounds))
    event.listen(engine.sync_engine, "handle_error", _leave_read_only_sessions)
    return engine


def _leave_read_only_sessions(context: ExceptionContext) -> None:
    """A session that began while the database was read-only stays so: the next unit of work begins another one."""
    if isinstance(context.original_exception, psycopg.errors.ReadOnlySqlTransaction):
        context.is_disconnect = True


def transactions(
    engine: AsyncEngine, unit: Callable[[AsyncConnection], Unit], outages: Outages
) -> Callable[[], AbstractAsyncContextManager[Unit]]:
    """Returns how transactions are opened: each has its own connection for as long as its block lasts.

    `unit` makes the stores that work in it. Raises StorageUnavailable, and notes it in `outages`. A full pool is no
    outage of the database: it has a line of its own.
    """
    full = RecurringDefects()

    @asynccontextmanager
    async def transaction() -> AsyncIterator[Unit]:
        try:
            with losses_are_unavailability():
                async with engine.begin() as connection:
                    yield unit(connection)
        except StorageBusy as error:
            if full.is_worth_a_line():
                log.warning("connections_in_use", reason=str(error), most=pool_use(engine).most)
            raise
        except StorageUnavailable as error:
            outages.failed(DATABASE, str(error))
            raise
        outages.worked(DATABASE, calm=CALM)

    return transaction


class PoolUse(NamedTuple):
    """Connections that work just now, and how many there may be."""

    in_use: int
    most: int


def pool_use(engine: AsyncEngine) -> PoolUse:
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    return PoolUse(pool.checkedout(), pool.size() + pool._max_overflow)


async def obstacle(engine: AsyncEngine) -> str | None:
    """Returns why this release cannot work with the database as it is, None when it can."""
    try:
        async with engine.connect() as connection:
            schema = (await connection.execute(text("SELECT max(version_num) FROM alembic_version"))).scalar_one()
    except ProgrammingError:
        return f"the database has no schema: run tocsin migrate (to {head()})"
    except PoolExhausted:
        return "all connections to the database that this process may have are in use"
    except DBAPIError:
        return "the database cannot be reached"
    return objection(schema)


def _preparing(bounds: SessionBounds) -> Callable[[DBAPIConnection, ConnectionPoolEntry], None]:
    """Uses SET: pgbouncer refuses the equivalent start-up options. docs/scaling.md says what it makes of SET."""

    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("SET timezone TO 'UTC'")
        # A generic plan, made after five runs, can be a thousand times slower for another window of time.
        cursor.execute("SET plan_cache_mode TO force_custom_plan")
        cursor.execute(f"SET statement_timeout TO {_milliseconds(bounds.statement)}")
        cursor.execute(f"SET idle_in_transaction_session_timeout TO {_milliseconds(bounds.idle)}")
        cursor.close()
        connection.commit()

    return prepare


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
