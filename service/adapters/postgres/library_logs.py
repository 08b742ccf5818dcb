"""Lines of libraries that say again what we say better: that the database is away, and that a job has failed.

Pools and the queue's workers say it with a traceback, at every attempt, from several places at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError

from service.adapters.postgres.losses import unavailability
from service.workflows.ports.outages import StorageUnavailable

JOB_ENDS = frozenset({"job_error", "job_error_retry"})
"""The `action` of the queue library's lines about failed jobs; `FailedJobs` has its own."""


def is_news(record: logging.LogRecord) -> bool:
    """Whether a line says what no line of ours says. A filter of a logging handler."""
    if getattr(record, "action", None) in JOB_ENDS:
        return False
    if record.name.startswith("psycopg.pool") and record.levelno < logging.ERROR:
        return False
    error = record.exc_info[1] if record.exc_info else None
    return not any(_is_about_a_lost_database(cause) for cause in _causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _is_about_a_lost_database(error: BaseException) -> bool:
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or unavailability(error.orig) is not None
    from procrastinate.exceptions import ConnectorException  # noqa: PLC0415 - seldom asked; most commands have no queue

    if isinstance(error, ConnectorException):
        return unavailability(error.__cause__) is not None
    return isinstance(error, StorageUnavailable) or unavailability(error) is not None
