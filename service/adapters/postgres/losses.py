"""The ways in which a database is away, as one error: StorageUnavailable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from service.workflows.ports.unit_of_work import StorageUnavailable


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


@contextmanager
def losses_are_unavailability() -> Iterator[None]:
    """Raises StorageUnavailable for the loss of a connection inside, and for one that cannot be had."""
    try:
        yield
    except PoolExhausted as error:
        raise StorageUnavailable("all connections to the database are in use") from error
    except DBAPIError as error:
        if error.connection_invalidated or is_lost(error.orig):
            raise StorageUnavailable(f"the database cannot be reached: {error.orig}") from error
        if isinstance(error.orig, psycopg.errors.QueryCanceled):
            raise StorageUnavailable(f"the database took too long: {error.orig}") from error
        raise
