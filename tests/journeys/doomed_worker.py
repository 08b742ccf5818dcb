"""A worker in a process of its own that takes what is to be sent, and is killed before it has sent any of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Never

from service.adapters.cron import CrontabReader
from service.adapters.egress.guard import Guard
from service.adapters.postgres.engine import create_engine
from service.adapters.postgres.queue.queue import Queue
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.unit_of_work import uow_factory
from service.adapters.prices import list_price_book
from service.adapters.signer import HmacSigner
from service.adapters.vault import FernetVault
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.notification import Delivery, Receipt
from service.worker import JobHandlers
from service.workflows.ports.channels import Channel
from service.workflows.ports.platform import Egress
from service.workflows.ports.unit_of_work import Ports
from tests.fakes.clock import FakeClock, real_time_of
from tests.fakes.ports import FakeSource

PATIENCE = 30
"""Seconds after which something that should have happened has not."""

_PROCESSES = get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


async def kill_a_worker_that_is_about_to_send(url: str, now: datetime) -> None:
    """Has a worker run what is due by `now`; once it has claimed a message and would send it, SIGKILLs it."""
    here, there = _PROCESSES.Pipe(duplex=False)
    worker = _PROCESSES.Process(target=_run, args=(url, now, there), daemon=True)
    worker.start()
    try:
        assert await asyncio.to_thread(here.poll, PATIENCE), "the worker found nothing to send"
    finally:
        worker.kill()
        worker.join()


@dataclass
class _NothingLeaves:
    """Channels and charts in one: whoever comes says so, and waits for the end."""

    claimed: Connection

    def open(self, _: ChannelConfig) -> Channel:
        return self

    async def send(self, _: Delivery) -> Receipt:
        return await self._wait()

    async def png(self, _: Mapping[str, object]) -> bytes:
        return await self._wait()

    async def _wait(self) -> Never:
        self.claimed.send(True)
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


def _run(url: str, now: datetime, claimed: Connection) -> None:
    asyncio.run(_work(url, FakeClock(now), _NothingLeaves(claimed)))


async def _work(url: str, clock: FakeClock, nothing_leaves: _NothingLeaves) -> None:
    engine = create_engine(url)
    ports = Ports(
        uow=uow_factory(engine, to_real=real_time_of(clock)),
        storage=PostgresStorage(engine),
        sources=FakeSource(),
        channels=nothing_leaves,
        egress=Egress(Guard(), Guard()),
        vault=FernetVault("a secret key of the tests"),
        price_book=lambda overrides: list_price_book(tuple(overrides)),
        clock=clock,
        public_url="http://tocsin.example",
        cron=CrontabReader(),
        charts=nothing_leaves,
        signer=HmacSigner("a secret key of the tests"),
    )
    async with Queue.open(url, JobHandlers(ports)) as queue:
        await queue.run(asyncio.Event())
