"""Expected failures, which are one line on standard error. Imported when one has happened."""

from __future__ import annotations

from pydantic import ValidationError

from service.adapters.embedded_postgres.account import EmbeddedPostgresError
from service.adapters.postgres.migrate import ForeignSchema
from service.bootstrap.errors import OptionError, SettingError, StartError
from service.client.errors import NoAnswer, ServerError, TokenRefused
from service.domain.values.errors import DomainError, Invalid
from service.settings import wrong_settings
from service.workflows.ports.outages import StorageUnavailable

FAILED, WRONG_SETTING, WRONG_OPTION = 1, 2, 2
EXPECTED = (StartError, ForeignSchema, DomainError, EmbeddedPostgresError, StorageUnavailable, ServerError)


def explain(error: Exception) -> tuple[str, int] | None:
    """Returns the line and the exit code of an expected failure, None for a defect."""
    if isinstance(error, ValidationError):
        return f"{'; '.join(wrong_settings(error))}; see docs/settings.md", WRONG_SETTING
    if isinstance(error, SettingError):
        return f"{error}; see docs/settings.md", WRONG_SETTING
    if isinstance(error, OptionError):
        return str(error), WRONG_OPTION
    if isinstance(error, ServerError):
        return f"{error}{_what_to_do(error)}", FAILED
    if isinstance(error, Invalid) and error.pointer:
        return f"{error.pointer.removeprefix('/')}: {error}", FAILED
    return (str(error), FAILED) if isinstance(error, EXPECTED) else None


def _what_to_do(error: ServerError) -> str:
    if isinstance(error, NoAnswer):
        return ". Does Tocsin run there? --url or TOCSIN_URL names the server"
    return ". TOCSIN_TOKEN is to be one that `tocsin token create` has made" if isinstance(error, TokenRefused) else ""
