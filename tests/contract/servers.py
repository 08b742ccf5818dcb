"""The real channels, with local servers at the other end of each."""

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
from service.workflows.ports.platform import Vault
from tests.fake_receiver import FakeReceiver
from tests.fake_slack import FakeSlack
from tests.fake_smtp import FakeSmtp


@dataclass(frozen=True)
class Servers:
    """`channels` opens real channels; `receiver` is whatever takes a POST."""

    channels: ChannelFactory
    slack: FakeSlack
    smtp: FakeSmtp
    receiver: FakeReceiver
    terminal: StringIO


@asynccontextmanager
async def open_servers(vault: Vault) -> AsyncIterator[Servers]:
    terminal, guard = StringIO(), Guard(parse_networks("127.0.0.0/8"))
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(FakeSlack(("claude-spend",)))
        smtp = await stack.enter_async_context(FakeSmtp())
        receiver = await stack.enter_async_context(FakeReceiver())
        dependencies = Dependencies(
            vault=vault,
            transport=await stack.enter_async_context(open_transport(guard, proxy=None)),
            connector=connectors(guard, proxy=None),
            smtp_url=smtp.url,
            email_from="tocsin@example.com",
            terminal=Terminal(file=terminal, width=100),
        )
        yield Servers(ChannelFactory(dependencies), slack, smtp, receiver, terminal)
