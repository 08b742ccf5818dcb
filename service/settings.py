"""Settings, from the environment alone. Every one of them is listed in docs/settings.md."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.domain.durations import parse_duration
from service.domain.receivers import SLACK_API
from service.domain.slack import SlackRole

ANTHROPIC_API = "https://api.anthropic.com"
SLACK_APP_TOKEN = "xapp-"


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
    heartbeat_url: SecretStr | None = Field(
        None, description="Fetched every minute while every source is being evaluated: a dead man's switch."
    )
    admin_token: SecretStr | None = Field(None, description="The first admin token; absent: made, shown once.")
    slack_signing_secret: SecretStr | None = Field(
        None, description="The Slack app's signing secret: buttons and commands over HTTP."
    )
    slack_app_token: SecretStr | None = Field(None, description="The Slack app's xapp- token: Socket Mode.")
    slack_default_role: SlackRole = Field(
        SlackRole.RESPONDER, description="What people in Slack may do who are not on /v1/slack-users."
    )
    slack_api_url: str = Field(SLACK_API, description="Where Socket Mode is opened; another one for GovSlack.")
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

    @field_validator("slack_app_token")
    @classmethod
    def _is_app_level(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not token.get_secret_value().startswith(SLACK_APP_TOKEN):
            raise ValueError(f"an app-level token starts with {SLACK_APP_TOKEN}; bot tokens belong to receivers")
        return token

    @field_validator("slack_api_url")
    @classmethod
    def _is_web_address(cls, text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
            raise ValueError(f"write an address such as {SLACK_API}")
        return f"{text.rstrip('/')}/"

    @property
    def link(self) -> str:
        """The address in links: TOCSIN_PUBLIC_URL, else the listening address."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def hears_slack(self) -> bool:
        """Whether a button pressed in Slack would reach us."""
        return self.slack_signing_secret is not None or self.slack_app_token is not None
