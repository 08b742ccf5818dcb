"""Settings are read from the environment, and keep their secrets to themselves."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from service.settings import Settings
from tests.factories import SEALED, claude_source

SECRETS = {
    "TOCSIN_DATABASE_URL": "postgresql://tocsin:FAKE-database-password@db/tocsin",
    "TOCSIN_SECRET_KEY": "FAKE-secret-key",
    "TOCSIN_SMTP_URL": "smtp://tocsin:FAKE-mail-password@mail",
    "TOCSIN_ADMIN_TOKEN": "tcn_FAKE-admin-token",
    "TOCSIN_SLACK_SIGNING_SECRET": "FAKE-signing-secret",
    "TOCSIN_SLACK_APP_TOKEN": "xapp-FAKE-app-token",
    "ANTHROPIC_ADMIN_KEY": "sk-ant-admin01-FAKE-key",
}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)


def test_no_secret_is_seen_in_settings_that_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert "FAKE" not in shown
    assert settings.anthropic_admin_key is not None
    assert settings.anthropic_admin_key.get_secret_value() == SECRETS["ANTHROPIC_ADMIN_KEY"]


def test_a_sealed_secret_shows_its_hint_and_nothing_else() -> None:
    shown = f"{claude_source()!r}"
    assert SEALED.ciphertext not in shown
    assert SEALED.digest not in shown
    assert SEALED.hint in shown


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_variable_that_is_set_to_nothing_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "")
    field = name.lower() if name.startswith("ANTHROPIC") else name.removeprefix("TOCSIN_").lower()
    assert getattr(Settings(), field) is None


def test_a_wrong_value_is_refused_with_the_name_of_its_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_POLL_INTERVAL", "soon")
    with pytest.raises(ValidationError, match="poll_interval"):
        Settings()


def test_links_lead_to_the_public_address_where_one_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().link == "http://127.0.0.1:8400"
    monkeypatch.setenv("TOCSIN_PUBLIC_URL", "https://tocsin.example/")
    assert Settings().link == "https://tocsin.example"
