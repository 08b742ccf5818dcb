"""Polls and backfills from the command line, with their progress."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

from service.bootstrap.database import database, prepare
from service.bootstrap.errors import OptionError
from service.bootstrap.outside import require_sound
from service.bootstrap.product import Product, open_product
from service.cli.database.answering import while_it_answers
from service.cli.documents import as_json
from service.cli.progress import progress_bar
from service.cli.remote.showing import table
from service.cli.starting import read_settings
from service.domain.sources.poll import Poll, PollState
from service.domain.values.errors import Invalid
from service.workflows.operation.command_line import run_look_up_poll, run_request_backfill, run_request_poll

LOOK_EVERY = 0.25
OVER = frozenset({PollState.DONE, PollState.FAILED})
OPTIONS = {"/source": "SOURCE", "/since": "--since"}
"""The options and arguments that give a request's values."""

Show = Callable[[Poll, Console], None]
"""How a poll that is over is written: `show_table` or `show_json`."""


def poll(source: str | None, show: Show, out: Console) -> int:
    return _with_product(lambda product: poll_now(product, source, show, out))


def backfill(source: str | None, since: datetime, show: Show, out: Console) -> int:
    return _with_product(lambda product: read_past(product, source, since, show, out))


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


async def poll_now(product: Product, source: str | None, show: Show, out: Console) -> int:
    """Polls, shows what each report brought, and returns the exit code."""
    with _given():
        poll = await run_request_poll(product.ports, source)
    async with _working(product):
        while poll.state not in OVER:
            await asyncio.sleep(LOOK_EVERY)
            poll = await run_look_up_poll(product.ports, poll.id)
    show(poll, out)
    return 0 if poll.state is PollState.DONE else 1


async def read_past(product: Product, source: str | None, since: datetime, show: Show, out: Console) -> int:
    """Backfills under a progress bar and returns the exit code."""
    with _given():
        poll = await run_request_backfill(product.ports, source, since)
    columns = TextColumn("backfill {task.fields[day]}"), BarColumn(), TimeRemainingColumn()
    with progress_bar(*columns) as progress:
        task = progress.add_task("", total=_days(poll), day=f"{since:%Y-%m-%d}")
        async with _working(product):
            while poll.state not in OVER:
                await asyncio.sleep(LOOK_EVERY)
                poll = await run_look_up_poll(product.ports, poll.id)
                day = poll.done_until or since
                progress.update(task, completed=(day - since).days, day=f"{day:%Y-%m-%d}")
    show(poll, out)
    return 0 if poll.state is PollState.DONE else 1


@contextmanager
def _given() -> Iterator[None]:
    """Raises OptionError for a value that an option or argument gave: it ends like any wrong option."""
    try:
        yield
    except Invalid as error:
        if error.pointer not in OPTIONS:
            raise
        raise OptionError(f"{OPTIONS[error.pointer]}: {error}") from error


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


def show_json(poll: Poll, out: Console) -> None:
    """Writes what `GET /v1/sources/{id}/polls/{poll}` answers."""
    from service.api.sources.polls import show_poll

    as_json(show_poll(poll).model_dump(mode="json"), out)


def show_table(poll: Poll, out: Console) -> None:
    """Shows a line a report, below them what was refused."""
    rows = [
        (
            one.report,
            str(one.added),
            str(one.changed),
            str(one.gone),
            f"{one.seconds:.1f}",
            "no" if one.error else "yes",
        )
        for one in poll.reports
    ]
    table(("report", "added", "changed", "gone", "seconds", "read"), rows, frozenset({1, 2, 3, 4}), out)
    for one in poll.reports:
        if one.error:
            out.print(f"{one.report}: {one.error}", markup=False, highlight=False, soft_wrap=True)
    out.print(f"The poll is {poll.state}.", highlight=False)
