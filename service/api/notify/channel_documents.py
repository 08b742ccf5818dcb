"""Channels as JSON: how each is written and shown. Secrets are written and never shown."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from service.api.http.fields import Address, Credentials, Line, Reference, Secret, SecretStub, Strict, shown
from service.domain.notify.channels.alertmanager import Alertmanager
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.jsm import JSM_API, Jsm
from service.domain.notify.channels.pagerduty import PAGERDUTY_API, PagerDuty
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.slack import SLACK_API, SlackBot, SlackWebhook
from service.domain.notify.channels.teams import Teams
from service.domain.notify.channels.webhook import Webhook, WebhookFormat
from service.domain.values.resources import Sealed

MailAddress = Annotated[str, StringConstraints(pattern=r'^[^\x00-\x20\x7f@<>(),;:"\\\[\]]{1,64}@[A-Za-z0-9.-]{1,253}$')]


class SlackIn(Strict):
    """Slack, by a bot's `token` and `channel`, or by an incoming webhook's `webhook_url`; `mention` is for raises."""

    kind: Literal["slack"]
    token: Secret | None = Field(default=None, description="write-only", examples=["xoxb-FAKE"])
    channel: Reference | None = Field(default=None, examples=["#claude-spend"])
    webhook_url: Secret | None = Field(default=None, description="write-only")
    mention: Line = ""
    api_url: Address = SLACK_API


class EmailIn(Strict):
    kind: Literal["email"]
    to: list[MailAddress] = Field(min_length=1, max_length=50, examples=[["finops@example.com"]])


class ConsoleIn(Strict):
    """The terminal or log of the worker."""

    kind: Literal["console"]


class PagerDutyIn(Strict):
    """A PagerDuty service, by the integration key of its Events API v2 integration."""

    kind: Literal["pagerduty"]
    routing_key: Secret = Field(description="write-only", examples=["FAKE-routing-key-of-32-characters"])
    api_url: Address = PAGERDUTY_API


class WebhookIn(Strict):
    """An endpoint of your own, signed as Standard Webhooks; the address is shown, so no secret belongs in it."""

    kind: Literal["webhook"]
    url: Address = Field(examples=["https://example.com/hook"])
    secret: Secret = Field(description="write-only: whsec_ and 24 to 64 random bytes in base64")
    previous_secret: Secret | None = Field(
        default=None, description="write-only: signs as well, while the endpoint learns the new one"
    )
    format: WebhookFormat = "tocsin"


class AlertmanagerIn(Strict):
    """A Prometheus Alertmanager: the address of every member of its cluster."""

    kind: Literal["alertmanager"]
    urls: list[Address] = Field(min_length=1, max_length=10, examples=[["http://alertmanager:9093"]])
    authorization: Credentials | None = Field(
        default=None, description="write-only: the Authorization header, for members behind a login"
    )


class TeamsIn(Strict):
    """A Microsoft Teams workflow, by the address that it waits for posts at."""

    kind: Literal["teams"]
    webhook_url: Secret = Field(description="write-only")


class JsmIn(Strict):
    """Jira Service Management, or Opsgenie by its `api_url`, with the key of an API integration."""

    kind: Literal["jsm"]
    api_key: Secret = Field(description="write-only")
    api_url: Address = JSM_API


AnyChannelIn = SlackIn | EmailIn | ConsoleIn | PagerDutyIn | WebhookIn | AlertmanagerIn | TeamsIn | JsmIn
ChannelIn = Annotated[AnyChannelIn, Field(discriminator="kind")]


class SlackBotOut(BaseModel):
    kind: Literal["slack"] = "slack"
    token: SecretStub
    channel: str
    mention: str
    api_url: str


class SlackWebhookOut(BaseModel):
    kind: Literal["slack"] = "slack"
    webhook_url: SecretStub
    mention: str


class EmailOut(BaseModel):
    kind: Literal["email"] = "email"
    to: list[str]


class ConsoleOut(BaseModel):
    kind: Literal["console"] = "console"


class PagerDutyOut(BaseModel):
    kind: Literal["pagerduty"] = "pagerduty"
    routing_key: SecretStub
    api_url: str


class WebhookOut(BaseModel):
    kind: Literal["webhook"] = "webhook"
    url: str
    secret: SecretStub
    previous_secret: SecretStub | None
    format: WebhookFormat


class AlertmanagerOut(BaseModel):
    kind: Literal["alertmanager"] = "alertmanager"
    urls: list[str]
    authorization: SecretStub | None


class TeamsOut(BaseModel):
    kind: Literal["teams"] = "teams"
    webhook_url: SecretStub


class JsmOut(BaseModel):
    kind: Literal["jsm"] = "jsm"
    api_key: SecretStub
    api_url: str


ChannelOut = (
    SlackBotOut
    | SlackWebhookOut
    | EmailOut
    | ConsoleOut
    | PagerDutyOut
    | WebhookOut
    | AlertmanagerOut
    | TeamsOut
    | JsmOut
)


def show_channel(channel: ChannelConfig) -> ChannelOut:
    match channel:
        case SlackBot():
            return SlackBotOut(
                token=shown(channel.token),
                channel=channel.channel,
                mention=channel.mention,
                api_url=channel.api_url,
            )
        case SlackWebhook():
            return SlackWebhookOut(webhook_url=shown(channel.webhook_url), mention=channel.mention)
        case Email():
            return EmailOut(to=list(channel.to))
        case Console():
            return ConsoleOut()
        case _:
            return _show_posting(channel)


def _show_posting(channel: PagerDuty | Webhook | Alertmanager | Teams | Jsm) -> ChannelOut:
    match channel:
        case PagerDuty():
            return PagerDutyOut(routing_key=shown(channel.routing_key), api_url=channel.api_url)
        case Webhook():
            return WebhookOut(
                url=channel.url,
                secret=shown(channel.secret),
                previous_secret=_shown(channel.previous_secret),
                format=channel.format,
            )
        case Alertmanager():
            return AlertmanagerOut(urls=list(channel.urls), authorization=_shown(channel.authorization))
        case Teams():
            return TeamsOut(webhook_url=shown(channel.webhook_url))
        case Jsm():
            return JsmOut(api_key=shown(channel.api_key), api_url=channel.api_url)


def _shown(secret: Sealed | None) -> SecretStub | None:
    return shown(secret) if secret is not None else None
