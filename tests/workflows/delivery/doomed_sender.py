"""A worker in a process of its own that sends what is due to a Slack, until somebody kills it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess

from aiohttp import TCPConnector

from service.adapters.channels.slack.bot import SlackBotChannel
from service.adapters.cron import CrontabReader
from service.adapters.egress.guard import Guard
from service.adapters.postgres.engine import create_engine
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.unit_of_work import uow_factory
from service.adapters.prices import list_price_book
from service.adapters.signer import HmacSigner
from service.adapters.vault import FernetVault
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.slack import SlackBot
from service.workflows.delivery.deliver import run_delivery
from service.workflows.ports.channels import Channel
from service.workflows.ports.platform import Egress
from service.workflows.ports.unit_of_work import Ports
from tests.adapters.channels.slack.test_bot import MENTION, VAULT
from tests.fakes.clock import FakeClock, real_time_of
from tests.fakes.ports import FakeCharts, FakeSource
from tests.fakes.slack import TOKEN
from tests.workflows.delivery.test_deliver_kills import Pictured

_PROCESSES = get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


def start(url: str, now: datetime, slack_url: str) -> ForkServerProcess:
    """Starts the worker; whoever calls has to kill and join it."""
    process = _PROCESSES.Process(target=_run, args=(url, now, slack_url), daemon=True)
    process.start()
    return process


@dataclass
class _OneSlack:
    url: str

    def open(self, config: ChannelConfig) -> Channel:
        own = SlackBot(VAULT.seal(TOKEN), "#claude-spend", MENTION, self.url)
        return Pictured(SlackBotChannel(own, VAULT, TCPConnector))


def _run(url: str, now: datetime, slack_url: str) -> None:
    asyncio.run(_work(url, FakeClock(now), slack_url))


async def _work(url: str, clock: FakeClock, slack_url: str) -> None:
    engine = create_engine(url)
    ports = Ports(
        uow=uow_factory(engine, to_real=real_time_of(clock)),
        storage=PostgresStorage(engine),
        sources=FakeSource(),
        channels=_OneSlack(slack_url),
        egress=Egress(Guard(), Guard()),
        vault=FernetVault("a secret key of the tests"),
        price_book=lambda overrides: list_price_book(tuple(overrides)),
        clock=clock,
        public_url="http://tocsin.example",
        cron=CrontabReader(),
        charts=FakeCharts(),
        signer=HmacSigner("a secret key of the tests"),
    )
    await run_delivery(ports)
