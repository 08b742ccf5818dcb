"""Polls and backfills from the command line, with their progress."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from service.bootstrap.database import database, prepare
from service.bootstrap.outside import require_sound
from service.bootstrap.product import Product, open_product
from service.cli.answering import while_it_answers
from service.cli.starting import read_settings
from service.domain.sources.poll import Poll, PollState
from service.workflows.operation.command_line import run_look_up_poll, run_request_backfill, run_request_poll

LOOK_EVERY = 0.25
OVER = frozenset({PollState.DONE, PollState.FAILED})


def poll(source: str | None, out: Console) -> int:
    return _with_product(lambda product: poll_now(product, source, out))


def backfill(source: str | None, since: datetime, out: Console) -> int:
    return _with_product(lambda product: read_past(product, source, since, out))


def _with_product(action: Callable[[Product], Coroutine[object, object, int]]) -> int:
    """Runs an action on a product whose database is up and migrated."""
    settings = read_settings()
    require_sound(settings)

    async def run(url: str) -> int:
        async with open_product(settings, url) as product:
            return await action(product)

    with database(settings) as url, while_it_answers(url):
        prepare(settings, url)
        return asyncio.run(run(url))


async def poll_now(product: Product, source: str | None, out: Console) -> int:
    """Polls, shows a line a report, and returns the exit code."""
    poll = await run_request_poll(product.ports, source)
    async with _working(product):
        while poll.state not in OVER:
            await asyncio.sleep(LOOK_EVERY)
            poll = await run_look_up_poll(product.ports, poll.id)
    out.print(_outcomes(poll))
    return 0 if poll.state is PollState.DONE else 1


async def read_past(product: Product, source: str | None, since: datetime, out: Console) -> int:
    """Backfills under a progress bar and returns the exit code."""
    poll = await run_request_backfill(product.ports, source, since)
    with Progress(
        TextColumn("backfill {task.fields[day]}"), BarColumn(), TimeRemainingColumn(), console=out
    ) as progress:
        task = progress.add_task("", total=_days(poll), day=f"{since:%Y-%m-%d}")
        async with _working(product):
            while poll.state not in OVER:
                await asyncio.sleep(LOOK_EVERY)
                poll = await run_look_up_poll(product.ports, poll.id)
                day = poll.done_until or since
                progress.update(task, completed=(day - since).days, day=f"{day:%Y-%m-%d}")
    out.print(_outcomes(poll))
    return 0 if poll.state is PollState.DONE else 1


@asynccontextmanager
async def _working(product: Product) -> AsyncIterator[None]:
    """Runs a worker for as long as the block lasts: the command needs no other process."""
    async with product.queue() as queue:
        stop = asyncio.Event()
        worker = asyncio.create_task(queue.run(stop))
        try:
            yield
        finally:
            stop.set()
            await worker


def _days(poll: Poll) -> int:
    return (poll.window.end - poll.window.start) // timedelta(days=1) if poll.window else 0


def _outcomes(poll: Poll) -> Table:
    table = Table("report", "rows added", "changed", "gone", "seconds", "error", title=f"poll {poll.state}")
    for outcome in poll.reports:
        counts = (str(outcome.added), str(outcome.changed), str(outcome.gone), f"{outcome.seconds:.1f}")
        table.add_row(outcome.report, *counts, outcome.error or "")
    return table
