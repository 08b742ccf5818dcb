"""The commands that serve the API until they are stopped: `up`, and `api` without a worker."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from prometheus_client import CollectorRegistry
from rich.console import Console

from service.api.app import create_app
from service.api.operation.metrics import watch_pools
from service.bootstrap.collector import spare_what_lives
from service.bootstrap.database import database, prepare, require_schema
from service.bootstrap.errors import StartError
from service.bootstrap.outside import LOOPBACK, loopback_url, require_sound, simulator_port
from service.bootstrap.product import Product, open_product
from service.cli.connections import ConnectionBounds, descriptors_for
from service.cli.database.waiting import wait_for_database
from service.cli.folder import alone, one_simulator
from service.cli.greeting.figures import welcome
from service.cli.greeting.lines import greet
from service.cli.serving import reason_of, serving
from service.cli.starting import read_settings
from service.cli.stopping import Stop, stopping
from service.domain.sources.source import SourceKind
from service.domain.values.durations import parse_duration
from service.settings import Settings
from service.workflows.operation.first_source import FirstSource
from service.workflows.operation.first_start import FirstStart, run_first_start

SIMULATED_KEY = "sk-ant-admin01-simulated-key-of-no-value"


def up(out: Console) -> None:
    settings = read_settings()
    require_sound(settings)
    with stopping() as stop, alone(settings), database(settings) as url:
        wait_for_database(url)
        prepare(settings, url)
        with one_simulator(settings, url):
            spare_what_lives()
            asyncio.run(run_up(settings, url, out, stop))


def api(out: Console) -> None:
    settings = read_settings()
    require_sound(settings)
    with stopping() as stop, database(settings) as url:
        wait_for_database(url)
        require_schema(url)
        spare_what_lives()
        asyncio.run(run_api(settings, url, out, stop))


async def run_up(settings: Settings, url: str, out: Console, stopper: Stop) -> None:
    """Runs everything in one process, until Ctrl-C."""
    from service.cli.working import work_until

    stop = stopper.event()
    async with AsyncExitStack() as stack:
        # Chosen before the product is opened: no other port of this machine may be a source.
        port = _free_port(simulator_port(settings))
        simulator_url = loopback_url(port) if settings.anthropic_admin_key is None else None
        product = await stack.enter_async_context(open_product(settings, url, simulator_url))
        if simulator_url is not None:
            from service.bootstrap.simulator import simulator

            app = simulator(settings.simulator_seed, product.ports.clock, replay=None)
            await stack.enter_async_context(serving(app, LOOPBACK, port))
        started = await stack.enter_async_context(_serving_api(settings, product))
        start = await _first_start(settings, product, simulator_url)
        started.set()
        greet(settings, out, start)
        if not start.simulated:
            figures = asyncio.create_task(welcome(product.ports, settings.link, out), name="welcome")
            stack.callback(figures.cancel)
        await work_until(stop, product)
        out.print("\nstopping ...", highlight=False)


async def run_api(settings: Settings, url: str, out: Console, stopper: Stop) -> None:
    stop = stopper.event()
    async with open_product(settings, url) as product, _serving_api(settings, product) as started:
        start = await _first_start(settings, product, simulator_url=None)
        started.set()
        greet(settings, out, start)
        await stop.wait()


@asynccontextmanager
async def _serving_api(settings: Settings, product: Product) -> AsyncIterator[asyncio.Event]:
    """Yields what is to be set once the first start is over: only then is the process ready."""
    started = asyncio.Event()

    async def ready() -> str | None:
        return await product.ready() if started.is_set() else "the first start has not added all that is needed yet"

    registry = CollectorRegistry()
    watch_pools(registry, product.pools)
    app = create_app(product.callers, ready=ready, registry=registry, slack=product.slack)
    bounds = ConnectionBounds(most=descriptors_for(settings.max_connections))
    async with AsyncExitStack() as stack:
        try:
            server = serving(app, settings.host, settings.port, bounds, settings.trusted_proxies)
            await stack.enter_async_context(server)
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            raise StartError(f"cannot listen on {where}: {reason_of(error)}; set TOCSIN_PORT or TOCSIN_HOST") from error
        yield started


def _first_source(settings: Settings, simulator_url: str | None) -> FirstSource | None:
    """Returns the source to watch where none is stored: the organisation of ANTHROPIC_ADMIN_KEY, else the simulator."""
    interval = parse_duration(settings.poll_interval)
    key = settings.anthropic_admin_key
    if key is not None:
        base_url = settings.anthropic_base_url.rstrip("/")
        named = "poll_interval" in settings.model_fields_set
        return FirstSource(SourceKind.CLAUDE_ADMIN, base_url, key.get_secret_value(), interval, named)
    if simulator_url is not None:
        return FirstSource(SourceKind.SIMULATOR, simulator_url, SIMULATED_KEY, interval)
    return None


async def _first_start(settings: Settings, product: Product, simulator_url: str | None) -> FirstStart:
    token = settings.admin_token.get_secret_value() if settings.admin_token else None
    return await run_first_start(product.ports, _first_source(settings, simulator_url), admin_token=token)


def _free_port(wanted: int) -> int:
    """Returns the wanted port, so that restarts find the same address, or any free one where it is taken."""
    for port in (wanted, 0):
        try:
            with socket.create_server((LOOPBACK, port)) as listener:
                return int(listener.getsockname()[1])
        except OSError as error:
            taken = error
    raise StartError(f"no port is free for the simulator: {taken.strerror}")
