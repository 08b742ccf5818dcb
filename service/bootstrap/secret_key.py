"""The key of the stored secrets, and the vault under it."""

from __future__ import annotations

import secrets

from service.adapters.vault import FernetVault
from service.bootstrap.errors import SettingError
from service.settings import Settings

SECRET_KEY_FILE = "secret.key"


def secret_key(settings: Settings) -> str:
    """Returns TOCSIN_SECRET_KEY. With the embedded database one is created in the data folder, for its owner only."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    if settings.database_url is not None:
        raise SettingError(
            "TOCSIN_SECRET_KEY is not set: it encrypts the stored secrets. Set it to a long random text, the same for"
            " every process, and keep it safe"
        )
    path = settings.own_folder / SECRET_KEY_FILE
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(32))
        return path.read_text().strip()
    except OSError as error:
        raise SettingError(f"TOCSIN_DATA_DIR: {path} cannot be kept: {error.strerror}") from error


def open_vault(settings: Settings) -> FernetVault:
    try:
        return FernetVault(secret_key(settings))
    except ValueError as error:
        raise SettingError(str(error)) from error
