"""The commands that run until they are stopped: `up`, `api`, `worker` and `simulate`."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from rich.console import Console

from service.api.app import create_app
from service.bootstrap import (
    LOOPBACK,
    Product,
    StartError,
    loopback_url,
    open_product,
    process_clock,
    simulator,
    simulator_port,
)
from service.cli.connections import ConnectionBounds, descriptors_for
from service.cli.serving import serving
from service.cli.stopping import Stop
from service.domain.sources.source import SourceKind
from service.domain.values.durations import parse_duration
from service.settings import Settings
from service.worker import work
from service.workflows.operation.first_source import FirstSource
from service.workflows.operation.first_start import FirstStart, run_first_start

SIMULATED_KEY = "sk-ant-admin01-simulated-key-of-no-value"


async def run_up(settings: Settings, url: str, out: Console, stopper: Stop) -> None:
    """Runs everything in one process, until Ctrl-C."""
    stop = stopper.event()
    async with AsyncExitStack() as stack:
        # Chosen before the product is opened: no other port of this machine may be a source.
        port = _free_port(simulator_port(settings))
        simulator_url = loopback_url(port) if settings.anthropic_admin_key is None else None
        product = await stack.enter_async_context(open_product(settings, url, simulator_url))
        if simulator_url is not None:
            app = simulator(settings.simulator_seed, product.ports.clock, replay=None)
            await stack.enter_async_context(serving(app, LOOPBACK, port))
        started = await stack.enter_async_context(_serving_api(settings, product))
        start = await _first_start(settings, product, simulator_url)
        started.set()
        _greet(settings, out, start)
        await _work(product, stop)
        out.print("\nstopping ...", highlight=False)


async def run_api(settings: Settings, url: str, out: Console, stopper: Stop) -> None:
    stop = stopper.event()
    async with open_product(settings, url) as product, _serving_api(settings, product) as started:
        start = await _first_start(settings, product, simulator_url=None)
        started.set()
        _greet(settings, out, start)
        await stop.wait()


async def run_worker(settings: Settings, url: str, out: Console, stopper: Stop) -> None:
    stop = stopper.event()
    async with open_product(settings, url) as product:
        out.print("worker: polling, evaluating, delivering", highlight=False)
        await _work(product, stop)


async def run_simulator(
    settings: Settings, out: Console, stopper: Stop, *, port: int, seed: int, replay: Path | None
) -> None:
    stop = stopper.event()
    app = simulator(seed, process_clock(settings), replay)
    try:
        async with serving(app, LOOPBACK, port) as address:
            out.print(f"simulated Claude Admin API on {address}: every figure is invented", highlight=False)
            out.print(f"ANTHROPIC_BASE_URL={address} and any key that starts with sk-ant-admin", highlight=False)
            await stop.wait()
    except OSError as error:
        raise StartError(f"cannot listen on port {port}: {error.strerror}; choose another with --port") from error


async def _work(product: Product, stop: asyncio.Event) -> None:
    async with product.listening():
        await work(
            product.ports, product.queue, stop, speed=product.speed, keep=product.keep, heartbeat=product.heartbeat
        )


@asynccontextmanager
async def _serving_api(settings: Settings, product: Product) -> AsyncIterator[asyncio.Event]:
    """Yields what is to be set once the first start is over: only then is the process ready."""
    started = asyncio.Event()

    async def ready() -> str | None:
        return await product.ready() if started.is_set() else "the first start has not added all that is needed yet"

    app = create_app(product.callers, ready=ready, slack=product.slack)
    bounds = ConnectionBounds(most=descriptors_for(settings.max_connections))
    async with AsyncExitStack() as stack:
        try:
            server = serving(app, settings.host, settings.port, bounds, settings.trusted_proxies)
            await stack.enter_async_context(server)
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            raise StartError(f"cannot listen on {where}: {error.strerror}; set TOCSIN_PORT or TOCSIN_HOST") from error
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


def _greet(settings: Settings, out: Console, start: FirstStart) -> None:
    out.print(f"[bold]Tocsin[/] listens on {settings.link} (try {settings.link}/docs)", highlight=False)
    if start.admin_token is not None:
        out.print(f"admin token, shown this once: [bold]{start.admin_token}[/]", highlight=False, soft_wrap=True)
    if start.simulated:
        out.print(
            "[yellow]No ANTHROPIC_ADMIN_KEY is set: watching the built-in simulator. All spend below is invented.[/]",
            highlight=False,
            soft_wrap=True,
        )
    for remark in start.remarks:
        out.print(remark, style="yellow", markup=False, highlight=False, soft_wrap=True)
    out.print("Ctrl-C stops.", highlight=False)
