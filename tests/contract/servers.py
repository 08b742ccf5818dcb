"""The real channels, with local servers at the other end of each, and a configuration of every kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from io import StringIO

from rich.console import Console as Terminal

from service.adapters.channels.dependencies import Dependencies
from service.adapters.channels.factory import ChannelFactory
from service.adapters.egress.aiohttp_connector import connectors
from service.adapters.egress.guard import Guard, parse_networks
from service.adapters.egress.httpx_transport import open_transport
from service.domain.notify.channels.alertmanager import Alertmanager
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.discord import Discord
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.jsm import Jsm
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.slack import SlackBot, SlackWebhook
from service.domain.notify.channels.teams import Teams
from service.domain.notify.channels.webhook import Webhook
from service.workflows.ports.platform import Vault
from tests.fakes.discord import FakeDiscord
from tests.fakes.receiver import FakeReceiver
from tests.fakes.slack import TOKEN, FakeSlack
from tests.fakes.smtp import FakeSmtp

SECRET = "whsec_RkFLRS1rZXktb2YtdGhlLXRlc3RzLW9mLXdlYmhvb2tz"


@dataclass(frozen=True)
class Places:
    """Where each kind of channel leads; `receiver` is whatever takes a POST."""

    slack_api: str
    slack_webhook: str
    discord: str
    receiver: str


def configure(kind: str, places: Places, vault: Vault) -> ChannelConfig:
    receiver = places.receiver
    configs: dict[str, ChannelConfig] = {
        "slack_bot": SlackBot(vault.seal(TOKEN), "#claude-spend", api_url=places.slack_api),
        "slack_webhook": SlackWebhook(vault.seal(places.slack_webhook)),
        "email": Email(("finops@example.com",)),
        "console": Console(),
        "pagerduty": PagerDuty(vault.seal("FAKE-routing-key"), receiver),
        "webhook": Webhook(receiver, vault.seal(SECRET)),
        "alertmanager": Alertmanager((receiver,)),
        "teams": Teams(vault.seal(receiver)),
        "jsm": Jsm(vault.seal("FAKE-api-key"), receiver),
        "discord": Discord(vault.seal(places.discord)),
    }
    return configs[kind]


@dataclass(frozen=True)
class Servers:
    """`channels` opens real channels; `receiver` is whatever takes a POST."""

    channels: ChannelFactory
    slack: FakeSlack
    smtp: FakeSmtp
    discord: FakeDiscord
    receiver: FakeReceiver
    terminal: StringIO

    @property
    def places(self) -> Places:
        return Places(self.slack.api_url, self.slack.webhook_url, self.discord.webhook_url, self.receiver.url)


@asynccontextmanager
async def open_servers(vault: Vault) -> AsyncIterator[Servers]:
    terminal, guard = StringIO(), Guard(parse_networks("127.0.0.0/8"))
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(FakeSlack(("claude-spend",)))
        smtp = await stack.enter_async_context(FakeSmtp())
        discord = await stack.enter_async_context(FakeDiscord())
        receiver = await stack.enter_async_context(FakeReceiver())
        dependencies = Dependencies(
            vault=vault,
            transport=await stack.enter_async_context(open_transport(guard, proxy=None)),
            connector=connectors(guard, proxy=None),
            smtp_url=smtp.url,
            email_from="tocsin@example.com",
            terminal=Terminal(file=terminal, width=100),
        )
        yield Servers(ChannelFactory(dependencies), slack, smtp, discord, receiver, terminal)
