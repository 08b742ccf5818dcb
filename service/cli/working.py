"""`tocsin worker`: polls, evaluates and delivers until it is stopped. It loads no web server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rich.console import Console

from service.bootstrap.collector import spare_what_lives
from service.bootstrap.database import database, require_schema
from service.bootstrap.outside import require_sound
from service.bootstrap.product import Product, open_product
from service.cli.database.waiting import wait_for_database
from service.cli.starting import read_settings
from service.cli.stopping import Stop, stopping
from service.settings import Settings
from service.worker import work


def worker(out: Console) -> None:
    settings = read_settings()
    require_sound(settings)
    with stopping() as stop, database(settings) as url:
        wait_for_database(url)
        require_schema(url)
        spare_what_lives()
        asyncio.run(run_worker(settings, url, out, stop))


async def run_worker(settings: Settings, url: str, out: Console, stopper: Stop) -> None:
    stop = stopper.event()
    async with open_product(settings, url) as product:
        await work_until(stop, product, lambda: out.print("worker: polling, evaluating, delivering", highlight=False))


async def work_until(stop: asyncio.Event, product: Product, begun: Callable[[], None] = lambda: None) -> None:
    """Works until `stop` is set. `begun` is called once the queue is open."""
    async with product.queue() as queue, product.listening():
        begun()
        await work(product.ports, queue, stop, speed=product.speed, keep=product.keep, heartbeat=product.heartbeat)
