"""`/v1/receivers`: named lists of channels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from fastapi.responses import Response
from pydantic import BaseModel, Field, SecretStr, StringConstraints

from service.api.addresses import require_permitted
from service.api.configured import Document, Shape, Shown, Written, configured_router, identity
from service.api.deps import IdOrName, PortsDep, admin
from service.api.fields import Address, Line, Reference, Secret, SecretStub, Strict, shown
from service.api.once import OnceOutsideDep
from service.api.secrets import sealed, stands_for
from service.domain.errors import Invalid
from service.domain.receivers import (
    SLACK_API,
    ChannelConfig,
    Console,
    Email,
    Receiver,
    SlackBot,
    SlackWebhook,
)
from service.domain.resources import Resource
from service.workflows.administer import Receivers
from service.workflows.ports import Ports, UnitOfWork
from service.workflows.probe import run_test_receiver

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


ChannelIn = Annotated[SlackIn | EmailIn | ConsoleIn, Field(discriminator="kind")]


class ReceiverIn(Written):
    """A named list of channels; an alert goes to all of them."""

    channels: list[ChannelIn] = Field(min_length=1, max_length=50)


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


ChannelOut = SlackBotOut | SlackWebhookOut | EmailOut | ConsoleOut


class ReceiverOut(Shown):
    channels: list[ChannelOut]


class ChannelTestOut(BaseModel):
    """What one channel answered to a real sample."""

    kind: str
    channel: str
    ok: bool
    detail: str


class ReceiverTestOut(BaseModel):
    ok: bool
    channels: list[ChannelTestOut]


class ReceiverShape(Shape[Receiver, ReceiverIn, ReceiverOut]):
    written, shown = ReceiverIn, ReceiverOut
    example: ClassVar[Document] = {
        "name": "eng-oncall",
        "channels": [
            {"kind": "slack", "token": "xoxb-FAKE", "channel": "#claude-spend"},
            {"kind": "email", "to": ["finops@example.com"]},
        ],
    }
    patch_example: ClassVar[Document] = {"channels": [{"kind": "console"}]}

    async def read(self, ports: Ports, uow: UnitOfWork, document: ReceiverIn, stored: Receiver | None) -> Receiver:
        known = stored.channels if stored else ()
        channels = tuple(
            read_channel(ports, channel, known, f"/channels/{position}")
            for position, channel in enumerate(document.channels)
        )
        return Receiver(channels)

    async def show(self, uow: UnitOfWork, resource: Resource[Receiver], now: datetime) -> ReceiverOut:
        return ReceiverOut(**identity(resource), channels=[show_channel(channel) for channel in resource.spec.channels])


def read_channel(
    ports: Ports, channel: SlackIn | EmailIn | ConsoleIn, stored: Sequence[ChannelConfig], pointer: str
) -> ChannelConfig:
    """Raises Invalid. A secret stub stands for the secret of a stored channel of its kind."""
    match channel:
        case EmailIn():
            return Email(tuple(channel.to))
        case ConsoleIn():
            return Console()
        case SlackIn(webhook_url=None):
            return _read_bot(ports, channel, stored, pointer)
        case SlackIn():
            return _read_webhook(ports, channel, stored, pointer)


def _read_bot(ports: Ports, slack: SlackIn, stored: Sequence[ChannelConfig], pointer: str) -> SlackBot:
    if slack.token is None:
        raise Invalid("Slack needs a token and a channel, or a webhook_url", f"{pointer}/token")
    if slack.channel is None:
        raise Invalid("a Slack token needs the channel to post to", f"{pointer}/channel")
    api_url = slack.api_url.rstrip("/") + "/"
    bots = [bot for bot in stored if isinstance(bot, SlackBot)]
    if api_url not in {bot.api_url for bot in bots}:
        require_permitted(ports.egress.receivers, api_url, f"{pointer}/api_url")
    if isinstance(slack.token, SecretStub):
        stub = slack.token
        bots = [bot for bot in bots if stands_for(stub, bot.token)]
    # The likeliest of several: the same place, then the same channel.
    known = max(bots, key=lambda bot: (bot.api_url == api_url, bot.channel == slack.channel), default=None)
    token = sealed(
        ports.vault,
        slack.token,
        known.token if known else None,
        moved=known is not None and known.api_url != api_url,
        pointer=f"{pointer}/token",
    )
    return SlackBot(token=token, channel=slack.channel, mention=slack.mention, api_url=api_url)


def _read_webhook(ports: Ports, slack: SlackIn, stored: Sequence[ChannelConfig], pointer: str) -> SlackWebhook:
    if slack.token is not None or slack.channel is not None:
        raise Invalid("a webhook_url stands alone: it has its own channel", f"{pointer}/webhook_url")
    assert slack.webhook_url is not None
    hooks = [hook.webhook_url for hook in stored if isinstance(hook, SlackWebhook)]
    if isinstance(slack.webhook_url, SecretStr):
        url = slack.webhook_url.get_secret_value()
        _require_web_address(url, f"{pointer}/webhook_url")
        # The same address keeps what is stored for it, so that an unchanged document stays unchanged.
        new = ports.vault.seal(url)
        known = next((old for old in hooks if old.digest == new.digest), None)
        if known is None:
            require_permitted(ports.egress.receivers, url, f"{pointer}/webhook_url")
        return SlackWebhook(known or new, slack.mention)
    stub = slack.webhook_url
    old = next((hook for hook in hooks if stands_for(stub, hook)), None)
    kept = sealed(ports.vault, stub, old, moved=False, pointer=f"{pointer}/webhook_url")
    return SlackWebhook(kept, slack.mention)


def _require_web_address(url: str, pointer: str) -> None:
    try:
        parts = urlsplit(url)
        well_formed = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        well_formed = False
    if not well_formed:
        raise Invalid("write an address such as https://hooks.slack.com/services/...", pointer)
    if "@" in parts.netloc:
        raise Invalid("an address has no user or password", pointer)


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


router = configured_router("/receivers", Receivers(), ReceiverShape(), "Receivers")


@router.post(
    "/{id}/test",
    summary="Send a real sample through every channel",
    response_model=ReceiverTestOut,
    responses={404: {}},
    dependencies=[admin],
)
async def test(id: IdOrName, ports: PortsDep, once: OnceOutsideDep) -> Response:
    tests = await run_test_receiver(ports, id, once.author)
    return await once.answer(
        ReceiverTestOut(
            ok=all(one.error is None for one in tests),
            channels=[
                ChannelTestOut(
                    kind="slack" if one.kind.startswith("slack") else one.kind,
                    channel=one.channel,
                    ok=one.error is None,
                    detail=one.error or one.detail,
                )
                for one in tests
            ],
        )
    )
