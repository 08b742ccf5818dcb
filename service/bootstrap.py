"""Builds the concrete product from settings. The only place that reads the wall clock."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from fastapi import FastAPI
from httpx import AsyncHTTPTransport
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.channels.dependencies import Dependencies, no_controls
from service.adapters.channels.email.settings import require_mail
from service.adapters.channels.factory import ChannelFactory
from service.adapters.channels.slack.controls import controls
from service.adapters.charts import ChildCharts
from service.adapters.claude.source import ClaudeConnector
from service.adapters.cron import CrontabReader
from service.adapters.egress.aiohttp_connector import connectors
from service.adapters.egress.guard import DrillGuard, Guard, parse_networks, trusting
from service.adapters.egress.httpx_transport import open_transport
from service.adapters.embedded_postgres.server import EmbeddedPostgres
from service.adapters.heartbeat import HttpHeartbeat
from service.adapters.postgres.clock_anchor import anchor_clock
from service.adapters.postgres.engine import FOR_CALLERS, create_engine
from service.adapters.postgres.migrate import obstacle, upgrade
from service.adapters.postgres.queue.queue import Queue
from service.adapters.postgres.secret_digests import key_digests
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.unit_of_work import uow_factory
from service.adapters.prices import list_price_book
from service.adapters.signer import HmacSigner
from service.adapters.slack.replies import EphemeralReplies
from service.adapters.slack.socket import SlackSocket
from service.adapters.vault import FernetVault
from service.domain.sources.pricing import PriceBook, PriceOverride
from service.domain.values.clocks import BusinessClock, ClockSetting, parse_clock
from service.settings import Settings
from service.simulator.app import create_app as create_simulator_app
from service.simulator.world.demo import create_world
from service.simulator.world.replay import load_replay
from service.worker import JobHandlers
from service.workflows.operation.drill import run_find_refused_sources
from service.workflows.ports.channels import Heartbeat
from service.workflows.ports.outages import Outages
from service.workflows.ports.platform import Clock, Egress, Vault
from service.workflows.ports.unit_of_work import Ports
from service.workflows.slack.requests import SlackAccess

LOOPBACK = "127.0.0.1"
LAST_PORT = 65535
SECRET_KEY_FILE = "secret.key"


class StartError(Exception):
    """The product cannot start with its setup; the text says what to change."""


class SettingError(StartError):
    """A setting is wrong, whatever the database holds; the text names its variable."""


@dataclass(frozen=True, slots=True)
class Product:
    """The parts that run: the workflows' ports, the queue of their jobs, and how fast time passes.

    `callers` are the same ports with connections to the database and a drawing process of their own, for the API:
    however many call, jobs have theirs.
    """

    ports: Ports
    callers: Ports
    engine: AsyncEngine
    queue: Queue
    speed: float
    keep: timedelta
    heartbeat: Heartbeat | None
    slack: SlackAccess
    socket: SlackSocket | None

    def listening(self) -> AbstractAsyncContextManager[None]:
        """Receives from Slack over Socket Mode for as long as the block lasts, where it is set up."""
        return nullcontext() if self.socket is None else self.socket.listening(self.ports, self.slack)

    async def ready(self) -> str | None:
        """Returns why this process cannot work just now, None when it can."""
        return await obstacle(self.engine)


def wall_clock() -> datetime:
    return datetime.now(UTC)


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """Yields the URL of a Postgres that answers: the configured one, else an embedded one while the block lasts."""
    require_sound(settings)
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    with EmbeddedPostgres(settings.own_folder.resolve() / "pg") as postgres:
        yield postgres.url()


def prepare(settings: Settings, url: str) -> None:
    """Brings the database up to date: its schema, and what an earlier release stored in another form."""
    upgrade(url)
    key_digests(url, _vault(settings).keyed)


def require_sound(settings: Settings) -> None:
    """Raises SettingError for a setting that is wrong whatever the database holds.

    The data folder comes last, where a secret key may be made: what is refused leaves nothing behind.
    """
    guards = _guards(settings, None)
    _transport(settings, guards.sources)
    receivers = _transport(settings, guards.receivers)
    _heartbeat(settings, guards.receivers, receivers)
    _require_mail(settings)
    _vault(settings)


@asynccontextmanager
async def open_product(settings: Settings, url: str, simulator_url: str | None = None) -> AsyncIterator[Product]:
    """Connects everything to the database at `url`, whose schema must be up to date.

    `simulator_url` is where this process serves the simulator; None where it serves none.
    """
    guards = _guards(settings, simulator_url)
    engine, callers_engine = create_engine(url), create_engine(url, bounds=FOR_CALLERS)
    try:
        clock = await _business_clock(settings, engine)
        async with _transport(settings, guards.sources) as sources, _transport(settings, guards.receivers) as receivers:
            ports = _ports(settings, engine, clock, guards, _Transports(sources, receivers))
            await _require_drill(settings, ports)
            callers_uow = uow_factory(callers_engine, clock.real_at, ports.outages)
            callers = replace(ports, uow=callers_uow, charts=ChildCharts())
            async with Queue.open(url, JobHandlers(ports), ports.outages) as queue:
                keep = timedelta(days=settings.retention_days)
                heartbeat = _heartbeat(settings, guards.receivers, receivers)
                slack, socket = _slack(settings, guards.receivers)
                yield Product(ports, callers, callers_engine, queue, clock.speed, keep, heartbeat, slack, socket)
    finally:
        await engine.dispose()
        await callers_engine.dispose()


async def _require_drill(settings: Settings, ports: Ports) -> None:
    """Raises StartError where time would run faster for a real organisation."""
    refused = await run_find_refused_sources(ports) if settings.clock is not None else []
    if refused:
        raise StartError(
            f"TOCSIN_CLOCK makes time run faster, for drills: {', '.join(refused)} would be polled as often as that;"
            " unset it, disable the source, or give the drill a database of its own"
        )


class _Guards(NamedTuple):
    sources: Guard
    receivers: Guard


class _Transports(NamedTuple):
    sources: AsyncHTTPTransport
    receivers: AsyncHTTPTransport


def _guards(settings: Settings, simulator_url: str | None) -> _Guards:
    """Returns what may be connected to. Sources may also be at the address that the environment gives.

    Without a key that is the simulator's; a process beside `tocsin up` takes it to be at its usual address.
    """
    try:
        receivers = Guard(parse_networks(settings.egress_allow))
    except ValueError as error:
        raise SettingError(f"TOCSIN_EGRESS_ALLOW: {error}") from error
    trusted = [settings.anthropic_base_url]
    if settings.anthropic_admin_key is None:
        trusted.append(simulator_url or loopback_url(simulator_port(settings)))
    try:
        sources = trusting(receivers, trusted)
    except ValueError as error:
        raise SettingError(f"ANTHROPIC_BASE_URL: {error}") from error
    return _Guards(sources if settings.clock is None else _drill_guard(settings, sources), receivers)


def _drill_guard(settings: Settings, sources: Guard) -> DrillGuard:
    """Returns the guard of a drill. Raises SettingError where the first source would be a real one."""
    guard = DrillGuard(sources.allowed, sources.trusted)
    objection = guard.objection(settings.anthropic_base_url) if settings.anthropic_admin_key else None
    if objection is not None:
        raise SettingError(f"TOCSIN_CLOCK with ANTHROPIC_ADMIN_KEY: {objection}. Unset one of the two")
    return guard


def simulator_port(settings: Settings) -> int:
    """Returns the port on which `tocsin up` serves the simulator, if it is free."""
    return settings.port + 1 if settings.port < LAST_PORT else settings.port - 1


def loopback_url(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"


def _transport(settings: Settings, guard: Guard) -> AsyncHTTPTransport:
    try:
        return open_transport(guard, settings.proxy)
    except ValueError as error:
        raise SettingError(f"TOCSIN_PROXY: {error}") from error


def _ports(
    settings: Settings, engine: AsyncEngine, clock: BusinessClock, guards: _Guards, transports: _Transports
) -> Ports:
    vault = _vault(settings)
    outages = Outages()
    return Ports(
        uow=uow_factory(engine, clock.real_at, outages),
        storage=PostgresStorage(engine),
        sources=ClaudeConnector(vault, transports.sources, contact_url=settings.link),
        channels=_channels(settings, vault, guards.receivers, transports.receivers),
        egress=Egress(*guards),
        vault=vault,
        price_book=_price_book,
        clock=lambda: clock.at(wall_clock()),
        public_url=settings.link,
        cron=CrontabReader(),
        charts=ChildCharts(),
        signer=HmacSigner(secret_key(settings)),
        outages=outages,
    )


def _vault(settings: Settings) -> FernetVault:
    try:
        return FernetVault(secret_key(settings))
    except ValueError as error:
        raise SettingError(str(error)) from error


def _heartbeat(settings: Settings, guard: Guard, transport: AsyncHTTPTransport) -> HttpHeartbeat | None:
    if settings.heartbeat_url is None:
        return None
    url = settings.heartbeat_url.get_secret_value()
    objection = guard.objection(url)
    if objection is not None:
        raise SettingError(f"TOCSIN_HEARTBEAT_URL: {objection}")
    return HttpHeartbeat(url, transport)


def _channels(settings: Settings, vault: Vault, guard: Guard, transport: AsyncHTTPTransport) -> ChannelFactory:
    return ChannelFactory(
        Dependencies(
            vault=vault,
            transport=transport,
            connector=connectors(guard, settings.proxy),
            proxy=settings.proxy,
            smtp_url=_require_mail(settings),
            email_from=settings.email_from,
            terminal=Console(),
            slack_controls=controls if settings.hears_slack else no_controls,
        )
    )


def _require_mail(settings: Settings) -> str | None:
    """Returns the mail server's address, None where there is none. Raises SettingError."""
    smtp_url = settings.smtp_url.get_secret_value() if settings.smtp_url else None
    try:
        require_mail(smtp_url, settings.email_from)
    except ValueError as error:
        raise SettingError(str(error)) from error
    return smtp_url


def _slack(settings: Settings, receivers: Guard) -> tuple[SlackAccess, SlackSocket | None]:
    """Returns how people in Slack get access; the socket is None where Socket Mode is not set up."""
    connector = connectors(trusting(receivers, [settings.slack_api_url]), settings.proxy)
    secret, token = settings.slack_signing_secret, settings.slack_app_token
    replies = EphemeralReplies(connector, settings.proxy)
    access = SlackAccess(
        settings.slack_default_role, secret.get_secret_value() if secret else None, replies, wall_clock
    )
    if token is None:
        return access, None
    return access, SlackSocket(token.get_secret_value(), settings.slack_api_url, connector, settings.proxy)


def _price_book(overrides: Sequence[PriceOverride]) -> PriceBook:
    return list_price_book(tuple(overrides))


async def _business_clock(settings: Settings, engine: AsyncEngine) -> BusinessClock:
    """Returns the business time that every process of the installation reads, also after a restart."""
    now = wall_clock()
    if settings.clock is None:
        return BusinessClock(now, now)
    setting = parse_clock(settings.clock)
    wanted = BusinessClock(now, setting.start or now, setting.speed)
    return await anchor_clock(engine, settings.clock, wanted)


def process_clock(settings: Settings) -> Clock:
    """Returns business time for a process without a database: it begins at the process's start."""
    now = wall_clock()
    setting = parse_clock(settings.clock) if settings.clock else ClockSetting(None, 1.0)
    clock = BusinessClock(now, setting.start or now, setting.speed)
    return lambda: clock.at(wall_clock())


def secret_key(settings: Settings) -> str:
    """Returns TOCSIN_SECRET_KEY. With the embedded database one is created in the data folder, for its owner only."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    if settings.database_url is not None:
        raise SettingError(
            "TOCSIN_SECRET_KEY is not set: it encrypts the stored secrets. Set it to a long random text, the same for"
            " every process, and keep it safe"
        )
    path = settings.own_folder / SECRET_KEY_FILE
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(32))
        return path.read_text().strip()
    except OSError as error:
        raise SettingError(f"TOCSIN_DATA_DIR: {path} cannot be kept: {error.strerror}") from error


def simulator(seed: int, clock: Clock, replay: Path | None) -> FastAPI:
    """Returns the local Claude Admin API, with its own world or with one that repeats a file of series."""
    prices = list_price_book()
    if replay is not None:
        return create_simulator_app(load_replay(replay, prices, clock()), clock)
    return create_simulator_app(create_world(seed, prices, clock()), clock)
