"""The beginning of every command: its settings, and a log in the form that they ask for."""

from __future__ import annotations

import os

import structlog

from service.bootstrap.errors import SettingError
from service.cli.environment import review_environment
from service.cli.logs import configure_logging
from service.settings import Settings

log = structlog.get_logger(__name__)


def read_settings() -> Settings:
    """Raises SettingError for a misspelt variable, and ValidationError for a wrong value."""
    reviewed = review_environment(os.environ)
    misspelt = [str(stray) for stray in reviewed.strays if stray.misspelt]
    if misspelt:
        raise SettingError("; ".join(misspelt))
    settings = Settings()
    configure_logging(settings.log_format)
    for stray in reviewed.strays:
        log.warning("unknown_setting_ignored", variable=stray.name, nearest=stray.nearest)
    if reviewed.kubernetes:
        log.warning("kubernetes_variables_ignored", variables=", ".join(reviewed.kubernetes), port=settings.port)
    return settings
