from __future__ import annotations

import logging
import sys

import psycopg
import pytest
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import DBAPIError, OperationalError

from service.adapters.postgres.library_logs import is_news
from service.workflows.ports.outages import StorageUnavailable

GONE = psycopg.OperationalError("the connection is closed")
REFUSED = psycopg.errors.UndefinedColumn("no such column")


def line(name: str, level: int, error: BaseException | None = None, cause: BaseException | None = None) -> bool:
    """Whether a library's line is news; the error was raised from `cause`."""
    info = None
    if error is not None:
        try:
            raise error from cause
        except type(error):
            info = sys.exc_info()
    return is_news(logging.LogRecord(name, level, "file", 1, "text", (), info))


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (GONE, None),
        (ConnectorException(), GONE),
        (StorageUnavailable("away"), None),
        (OperationalError("SELECT 1", None, GONE), None),
        (RuntimeError("a side task failed"), GONE),
    ],
)
def test_a_traceback_about_a_lost_database_is_no_news(error: Exception, cause: Exception | None) -> None:
    assert not line("procrastinate.worker", logging.ERROR, error, cause)


@pytest.mark.parametrize(
    ("error", "cause"),
    [(ZeroDivisionError(), None), (ConnectorException(), REFUSED), (DBAPIError("SELECT x", None, REFUSED), None)],
)
def test_a_defect_s_traceback_is_news(error: Exception, cause: Exception | None) -> None:
    assert line("procrastinate.worker", logging.ERROR, error, cause)


def test_a_pool_s_complaints_of_connections_are_no_news_and_its_errors_are() -> None:
    assert not line("psycopg.pool", logging.WARNING)
    assert line("psycopg.pool", logging.ERROR)
    assert line("uvicorn.error", logging.WARNING)


def test_a_failed_job_is_said_once_by_us() -> None:
    record = logging.LogRecord("procrastinate.worker", logging.ERROR, "file", 1, "text", (), None)
    record.action = "job_error"
    assert not is_news(record)
