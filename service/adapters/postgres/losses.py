"""The ways in which a database is away, or takes nothing, as one error: StorageUnavailable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from service.workflows.ports.outages import StorageBusy, StorageRefuses, StorageUnavailable

_REFUSALS = {
    "25006": "it is read-only: a standby, or by a setting. TOCSIN_DATABASE_URL has to name the primary",
    "53100": "its disk is full. Free some space or enlarge the disk",
    "53200": "it has run out of memory. Give it more, or lower work_mem",
    "53300": "all its connections are in use. Raise max_connections, or use a pool",
    "58030": "its disk answers with errors. Look at the server's log",
}
"""Advice about a server that is there and takes nothing, by SQLSTATE."""


def is_lost(error: BaseException | None) -> bool:
    """Whether a driver's error means that there is no server to talk to, not that it refused a statement.

    Class 08 are connection errors, 57P01 to 57P03 a server that stops or starts; no code means no answer.
    A session that was idle in its transaction for too long is lost, too.
    """
    if isinstance(error, psycopg.errors.IdleInTransactionSessionTimeout):
        return True
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    return error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))


def unavailability(error: BaseException | None) -> StorageUnavailable | None:
    """Returns what a driver's error means where it is no fault of the statement; None where it is."""
    if is_lost(error):
        return StorageUnavailable(f"the database cannot be reached: {error}")
    if not isinstance(error, psycopg.Error):
        return None
    if isinstance(error, psycopg.errors.QueryCanceled):
        return StorageUnavailable(f"the database took too long: {error}")
    todo = _REFUSALS.get(error.sqlstate or "")
    return StorageRefuses(f"The database takes nothing: {todo}; Tocsin then goes on by itself") if todo else None


@contextmanager
def losses_are_unavailability() -> Iterator[None]:
    """Raises StorageUnavailable for a database that is lost or takes nothing, and for one that cannot be had."""
    try:
        yield
    except PoolExhausted as error:
        raise StorageBusy("all connections to the database that this process may have are in use") from error
    except DBAPIError as error:
        known = unavailability(error.orig)
        if known is not None:
            raise known from error
        if error.connection_invalidated:
            raise StorageUnavailable(f"the database cannot be reached: {error.orig}") from error
        raise
    except psycopg.Error as error:  # of a cursor that is the driver's own
        if is_lost(error):
            raise StorageUnavailable(f"the database cannot be reached: {error}") from error
        if isinstance(error, psycopg.errors.QueryCanceled):
            raise StorageUnavailable(f"the database took too long: {error}") from error
        raise
