"""Settings, from the environment alone. Every one of them is listed in docs/settings.md."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.domain.durations import parse_duration

ANTHROPIC_API = "https://api.anthropic.com"


class Settings(BaseSettings):
    """What the process is told at its start. Raises ValidationError naming the variable that is wrong."""

    model_config = SettingsConfigDict(env_prefix="TOCSIN_", env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: SecretStr | None = Field(None, description="Postgres 15 or newer; absent: an embedded one.")
    data_dir: Path = Field(Path(".tocsin"), description="Where the embedded Postgres and made keys live.")
    secret_key: SecretStr | None = Field(
        None, description="Encrypts stored secrets; several, comma separated, rotate: the first encrypts."
    )
    host: str = Field("127.0.0.1", description="The address the API listens on.")
    port: int = Field(8400, ge=1, le=65535, description="The port the API listens on.")
    public_url: str | None = Field(None, description="How people reach the API; used in links.")
    log_format: Literal["console", "json"] = Field("console", description="How log lines look.")
    smtp_url: SecretStr | None = Field(
        None, description="smtp://user:pass@host:587?starttls=required or smtps://user:pass@host"
    )
    email_from: str = Field("tocsin@localhost", description="The sender of mails.")
    egress_allow: str = Field(
        "", description="Private networks that sources and receivers may be in, as CIDRs, comma separated."
    )
    admin_token: SecretStr | None = Field(None, description="The first admin token; absent: made, shown once.")
    proxy: str | None = Field(None, description="HTTP proxy for every outgoing request; none by default.")
    clock: str | None = Field(None, description="<start>@<speed>, such as now@60: time runs faster.")
    retention_days: int = Field(800, ge=62, description="How many days of facts and revisions are kept.")
    simulator_seed: int = Field(1, description="The built-in simulator's world.")
    poll_interval: str = Field("5m", description="How often the first source is polled.")

    anthropic_admin_key: SecretStr | None = Field(
        None, validation_alias="ANTHROPIC_ADMIN_KEY", description="The first source's key."
    )
    anthropic_base_url: str = Field(
        ANTHROPIC_API, validation_alias="ANTHROPIC_BASE_URL", description="The first source's address."
    )

    @field_validator("poll_interval")
    @classmethod
    def _is_duration(cls, text: str) -> str:
        parse_duration(text)
        return text

    @property
    def link(self) -> str:
        """The address in links: TOCSIN_PUBLIC_URL, else the listening address."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")
