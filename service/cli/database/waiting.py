"""Waiting for a database that starts at the same time as we do."""

from __future__ import annotations

import time

import structlog

from service.adapters.postgres.migrate import current
from service.workflows.ports.outages import StorageUnavailable

PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.5

log = structlog.get_logger(__name__)


def wait_for_database(url: str, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Returns once the database answers. A line says that it waits; after that long it raises StorageUnavailable."""
    deadline = time.monotonic() + patience_seconds
    tries = 0
    while (problem := _problem(url)) is not None:
        if time.monotonic() >= deadline:
            raise StorageUnavailable(f"{problem}. It was waited for {patience_seconds:g} s")
        if tries == 0:
            log.warning("waiting_for_database", seconds_at_most=patience_seconds, reason=problem)
        tries += 1
        time.sleep(PAUSE_SECONDS)
    if tries:
        log.warning("database_answers")


def _problem(url: str) -> str | None:
    try:
        current(url)
    except StorageUnavailable as error:
        return str(error)
    return None
