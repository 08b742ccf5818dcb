"""The whole product over one database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.charts import ChildCharts
from service.adapters.claude.connector import ClaudeConnector
from service.adapters.cron import CrontabReader
from service.adapters.postgres.engine import FOR_CALLERS, PREPARE_AFTER, PoolUse, create_engine, obstacle, pool_use
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.unit_of_work import uow_factory
from service.adapters.signer import HmacSigner
from service.adapters.stretches import StretchProcesses, one_for_each_core
from service.bootstrap.clock import business_clock, wall_clock
from service.bootstrap.errors import StartError
from service.bootstrap.outside import (
    Guards,
    Transports,
    issuer_guard,
    open_channels,
    open_guards,
    open_heartbeat,
    open_people,
    open_way,
)
from service.bootstrap.secret_key import open_vault, secret_key
from service.bootstrap.traces import open_spans
from service.domain.sources.pricing import PriceBook, PriceOverride
from service.domain.values.clocks import BusinessClock
from service.settings import Settings
from service.workflows.operation.drill import run_find_refused_sources
from service.workflows.ports.channels import Heartbeat
from service.workflows.ports.outages import Outages
from service.workflows.ports.platform import Egress
from service.workflows.ports.spans import Spans
from service.workflows.ports.unit_of_work import Ports

if TYPE_CHECKING:
    from service.adapters.postgres.queue.queue import Queue
    from service.bootstrap.slack import SlackEar
    from service.workflows.slack.requests import SlackAccess


@dataclass(frozen=True, slots=True)
class Product:
    """The parts that run: the workflows' ports, and how fast time passes.

    `callers` are the same ports with connections to the database and a drawing process of their own, for the API:
    however many call, jobs have theirs. `ear` is None where nothing is heard from Slack.
    """

    ports: Ports
    callers: Ports
    engine: AsyncEngine
    jobs_engine: AsyncEngine
    url: str
    speed: float
    keep: timedelta
    heartbeat: Heartbeat | None
    ear: SlackEar | None

    @property
    def pools(self) -> Mapping[str, Callable[[], PoolUse]]:
        """How much of each pool of connections is in use."""
        engines = {"callers": self.engine, "jobs": self.jobs_engine}
        return {name: partial(pool_use, engine) for name, engine in engines.items()}

    @property
    def slack(self) -> SlackAccess | None:
        return None if self.ear is None else self.ear.access

    def listening(self) -> AbstractAsyncContextManager[None]:
        """Receives from Slack over Socket Mode for as long as the block lasts, where it is set up."""
        if self.ear is None or self.ear.socket is None:
            return nullcontext()
        return self.ear.socket.listening(self.ports, self.ear.access)

    def queue(self) -> AbstractAsyncContextManager[Queue]:
        """Opens the queue of jobs for a process that runs them; the API only adds some."""
        from service.bootstrap.jobs import open_queue

        return open_queue(self.url, self.ports)

    async def ready(self) -> str | None:
        """Returns why this process cannot work just now, None when it can."""
        return await obstacle(self.engine)


@asynccontextmanager
async def open_product(settings: Settings, url: str, simulator_url: str | None = None) -> AsyncIterator[Product]:
    """Connects everything to the database at `url`, whose schema must be up to date.

    `simulator_url` is where this process serves the simulator; None where it serves none.
    """
    guards = open_guards(settings, simulator_url)
    prepare = None if settings.prepared_statements == "off" else PREPARE_AFTER
    engine = create_engine(url, prepare_threshold=prepare)
    callers_engine = create_engine(url, prepare_threshold=prepare, bounds=FOR_CALLERS)
    try:
        clock = await business_clock(settings, engine)
        async with (
            open_way(settings, guards.sources) as sources,
            open_way(settings, guards.receivers) as receivers,
            open_way(settings, issuer_guard(settings, guards.receivers)) as issuer,
            open_spans(settings) as spans,
        ):
            ports = _ports(settings, engine, clock, guards, Transports(sources, receivers), spans)
            await _require_drill(settings, ports)
            callers_uow = uow_factory(callers_engine, clock.real_at, ports.outages, spans)
            yield Product(
                ports=ports,
                callers=replace(ports, uow=callers_uow, charts=ChildCharts(), people=open_people(settings, issuer)),
                engine=callers_engine,
                jobs_engine=engine,
                url=url,
                speed=clock.speed,
                keep=timedelta(days=settings.retention_days),
                heartbeat=open_heartbeat(settings, guards.receivers, receivers),
                ear=_ear(settings, guards),
            )
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


def _ports(
    settings: Settings,
    engine: AsyncEngine,
    clock: BusinessClock,
    guards: Guards,
    transports: Transports,
    spans: Spans,
) -> Ports:
    vault = open_vault(settings)
    outages = Outages()
    return Ports(
        uow=uow_factory(engine, clock.real_at, outages, spans),
        storage=PostgresStorage(engine),
        sources=ClaudeConnector(vault, transports.sources, contact_url=settings.link),
        channels=open_channels(settings, vault, guards.receivers, transports.receivers),
        egress=Egress(*guards),
        vault=vault,
        price_book=_price_book,
        clock=lambda: clock.at(wall_clock()),
        public_url=settings.link,
        cron=CrontabReader(),
        charts=ChildCharts(),
        signer=HmacSigner(secret_key(settings)),
        outages=outages,
        spans=spans,
        hands=StretchProcesses(settings.backtest_processes or one_for_each_core()),
    )


def _ear(settings: Settings, guards: Guards) -> SlackEar | None:
    if not settings.hears_slack:
        return None
    from service.bootstrap.slack import open_ear

    return open_ear(settings, guards.receivers)


def _price_book(overrides: Sequence[PriceOverride]) -> PriceBook:
    from service.adapters.prices import list_price_book

    return list_price_book(tuple(overrides))
