"""Settings, from the environment alone. Every one of them is listed in docs/settings.md."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.domain.access import parse_group_roles
from service.domain.notify.channels.slack import SLACK_API
from service.domain.slack.requests import SlackRole
from service.domain.sources.source import is_poll_interval
from service.domain.values.clocks import parse_clock
from service.domain.values.durations import parse_duration

PORT = 8400
ANTHROPIC_API = "https://api.anthropic.com"
SLACK_APP_TOKEN = "xapp-"


_POSTGRES = re.compile(r"postgres(ql(\+\w+)?)?://(.*@)?(\[[^\]]+\]|[^/:@?\s]*)(:\d+)?([/?]\S*)?")
_TOKEN = re.compile(r"[!-~]{16,500}")
_SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://\S+")
PREFIX = "TOCSIN_"
DRILL_FOLDER = "drill"


class Settings(BaseSettings):
    """The process's settings. Raises ValidationError naming the variable that is wrong."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: SecretStr | None = Field(None, description="Postgres 15 or newer; absent: an embedded one.")
    prepared_statements: Literal["on", "off"] = Field(
        "on", description="off: for a pgbouncer before 1.21 in transaction mode, which cannot follow them."
    )
    data_dir: Path = Field(Path(".tocsin"), description="Where the embedded Postgres and made keys live.")
    secret_key: SecretStr | None = Field(
        None, description="Encrypts stored secrets; several, comma separated, rotate: the first encrypts."
    )
    host: str = Field("127.0.0.1", description="The address the API listens on.")
    port: int = Field(PORT, ge=1, le=65535, description="The port the API listens on.")
    max_connections: int = Field(
        500, ge=16, le=60_000, description="How many connections the API holds at once; see RLIMIT_NOFILE."
    )
    backtest_processes: int | None = Field(
        None, ge=1, le=16, description="How many processes a backtest may use; absent: one for each core, 4 at most."
    )
    trusted_proxies: str = Field(
        "", description="Reverse proxies whose X-Forwarded-For is believed, as addresses or CIDRs, comma separated."
    )
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
    oidc_issuer: str | None = Field(None, description="The OpenID Connect issuer that people sign in by.")
    oidc_client_id: str | None = Field(None, description="The id under which the issuer knows this Tocsin.")
    oidc_client_secret: SecretStr | None = Field(
        None, description="Its secret; absent: a public client, by PKCE alone."
    )
    oidc_roles: str = Field("", description="Which group has which role: tocsin-admins=admin; eng=operator; *=viewer.")
    oidc_groups_claim: str = Field("groups", description="The claim of the ID token that lists somebody's groups.")
    oidc_scopes: str = Field("openid profile email", description="What is asked of the issuer, separated by spaces.")
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

    otlp_endpoint: str | None = Field(
        None,
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="The collector that traces are sent to, over OTLP/HTTP; absent: none are made.",
    )

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not _POSTGRES.fullmatch(url.get_secret_value()):
            raise ValueError("write an address such as postgresql://tocsin:password@db:5432/tocsin")
        return url

    @field_validator("port", mode="before")
    @classmethod
    def _is_no_service(cls, value: object) -> object:
        """Kubernetes sets TOCSIN_PORT=tcp://... for a Service named tocsin: that is not the port to listen on."""
        return PORT if is_service_address(str(value)) else value

    @field_validator("poll_interval")
    @classmethod
    def _is_interval(cls, text: str) -> str:
        if not is_poll_interval(parse_duration(text)):
            raise ValueError("must be between 1m and 1d")
        return text

    @field_validator("clock")
    @classmethod
    def _is_clock(cls, text: str | None) -> str | None:
        if text is not None:
            parse_clock(text)
        return text

    @field_validator("admin_token")
    @classmethod
    def _is_hard_to_guess(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not _TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("write 16 to 500 letters, digits and signs without blanks, at random")
        return token

    @field_validator("slack_app_token")
    @classmethod
    def _is_app_level(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not token.get_secret_value().startswith(SLACK_APP_TOKEN):
            raise ValueError(f"an app-level token starts with {SLACK_APP_TOKEN}; bot tokens belong to receivers")
        return token

    @field_validator("slack_api_url")
    @classmethod
    def _is_slack(cls, text: str) -> str:
        if not _is_web_address(text):
            raise ValueError(f"write an address such as {SLACK_API}")
        return f"{text.rstrip('/')}/"

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        return ",".join(str(ip_network(one.strip())) for one in text.split(",") if one.strip())

    @field_validator("otlp_endpoint")
    @classmethod
    def _is_collector(cls, text: str | None) -> str | None:
        if text is not None and not _is_web_address(text):
            raise ValueError("write an address such as http://127.0.0.1:4318")
        return text

    @field_validator("public_url")
    @classmethod
    def _is_public(cls, text: str | None) -> str | None:
        if text is not None and not _is_web_address(text):
            raise ValueError("write an address such as https://tocsin.example.com")
        return text

    @field_validator("oidc_issuer")
    @classmethod
    def _is_issuer(cls, text: str | None) -> str | None:
        if text is not None and not _is_web_address(text):
            raise ValueError("write the issuer's address, such as https://login.example.com")
        return text

    @field_validator("oidc_roles")
    @classmethod
    def _are_roles(cls, text: str) -> str:
        parse_group_roles(text)
        return text

    @field_validator("oidc_scopes")
    @classmethod
    def _names_openid(cls, text: str) -> str:
        if "openid" not in text.split():
            raise ValueError("name openid, without which there is no ID token")
        return text

    @property
    def own_folder(self) -> Path:
        """Returns the folder of the embedded database: a drill has one of its own, whose times lie in the future."""
        return self.data_dir if self.clock is None else self.data_dir / DRILL_FOLDER

    @property
    def link(self) -> str:
        """Returns the address for links: TOCSIN_PUBLIC_URL, else the listening address."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def hears_slack(self) -> bool:
        """Tells whether a button pressed in Slack would reach us."""
        return self.slack_signing_secret is not None or self.slack_app_token is not None


def setting_names() -> frozenset[str]:
    """Returns the variable of every setting."""
    return frozenset(
        str(field.validation_alias or f"{PREFIX}{name.upper()}") for name, field in Settings.model_fields.items()
    )


def is_service_address(text: str) -> bool:
    """Tells whether a value is an address that Kubernetes writes for a Service, such as tcp://10.0.0.1:8400."""
    return _SERVICE_ADDRESS.fullmatch(text) is not None


def wrong_settings(error: ValidationError) -> list[str]:
    """Names each wrong variable and what is wrong with it, without the values: some are secrets."""
    problems = []
    for one in error.errors(include_url=False, include_input=False):
        field = str(one["loc"][0])
        name = field if field.isupper() else f"{PREFIX}{field.upper()}"
        problems.append(f"{name}: {one['msg'].removeprefix('Value error, ')}")
    return problems


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and text.isprintable()
    except ValueError:  # an impossible host or port
        return False
