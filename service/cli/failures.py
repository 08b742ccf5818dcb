"""Expected failures, which are one line on standard error. Imported when one has happened."""

from __future__ import annotations

from pydantic import ValidationError

from service.adapters.embedded_postgres.account import EmbeddedPostgresError
from service.adapters.postgres.migrate import ForeignSchema
from service.bootstrap.errors import SettingError, StartError
from service.client.errors import ServerError
from service.domain.values.errors import DomainError
from service.settings import wrong_settings
from service.workflows.ports.outages import StorageUnavailable

FAILED, WRONG_SETTING = 1, 2
EXPECTED = (StartError, ForeignSchema, DomainError, EmbeddedPostgresError, StorageUnavailable, ServerError)


def explain(error: Exception) -> tuple[str, int] | None:
    """Returns the line and the exit code of an expected failure, None for a defect."""
    if isinstance(error, ValidationError):
        return f"{'; '.join(wrong_settings(error))}; see docs/settings.md", WRONG_SETTING
    if isinstance(error, SettingError):
        return f"{error}; see docs/settings.md", WRONG_SETTING
    return (str(error), FAILED) if isinstance(error, EXPECTED) else None
