"""Errors of a poll as sentences. Whatever is thrown while a report is read or written becomes its recorded error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from service.workflows.ports.outages import StorageUnavailable
from service.workflows.ports.platform import VaultError
from service.workflows.ports.sources import FenceLost, SourceError

log = structlog.get_logger(__name__)

LONGEST_ERROR = 1000
_LONGEST_CAUSE = 300
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def bounded(error: str) -> str:
    """An error that can be stored and shown: one line of at most 1,000 characters."""
    line = _UNPRINTABLE.sub(" ", error[: 4 * LONGEST_ERROR]).strip()
    return line if len(line) <= LONGEST_ERROR else line[: LONGEST_ERROR - 3] + "..."


@contextmanager
def defects_refuse(subject: str) -> Iterator[None]:
    """Turns whatever nobody foresaw inside into a SourceError about the subject, and logs where it was thrown.

    A database that is away is no defect: its outage is logged elsewhere.
    """
    try:
        yield
    except (SourceError, VaultError, FenceLost):
        raise
    except StorageUnavailable as error:
        raise SourceError(bounded(f"The {subject} could not be stored: {error}"), retryable=True) from error
    except Exception as error:
        log.exception("source_defect", subject=subject)
        raise SourceError(_sentence(subject, error), retryable=False) from error


def _sentence(subject: str, error: Exception) -> str:
    """The sentence for an error that nobody foresaw, a database error too.

    It takes the first line only: a database driver adds the statement and its values after it.
    """
    cause = bounded(str(error).partition("\n")[0])[:_LONGEST_CAUSE]
    named = f"{type(error).__name__}: {cause}" if cause else type(error).__name__
    return f"The {subject} failed unexpectedly ({named}). The log of the worker says where."
