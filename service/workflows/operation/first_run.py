"""The first steps of whoever sets Tocsin up: which are done, and what begins once a key has passed its check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from service.domain.notify.channels.console import Console
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.sources.poll import Poll, PollKind
from service.domain.sources.source import Source, SourceKind, SourceState
from service.domain.values.resources import Resource
from service.workflows.budgets.suggest import BudgetSuggestion, last_months, suggest_budget
from service.workflows.configuration.asking import ask_for_backfill
from service.workflows.configuration.engine import Author, Draft, change
from service.workflows.configuration.notify import put_routes, route_table
from service.workflows.configuration.spend import Sources
from service.workflows.operation.first_start import disable_simulator, watch_as_usual
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

SHOWN_POLLS = 20


@dataclass(frozen=True, slots=True)
class ReadProgress:
    """How far the first source is read: its newest poll, and a reading of the past, one that runs before others."""

    state: SourceState
    poll: Poll | None
    past: Poll | None


@dataclass(frozen=True, slots=True)
class FirstRun:
    """The steps that are done so far. `source` is the real organisation's, `simulated`: an invented one is
    watched meanwhile.

    `budget` is the name of one of its budgets; `receiver` one that leads further than the log.
    """

    source: Resource[Source] | None
    simulated: bool
    progress: ReadProgress | None
    suggestion: BudgetSuggestion | None
    budget: str | None
    receiver: Resource[Receiver] | None
    is_default: bool


async def first_run(uow: UnitOfWork, now: datetime) -> FirstRun:
    sources = await uow.sources.readable()
    source = _real(sources)
    progress = await _progress(uow, source) if source else None
    is_read = progress is not None and progress.state.cost_read_at is not None
    receiver = next((one for one in await uow.receivers.readable() if leads_further(one.spec)), None)
    return FirstRun(
        source=source,
        simulated=any(one.spec.kind is SourceKind.SIMULATOR and one.spec.enabled for one in sources),
        progress=progress,
        suggestion=await suggest_budget(uow, source.id, now) if source and is_read else None,
        budget=await _budget(uow, source) if source else None,
        receiver=receiver,
        is_default=receiver is not None and receiver.id == await default_receiver(uow),
    )


def _real(sources: Iterable[Resource[Source]]) -> Resource[Source] | None:
    """Returns the first real organisation's source, an enabled one before others."""
    real = [one for one in sources if one.spec.kind is not SourceKind.SIMULATOR]
    return next((one for one in real if one.spec.enabled), real[0] if real else None)


async def _progress(uow: UnitOfWork, source: Resource[Source]) -> ReadProgress:
    polls = (await uow.polls.page(source.id, limit=SHOWN_POLLS, cursor=None)).items
    newest = next((one for one in polls if one.kind is not PollKind.BACKFILL), None)
    pasts = [one for one in polls if one.kind is PollKind.BACKFILL]
    past = next((one for one in pasts if one.finished_at is None), pasts[0] if pasts else None)
    return ReadProgress(await uow.polling_states.get(source.id), newest, past)


async def _budget(uow: UnitOfWork, source: Resource[Source]) -> str | None:
    return next((one.name for one in await uow.budgets.readable() if one.spec.source_id == source.id), None)


def leads_further(receiver: Receiver) -> bool:
    """Whether a receiver has a channel other than the worker's log."""
    return any(not isinstance(channel, Console) for channel in receiver.channels)


async def default_receiver(uow: UnitOfWork) -> str | None:
    """Returns the id of the receiver that takes what no other route does."""
    table = await route_table(uow)
    return table.spec.items[-1].receiver_id if table and table.spec.items else None


async def send_all_to(uow: UnitOfWork, receiver: Resource[Receiver], author: Author) -> None:
    """Makes a receiver the one of the default route; other routes stay."""
    table = await route_table(uow)
    *others, default = table.spec.items if table else (Route(receiver.id),)
    await put_routes(uow, RouteTable((*others, replace(default, receiver_id=receiver.id))), author)


async def run_begin(ports: Ports, source_id: str, author: Author) -> None:
    """Enables a checked source, gives it the usual rules, and queues its first poll and the last months.

    The simulation ends: its spend is nobody's.
    """
    async with ports.uow() as uow:
        await uow.become_only_writer()
        source = await uow.sources.get(source_id)
        for other in await uow.sources.readable():
            await disable_simulator(uow, other, author)
        enabled = Draft(source.name, source.labels, replace(source.spec, enabled=True))
        source = await change(uow, Sources(), source, enabled, author)
        await watch_as_usual(uow, source, author)
        await _read_last_months(uow, source, author)


async def _read_last_months(uow: UnitOfWork, source: Resource[Source], author: Author) -> None:
    """Queues them, unless a rule has asked for as much already."""
    since = last_months(author.at)[-1].window.start
    asked = [one.window for one in await uow.polls.unfinished(source.id) if one.window is not None]
    if all(since < window.start for window in asked):
        await ask_for_backfill(uow, source, since, author)
