"""Connections to Postgres: the pool of the units of work, and one URL for every library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

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
"""Retention deletes months at once; an evaluation computes between its statements."""
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
    return engine


def sqlalchemy_url(url: str) -> URL:
    """Returns the URL with the driver we use, whether it is spelled postgres://, postgresql:// or with a driver."""
    scheme, separator, rest = url.partition("://")
    if scheme == "postgres":
        url = f"postgresql{separator}{rest}"
    return make_url(url).set(drivername="postgresql+psycopg")


def libpq_url(url: str) -> str:
    """Returns the same address for libpq, psycopg and the queue. Holds the password."""
    return sqlalchemy_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _preparing(bounds: SessionBounds) -> Callable[[DBAPIConnection, ConnectionPoolEntry], None]:
    """Uses SET: pgbouncer refuses the equivalent start-up options, and follows SET."""

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
