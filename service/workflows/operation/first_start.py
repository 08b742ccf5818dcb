"""The first start of an installation: an admin token, a default route, a source, and rules that watch it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from service.domain.budgets.budget import Budget, Threshold
from service.domain.rules.kind import RuleKind
from service.domain.rules.kinds import first_seen, stale_source
from service.domain.rules.kinds.anomaly import kind as anomaly
from service.domain.rules.rule import Rule
from service.domain.sources.poll import PollKind
from service.domain.sources.source import Source, SourceKind
from service.domain.values.errors import UnreadableDocument
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension, Scope
from service.domain.values.severity import Severity
from service.workflows.access.tokens import run_first_token
from service.workflows.configuration.engine import SYSTEM, Author, Draft, change, create
from service.workflows.configuration.notify import run_default_routes
from service.workflows.configuration.rules import Rules
from service.workflows.configuration.spend import Budgets, Sources
from service.workflows.operation.first_source import NAMES, FirstSource, compare_with_stored
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.sources.ingest import request_poll

USUAL_RULES: tuple[tuple[str, RuleKind[object], Severity], ...] = (
    ("unusual spend", anomaly.KIND, Severity.WARNING),
    ("new API key that spends", first_seen.KIND, Severity.WARNING),
    ("source not read", stale_source.KIND, Severity.ERROR),
)
"""The rules of a new source, with the default parameters of their kinds."""
DEMO_MONTH_RUNS = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class FirstStart:
    """`admin_token` is the secret of a token made just now, to be shown once; `simulated`: invented data is watched.

    `remarks` say in a line each what became of settings that differ from what is stored.
    """

    admin_token: str | None
    simulated: bool
    remarks: tuple[str, ...] = ()


async def run_first_start(ports: Ports, source: FirstSource | None, *, admin_token: str | None) -> FirstStart:
    """Adds what is missing, and returns what people at the terminal must know. `source` None adds no source."""
    made = await run_first_token(ports, admin_token)
    await run_default_routes(ports)
    remarks = await run_first_source(ports, source) if source is not None else []
    async with ports.uow() as uow:
        sources = [stored.spec for stored in await uow.sources.readable()]
    simulated = any(spec.enabled and spec.kind is SourceKind.SIMULATOR for spec in sources)
    return FirstStart(made, simulated, tuple(remarks))


async def run_first_source(ports: Ports, first: FirstSource) -> list[str]:
    """Watches `first` unless a source of its kind is stored. A real organisation ends the simulation.

    Returns what people must know of a stored one that differs.
    """
    author = Author(SYSTEM, ports.clock())
    async with ports.uow() as uow:
        await uow.become_only_writer()
        try:
            stored = await uow.sources.all()
        except UnreadableDocument as error:  # nobody knows whether this is the source that is asked for
            return [str(error)]
        alike = [source for source in stored if source.spec.kind is first.kind]
        if alike and first.kind is SourceKind.SIMULATOR:
            await _follow_simulator(uow, alike[0], first, author)
        elif alike:
            return await compare_with_stored(uow, alike, first, ports.vault, author)
        elif first.kind is SourceKind.CLAUDE_ADMIN or not stored:
            for source in stored:
                await disable_simulator(uow, source, author)
            await _add(uow, ports, first, author)
    return []


async def _add(uow: UnitOfWork, ports: Ports, first: FirstSource, author: Author) -> None:
    spec = Source(first.kind, first.base_url, ports.vault.seal(first.admin_key), first.poll_interval)
    source = await create(uow, Sources(), Draft(NAMES[first.kind], {}, spec), author)
    # Before what its rules and budgets want to know of the past: the names that messages use come with a poll.
    await request_poll(uow, source.id, PollKind.REQUESTED, author.at)
    await watch_as_usual(uow, source, author)
    if first.kind is SourceKind.SIMULATOR:
        for draft in _demonstration(source.id, author.at):
            await create(uow, Budgets(), draft, author)


async def watch_as_usual(uow: UnitOfWork, source: Resource[Source], author: Author) -> None:
    """Creates the usual rules for a new source. A deleted one does not come back."""
    taken = set(await uow.rules.names())
    for name, kind, severity in USUAL_RULES:
        free = [one for one in (name, f"{name} ({source.name})") if one not in taken]
        if free:
            rule = Rule(source.id, kind.name, kind.params(), severity=severity, gates=kind.gates)
            await create(uow, Rules(), Draft(free[0], {}, rule), author)


async def _follow_simulator(uow: UnitOfWork, source: Resource[Source], first: FirstSource, author: Author) -> None:
    """Stores the simulator's present address: it may listen elsewhere than at the last start."""
    moved = replace(source.spec, base_url=first.base_url)
    await change(uow, Sources(), source, Draft(source.name, source.labels, moved), author)


async def disable_simulator(uow: UnitOfWork, source: Resource[Source], author: Author) -> None:
    """Disables a source if it is the simulator: a real organisation ends the simulation."""
    if source.spec.kind is SourceKind.SIMULATOR:
        disabled = replace(source.spec, enabled=False)
        await change(uow, Sources(), source, Draft(source.name, source.labels, disabled), author)


def _demonstration(source_id: str, now: datetime) -> list[Draft[Budget]]:
    """Returns a budget that the simulated organisation exceeds on any day, and one for each of its workspaces.

    The first one's month began two weeks ago: on the first day of a calendar month nothing would fire for hours.
    """
    levels = ((Decimal(80), Severity.WARNING), (Decimal(100), Severity.CRITICAL))
    thresholds = tuple(Threshold(severity, percent=percent) for percent, severity in levels)
    month = PeriodSpec(PeriodKind.MONTHLY, anchor_day=(now - DEMO_MONTH_RUNS).day)
    monthly = Budget(source_id, Scope(), Money.of("1000.00"), month, thresholds=thresholds)
    weekly = replace(
        monthly,
        amount=Money.of("1000.00"),
        period=PeriodSpec(PeriodKind.WEEKLY),
        for_each=Dimension.WORKSPACE,
    )
    return [
        Draft("demo: organisation, monthly", {}, monthly),
        Draft("demo: each workspace, weekly", {}, weekly),
    ]
