"""The workflows on a real database and a real queue, with a source and channels that do what a test tells them.

Time stands until a test moves it. Jobs wait in the queue until a test settles.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.cron import CrontabReader
from service.adapters.egress.guard import Guard, parse_networks
from service.adapters.postgres.queue.queue import Queue
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.unit_of_work import uow_factory
from service.adapters.prices import list_price_book
from service.adapters.signer import HmacSigner
from service.adapters.vault import FernetVault
from service.domain.alerts.alert import Alert, AlertEvent
from service.domain.budgets.budget import Budget
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.notification import Notification
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.sources.poll import Poll, PollKind, PollState
from service.domain.sources.pricing import Measure, PriceOverride
from service.domain.sources.source import ReportName, Source, SourceKind, SourceState
from service.domain.spend.best_known import SpendDay
from service.domain.spend.rows import TOKEN_COST, CostRow, Dimensions
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.resources import Resource, new_id
from service.domain.values.scopes import Cell
from service.worker import JobHandlers
from service.workflows.configuration.engine import Author, Draft, ResourceKind, change, create, delete
from service.workflows.configuration.notify import Receivers, put_routes
from service.workflows.configuration.spend import Budgets, Prices, Sources
from service.workflows.notify.announce import announce
from service.workflows.notify.situation import read_situation
from service.workflows.operation.upkeep import run_minute
from service.workflows.ports.alerts import AlertFilter
from service.workflows.ports.notify import NotificationFilter
from service.workflows.ports.platform import Egress
from service.workflows.ports.sources import CostSource, Organization
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.sources.ingest import request_poll, run_ingest
from tests.fakes.clock import FakeClock, real_time_of
from tests.fakes.ports import FakeChannels, FakeCharts, FakeSource

SONNET = "claude-sonnet-4-5"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)

Spec = TypeVar("Spec")


class Crash(Exception):
    """What no port may raise: a defect, or the end of the process."""


class Killed(BaseException):
    """The end of the process, as far as the code can tell: nothing may catch it and go on."""


@dataclass
class Switchboard:
    """Connects every source to the organisation at its address."""

    organizations: dict[str, FakeSource] = field(default_factory=dict)

    def connect(self, source: Source) -> AbstractAsyncContextManager[CostSource]:
        return self.organizations[source.base_url].connect(source)


@dataclass
class Yard:
    ports: Ports
    queue: Queue
    clock: FakeClock
    engine: AsyncEngine
    switchboard: Switchboard
    channels: FakeChannels
    reader: FakeSource
    source: Resource[Source]
    receiver: Resource[Receiver]

    @property
    def author(self) -> Author:
        return Author("token:ann", self.clock())

    # Configuration.

    async def create(self, kind: ResourceKind[Spec], name: str, spec: Spec) -> Resource[Spec]:
        async with self.ports.uow() as uow:
            return await create(uow, kind, Draft(name, {}, spec), self.author)

    async def change(self, kind: ResourceKind[Spec], stored: Resource[Spec], spec: Spec) -> Resource[Spec]:
        async with self.ports.uow() as uow:
            return await change(uow, kind, stored, Draft(stored.name, stored.labels, spec), self.author)

    async def delete(self, kind: ResourceKind[Spec], stored: Resource[Spec]) -> None:
        async with self.ports.uow() as uow:
            await delete(uow, kind, stored, self.author)

    async def add_source(self, name: str) -> tuple[Resource[Source], FakeSource]:
        """Another organisation, with a source that reads it."""
        url = f"http://{name}.example"
        reader = self.switchboard.organizations[url] = FakeSource(named=Organization(f"org_{name}", name.title()))
        spec = Source(SourceKind.CLAUDE_ADMIN, url, self.ports.vault.seal(f"sk-ant-admin01-FAKE-{name}"))
        return await self.create(Sources(), name, spec), reader

    async def add_budget(self, name: str, spec: Budget) -> Resource[Budget]:
        return await self.create(Budgets(), name, replace(spec, source_id=self.source.id))

    async def override(self, name: str, spec: PriceOverride) -> None:
        await self.create(Prices(), name, spec)

    async def receive_with(self, *channels: ChannelConfig) -> None:
        """Gives the only receiver these channels."""
        self.receiver = await self.change(Receivers(), self.receiver, Receiver(channels))

    # What happens.

    async def request(self, source: Resource[Source] | None = None) -> Poll:
        """A poll whose job waits in the queue."""
        async with self.ports.uow() as uow:
            return await request_poll(uow, (source or self.source).id, PollKind.REQUESTED, self.clock())

    async def poll(self, source: Resource[Source] | None = None) -> Poll:
        """One whole poll, as its job would do it; what follows from it waits in the queue."""
        now, source_id = self.clock(), (source or self.source).id
        poll = Poll(new_id("poll", now), source_id, PollKind.REQUESTED, PollState.QUEUED, created_at=now)
        async with self.ports.uow() as uow:
            await uow.polls.add(poll)
        await run_ingest(self.ports, source_id, poll.id)
        return await self.see(poll)

    async def settle(self) -> None:
        """Runs jobs until none is due."""
        await self.queue.drain()

    async def minute(self) -> None:
        """What the ticker does every minute, and what follows from it."""
        await run_minute(self.ports)
        await self.settle()

    # What is to be seen.

    async def see(self, poll: Poll) -> Poll:
        async with self.ports.uow() as uow:
            return await uow.polls.get(poll.id)

    async def polls(self) -> list[Poll]:
        """Oldest first."""
        async with self.ports.uow() as uow:
            page = await uow.polls.page(self.source.id, limit=500, cursor=None)
        return list(reversed(page.items))

    async def state(self, source: Resource[Source] | None = None) -> SourceState:
        async with self.ports.uow() as uow:
            return await uow.polling_states.get((source or self.source).id)

    async def spend(self, day: date, source: Resource[Source] | None = None) -> dict[Cell, SpendDay]:
        window = Window(self.at(day), self.at(day) + DAY)
        async with self.ports.uow() as uow:
            days = await uow.facts.days((source or self.source).id, window)
        return {cell: known for _, cell, known in days}

    async def spent(self, day: date, source: Resource[Source] | None = None) -> Money:
        return Money.total(known.spend.total for known in (await self.spend(day, source)).values())

    async def alerts(self) -> list[Alert]:
        """Oldest first."""
        async with self.ports.uow() as uow:
            page = await uow.alerts.page(AlertFilter(), limit=500, cursor=None)
        return list(reversed(page.items))

    async def notifications(self) -> list[Notification]:
        """Oldest first."""
        async with self.ports.uow() as uow:
            page = await uow.notifications.page(NotificationFilter(), limit=500, cursor=None)
        return list(reversed(page.items))

    async def rows(self, *tables: str) -> set[tuple[str, ...]]:
        """Where each row lies and which transaction wrote it: equal as long as nothing is written."""
        places = set()
        async with self.engine.connect() as connection:
            for table in tables:
                found = await connection.execute(text(f"SELECT tableoid::text, ctid::text, xmin::text FROM {table}"))
                places |= {tuple(row) for row in found}
        return places

    def at(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=UTC)


@asynccontextmanager
async def open_yard(url: str, engine: AsyncEngine, clock: FakeClock) -> AsyncIterator[Yard]:
    """One organisation with its source, one receiver that prints, the default route. Nothing has been read."""
    switchboard, channels = Switchboard(), FakeChannels()
    guard = Guard(parse_networks("127.0.0.0/8"))
    ports = Ports(
        uow=uow_factory(engine, to_real=real_time_of(clock)),
        storage=PostgresStorage(engine),
        sources=switchboard,
        channels=channels,
        egress=Egress(guard, guard),
        vault=FernetVault("a secret key of the tests"),
        price_book=lambda overrides: list_price_book(tuple(overrides)),
        clock=clock,
        public_url="http://tocsin.example",
        cron=CrontabReader(),
        charts=FakeCharts(),
        signer=HmacSigner("a secret key of the tests"),
    )
    async with Queue.open(url, JobHandlers(ports)) as queue:
        author = Author("token:ann", clock())
        async with ports.uow() as uow:
            receiver = await create(uow, Receivers(), Draft("everyone", {}, Receiver((Console(),))), author)
            await put_routes(uow, RouteTable((Route(receiver.id),)), author)
            url = "http://claude.example"
            reader = switchboard.organizations[url] = FakeSource()
            spec = Source(SourceKind.CLAUDE_ADMIN, url, ports.vault.seal("sk-ant-admin01-FAKE-key"))
            source = await create(uow, Sources(), Draft("claude", {}, spec), author)
        yield Yard(ports, queue, clock, engine, switchboard, channels, reader, source, receiver)


async def announce_one(uow: UnitOfWork, event: AlertEvent) -> None:
    """Announces a move that is saved."""
    await announce(uow, await read_situation(uow, event.alert.source_id, event.at), [event])


def billed(dollars: str, *, workspace: str = "default", model: str = SONNET) -> CostRow:
    """One line of token cost."""
    about = Dimensions(workspace, model, f"{model} usage", TOKEN_COST, Measure.OUTPUT.value)
    return CostRow(about, Money.of(dollars))


def caller(*, workspace: str = "default", model: str = SONNET, api_key: str = "apikey_1") -> Dimensions:
    """Who uses tokens, at the standard tier."""
    return Dimensions(workspace, model, service_tier="standard", context_window="0-200k", api_key=api_key)


def outcome(poll: Poll, report: ReportName) -> tuple[int, int, int]:
    """Rows added, changed and gone by the only attempt at a report, which did not fail."""
    (only,) = [one for one in poll.reports if one.report is report]
    assert only.error is None
    return only.added, only.changed, only.gone
