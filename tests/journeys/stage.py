"""The whole product on a stage: a simulated organisation, a real queue and database, a local Slack and mail server.

Only time is not real: it stands until a test moves it, and the queue's jobs are run until none is left.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO

from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.channels.dependencies import Dependencies
from service.adapters.channels.factory import ChannelFactory
from service.adapters.channels.slack.controls import controls
from service.adapters.claude.connector import ClaudeConnector
from service.adapters.cron import CrontabReader
from service.adapters.egress.aiohttp_connector import connectors
from service.adapters.egress.guard import Guard, parse_networks
from service.adapters.egress.httpx_transport import open_transport
from service.adapters.postgres.engine import create_engine
from service.adapters.postgres.queue.queue import Queue
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.unit_of_work import uow_factory
from service.adapters.prices import list_price_book
from service.adapters.signer import HmacSigner
from service.adapters.vault import FernetVault
from service.cli.serving import serving
from service.domain.alerts.alert import Alert, AlertEvent, Command, Reason, apply
from service.domain.budgets.budget import Budget
from service.domain.notify.channels.console import Console as ConsoleChannel
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.notification import Notification
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.sources.poll import Poll, PollKind, PollState
from service.domain.sources.source import Source, SourceKind
from service.domain.values.resources import Resource, new_id
from service.simulator.app import create_app
from service.simulator.protocol.behaviour import Behaviour
from service.simulator.protocol.faults import Faults
from service.worker import JobHandlers
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.configuration.engine import Author, Draft, change, create, delete
from service.workflows.configuration.notify import Receivers, put_routes
from service.workflows.configuration.spend import Budgets, Sources
from service.workflows.delivery.deliver import run_delivery
from service.workflows.operation.upkeep import run_minute
from service.workflows.ports.alerts import AlertFilter
from service.workflows.ports.notify import NotificationFilter
from service.workflows.ports.platform import Charts, Egress
from service.workflows.ports.unit_of_work import Ports
from service.workflows.sources.ingest import request_poll, run_ingest
from tests.fakes.clock import FakeClock, real_time_of
from tests.fakes.fixed_world import FixedWorld, token_cost
from tests.fakes.slack import TOKEN, FakeSlack
from tests.fakes.smtp import FakeSmtp
from tests.workflows.yard import announce_one

ADMIN_KEY = "sk-ant-admin01-FAKE-key-of-the-tests"
CHANNEL = "claude-spend"
UNHURRIED = Behaviour(requests_per_minute=100_000)
"""The clock stands, so a minute's requests would never be forgotten."""
PERSON = "token:ann"
"""Who acts in these tests."""


@dataclass
class Stage:
    ports: Ports
    queue: Queue
    clock: FakeClock
    world: FixedWorld
    faults: Faults
    slack: FakeSlack
    smtp: FakeSmtp
    source: Resource[Source]
    terminal: StringIO
    budgets: dict[str, Resource[Budget]] = field(default_factory=dict)

    def bill(self, day: str, *cents: str, workspace: str | None = None) -> None:
        """The whole bill of one UTC day, from now on."""
        lines = [token_cost(amount, workspace, model=f"claude-model-{n}") for n, amount in enumerate(cents)]
        self.world.set_cost(date.fromisoformat(day), *lines)

    async def configure(self, name: str, spec: Budget) -> Resource[Budget]:
        """Creates the budget, or replaces it, a second later."""
        self.clock.advance(timedelta(seconds=1))
        author = Author(PERSON, self.clock())
        draft = Draft(name, {}, replace(spec, source_id=self.source.id))
        async with self.ports.uow() as uow:
            stored = self.budgets.get(name)
            if stored is None:
                kept = await create(uow, Budgets(), draft, author)
            else:
                kept = await change(uow, Budgets(), stored, draft, author)
        self.budgets[name] = kept
        await self.settle()
        return kept

    async def remove(self, name: str) -> None:
        async with self.ports.uow() as uow:
            await delete(uow, Budgets(), self.budgets.pop(name), Author(PERSON, self.clock()))
        await self.settle()

    async def use_key(self, key: str) -> None:
        """Gives the source another admin key, without polling."""
        spec = replace(self.source.spec, admin_key=self.ports.vault.seal(key))
        async with self.ports.uow() as uow:
            self.source = replace(self.source, spec=spec, version=self.source.version + 1)
            await uow.sources.replace(self.source)

    async def rename_slack_channel(self, name: str) -> None:
        """Edits the receiver's Slack channel, as one does to put a wrong name right."""
        await self._edit(lambda channel: replace(channel, channel=name) if isinstance(channel, SlackBot) else channel)

    async def send_mail_to(self, *to: str) -> None:
        """Edits the receiver's mail addresses."""
        await self._edit(lambda channel: replace(channel, to=to) if isinstance(channel, Email) else channel)

    async def _edit(self, edited: Callable[[ChannelConfig], ChannelConfig]) -> None:
        async with self.ports.uow() as uow:
            receiver = await uow.receivers.get("everyone")
            channels = tuple(edited(channel) for channel in receiver.spec.channels)
            draft = Draft(receiver.name, receiver.labels, Receiver(channels))
            await change(uow, Receivers(), receiver, draft, Author(PERSON, self.clock()))

    async def route_to_the_terminal(self) -> None:
        """Makes another receiver, with nothing but the terminal, the default one."""
        author = Author(PERSON, self.clock())
        async with self.ports.uow() as uow:
            other = await create(uow, Receivers(), Draft("terminal", {}, Receiver((ConsoleChannel(),))), author)
            await put_routes(uow, RouteTable((Route(other.id),)), author)

    async def poll(self) -> Poll:
        """One poll of the source, a second later, and everything that follows from it."""
        self.clock.advance(timedelta(seconds=1))
        async with self.ports.uow() as uow:
            poll = await request_poll(uow, self.source.id, PollKind.REQUESTED, self.clock())
        await self.settle()
        async with self.ports.uow() as uow:
            return await uow.polls.get(poll.id)

    async def read(self) -> None:
        """A poll whose consequences are still to come: they wait in the queue."""
        async with self.ports.uow() as uow:
            now = self.clock()
            poll = Poll(new_id("poll", now), self.source.id, PollKind.REQUESTED, PollState.QUEUED, created_at=now)
            await uow.polls.add(poll)
        await run_ingest(self.ports, self.source.id, poll.id)

    async def minute(self) -> None:
        """What the ticker does every minute."""
        await run_minute(self.ports)
        await self.settle()

    async def settle(self) -> None:
        """Runs jobs until none is due. What keeps to its channel's rate is waited for, a second at a time."""
        await self.queue.drain()
        while await self._is_paced():
            self.clock.advance(timedelta(seconds=1))
            await run_delivery(self.ports)

    async def _is_paced(self) -> bool:
        async with self.ports.uow() as uow:
            due = await uow.notifications.next_due()
        return due is not None and self.clock() < due <= self.clock() + timedelta(seconds=1)

    async def advance(self, to: str) -> None:
        instant = datetime.fromisoformat(to).replace(tzinfo=UTC)
        self.clock.advance(instant - self.clock())

    async def answer(self, alert: Alert, command: Command) -> AlertEvent:
        """What a person does with an alert."""
        async with self.ports.uow() as uow:
            current = await uow.alerts.get(alert.id)
            event = apply(current, command, actor=PERSON, reason=Reason.PERSON, now=self.clock())
            await uow.alerts.save(event)
            await announce_one(uow, event)
        await self.settle()
        return event

    async def alerts(self) -> list[Alert]:
        """Oldest first."""
        async with self.ports.uow() as uow:
            page = await uow.alerts.page(AlertFilter(), limit=500, cursor=None)
        return list(reversed(page.items))

    async def alert(self) -> Alert:
        """The only one, besides notices that a silence ends."""
        (alert,) = [one for one in await self.alerts() if one.kind != "silence_ends"]
        return alert

    async def notifications(self) -> list[Notification]:
        async with self.ports.uow() as uow:
            page = await uow.notifications.page(NotificationFilter(), limit=500, cursor=None)
        return list(reversed(page.items))

    async def evaluate(self) -> list[AlertEvent]:
        return await run_evaluation(self.ports, self.source.id)


@asynccontextmanager
async def open_stage(url: str, engine: AsyncEngine, start: datetime, charts: Charts) -> AsyncIterator[Stage]:
    """A stage on an empty, migrated database: one source, one receiver with Slack and mail, the default route."""
    clock, world, faults, terminal = FakeClock(start), FixedWorld(), Faults(), StringIO()
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(FakeSlack((CHANNEL,)))
        smtp = await stack.enter_async_context(FakeSmtp())
        base_url = await stack.enter_async_context(serving(create_app(world, clock, faults, UNHURRIED)))
        guard = Guard(parse_networks("127.0.0.0/8"))
        transport = await stack.enter_async_context(open_transport(guard, proxy=None))
        vault = FernetVault("a secret key of the tests")
        ports = Ports(
            uow=uow_factory(engine, to_real=real_time_of(clock)),
            storage=PostgresStorage(engine),
            sources=ClaudeConnector(vault, transport),
            channels=ChannelFactory(
                Dependencies(
                    vault=vault,
                    transport=transport,
                    connector=connectors(guard, proxy=None),
                    smtp_url=smtp.url,
                    email_from="tocsin@example.com",
                    terminal=Console(file=terminal),
                    slack_controls=controls,
                )
            ),
            egress=Egress(guard, guard),
            vault=vault,
            price_book=lambda overrides: list_price_book(tuple(overrides)),
            clock=clock,
            public_url="http://tocsin.example",
            cron=CrontabReader(),
            charts=charts,
            signer=HmacSigner("a secret key of the tests"),
        )
        queue = await stack.enter_async_context(Queue.open(url, JobHandlers(ports)))
        source = await _furnish(ports, base_url, slack.api_url)
        stage = Stage(ports, queue, clock, world, faults, slack, smtp, source, terminal)
        await stage.settle()
        yield stage


@asynccontextmanager
async def restarted(stage: Stage, url: str) -> AsyncIterator[Stage]:
    """The same world seen by a new process: nothing is left of the old one but the database."""
    engine = create_engine(url)
    uow = uow_factory(engine, to_real=real_time_of(stage.clock))
    ports = replace(stage.ports, uow=uow, storage=PostgresStorage(engine))
    try:
        async with Queue.open(url, JobHandlers(ports)) as queue:
            yield replace(stage, ports=ports, queue=queue)
    finally:
        await engine.dispose()


async def _furnish(ports: Ports, base_url: str, slack_api: str) -> Resource[Source]:
    author = Author(PERSON, ports.clock())
    channels = (
        SlackBot(ports.vault.seal(TOKEN), f"#{CHANNEL}", mention="<!subteam^S0FAKE>", api_url=slack_api),
        Email(("finops@example.com",)),
        ConsoleChannel(),
    )
    async with ports.uow() as uow:
        receiver = await create(uow, Receivers(), Draft("everyone", {}, Receiver(channels)), author)
        await put_routes(uow, RouteTable((Route(receiver.id),)), author)
        spec = Source(SourceKind.CLAUDE_ADMIN, base_url, ports.vault.seal(ADMIN_KEY))
        return await create(uow, Sources(), Draft("claude", {}, spec), author)
