"""Connections to Postgres: the pool of the units of work, and one URL for every library."""

from __future__ import annotations

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

PREPARE_AFTER = 5
"""psycopg prepares a statement when it runs for the sixth time."""


def create_engine(
    url: str, *, pool_size: int = 5, max_overflow: int = 5, prepare_threshold: int | None = PREPARE_AFTER
) -> AsyncEngine:
    """Returns an engine whose sessions speak UTC. It connects when first used.

    `prepare_threshold=None` is for a pgbouncer before 1.21 in transaction mode, which cannot follow prepared
    statements. At most `pool_size + max_overflow` connections are open at once.
    """
    engine = create_async_engine(
        sqlalchemy_url(url),
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_pre_ping=True,
        connect_args={"prepare_threshold": prepare_threshold},
    )
    event.listen(engine.sync_engine, "connect", _prepare_session)
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


def _prepare_session(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Uses SET: pgbouncer refuses the equivalent start-up options, and follows SET."""
    cursor = connection.cursor()
    cursor.execute("SET timezone TO 'UTC'")
    # A generic plan, made after five runs, can be a thousand times slower for another window of time.
    cursor.execute("SET plan_cache_mode TO force_custom_plan")
    cursor.close()
    connection.commit()
