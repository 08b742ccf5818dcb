"""Questions about spend and where it is heading. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from service.domain.budgets.forecasting import forecast_scope
from service.domain.forecasts.forecast import Forecast, NoForecast
from service.domain.sources.commitment import PriorityUse
from service.domain.sources.source import Source, SourceKind
from service.domain.spend.attribution import Attribution
from service.domain.spend.best_known import Spend
from service.domain.spend.chargeback import Chargeback, charge_back
from service.domain.spend.completeness import LACKING, NOTHING_KNOWN, BucketState, state_of
from service.domain.spend.lateness import READ_DEEPLY
from service.domain.spend.lines import LinePart, LineQuestion
from service.domain.spend.questions import SpendQuestion
from service.domain.spend.rows import PRIORITY_TIER, Width
from service.domain.spend.tokens import TokenCounts
from service.domain.values.errors import Invalid
from service.domain.values.names import describe_scope
from service.domain.values.periods import Period, PeriodKind, PeriodSpec, Window, period_at
from service.domain.values.resources import Resource
from service.domain.values.scopes import EVERYTHING, FINEST, ORGANISATION, Dimension, Scope, tells_spenders
from service.domain.values.utc import DAY, HOUR, day_start, hour_start
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.sources.naming import names_of


@dataclass(frozen=True, slots=True)
class SpendBasis:
    """The basis of a source's figures: until when they were billed and estimated, and whether all is made up."""

    billed_until: datetime | None
    estimated_until: datetime | None
    simulated: bool


async def spend_basis(uow: UnitOfWork, source: Resource[Source]) -> SpendBasis:
    return SpendBasis(
        billed_until=await uow.facts.billed_until(source.id),
        estimated_until=await uow.facts.estimated_until(source.id),
        simulated=source.spec.kind is SourceKind.SIMULATOR,
    )


def so_far(until: datetime | None, now: datetime) -> datetime | None:
    """Returns the end of what is known; the hour that runs is known until now."""
    return min(until, now) if until else None


MOST_ROWS = 5_000_000
"""A second's work for the database: 800 days of 6,000 keys that spend every day."""


async def require_affordable(uow: UnitOfWork, question: SpendQuestion) -> None:
    """Raises Invalid for a question that would keep the database from everybody else's."""
    rows = await uow.facts.rows_behind(question)
    if rows > MOST_ROWS:
        raise Invalid(f"about {rows:,} rows are behind this, and {MOST_ROWS:,} at most: ask for fewer days", "/since")


def require_told(question: LineQuestion) -> None:
    """Raises Invalid for actors or products by the hour, and beside lines of the bill: so finely nobody is told."""
    if not tells_spenders(question.grain):
        return
    if question.spend.width is Width.HOUR:
        raise Invalid("actors and products are known by whole days", "/granularity")
    if any(isinstance(one, LinePart) for one in question.by):
        raise Invalid(
            "Actors and products are known by workspace, model and API key alone: divide by one of these", "/group_by"
        )


@dataclass(frozen=True, slots=True)
class ForecastAnswer:
    """The spend of a scope in a period that runs, and its forecast."""

    scope_name: str
    period: Period
    spent: Spend
    forecast: Forecast | NoForecast


async def forecast(uow: UnitOfWork, source_id: str, scope: Scope, spec: PeriodSpec, now: datetime) -> ForecastAnswer:
    """The forecast of any scope and period. Raises Invalid outside a custom range."""
    period = period_at(spec, now)
    if period is None:
        raise Invalid("a custom period must hold the present", "/start")
    names = await names_of(uow, await uow.polling_states.get(source_id))
    grain = FINEST | scope.grain
    cells, recent = (
        await uow.facts.spend(source_id, period.window, now, grain),
        await uow.facts.recent(source_id, now, grain),
    )
    locality = (await uow.sources.get(source_id)).spec.locality
    spent, made = forecast_scope(scope, spec, period, cells, recent, locality)
    return ForecastAnswer(describe_scope(scope, ORGANISATION, names), period, spent, made)


async def priority_use(uow: UnitOfWork, source: Resource[Source], now: datetime) -> PriorityUse:
    """The use of the Priority Tier in the calendar month (UTC) that runs."""
    period = period_at(PeriodSpec(PeriodKind.MONTHLY), now)
    assert period is not None, "every instant is in a month"
    question = SpendQuestion(source.id, period.window, Width.HOUR, EVERYTHING, Dimension.ORGANISATION)
    used = TokenCounts.sum((await uow.facts.tokens(question, PRIORITY_TIER)).values())
    return PriorityUse(period.window, used.priority, used.priority_estimate, source.spec.priority_commitment)


async def committed_use(uow: UnitOfWork, source: Resource[Source], now: datetime) -> PriorityUse | None:
    """The same; None where nothing is committed to it."""
    return await priority_use(uow, source, now) if source.spec.priority_commitment is not None else None


MOST_CHARGED = 10_000
"""Lines of a chargeback; an export has no bound."""


@dataclass(frozen=True, slots=True)
class MonthCharged:
    """A month by who pays. `final`: all of its days were read, and are settled."""

    source: Resource[Source]
    made: Chargeback
    final: bool
    simulated: bool


async def month_charged(
    uow: UnitOfWork,
    source: Resource[Source],
    month: datetime,
    dimension: Dimension,
    attribution: Attribution | None = None,
) -> MonthCharged:
    """Divides the calendar month (UTC) that begins at `month`. Raises Invalid where too many would pay."""
    period = period_at(PeriodSpec(PeriodKind.MONTHLY), month)
    assert period is not None, "every instant is in a month"
    question = SpendQuestion(source.id, period.window, Width.DAY, EVERYTHING, dimension, attribution)
    found = await uow.facts.largest(question, MOST_CHARGED + 1)
    if len(found.groups) > MOST_CHARGED:
        raise Invalid(f"more than {MOST_CHARGED:,} would pay: export the days, or divide by workspace", "/group_by")
    known = await uow.completeness.knowledge(source.id, period.window, Width.DAY)
    basis = await spend_basis(uow, source)
    return MonthCharged(
        source=source,
        made=charge_back(found.groups),
        final=all(known.get(day.start, NOTHING_KNOWN).is_final for day in buckets(period.window, Width.DAY)),
        simulated=basis.simulated,
    )


async def days_lacking(uow: UnitOfWork, source_id: str, now: datetime) -> dict[BucketState, list[date]]:
    """The UTC days of the last 35 by what is wrong with them. Days before the first one that is known are left out."""
    window = Window(day_start(now) - READ_DEEPLY, day_start(now) + DAY)
    known = await uow.completeness.knowledge(source_id, window, Width.DAY)
    found: dict[BucketState, list[date]] = {state: [] for state in LACKING}
    for day in buckets(Window(min(known, default=window.end), window.end), Width.DAY):
        state = state_of(Width.DAY, day, known.get(day.start, NOTHING_KNOWN), now, spent=False)
        found.setdefault(state, []).append(day.start.date())
    return found


async def unknown_days(uow: UnitOfWork, source_id: str, window: Window, now: datetime) -> int:
    """Counts the UTC days of a window of which no bill is known, or not all of it a day after that was due.

    In its first hour a day is none of them: no poll may have come to it yet.
    """
    days = aligned(window, Width.DAY)
    known = await uow.completeness.knowledge(source_id, days, Width.DAY)

    def stood(day: Window, at: datetime) -> BucketState:
        return state_of(Width.DAY, day, known.get(day.start, NOTHING_KNOWN), at, spent=False)

    return sum(
        stood(day, now - HOUR) in (BucketState.MISSING, BucketState.SUSPECT)
        or stood(day, now - DAY) is BucketState.LATE
        for day in buckets(days, Width.DAY)
    )


def buckets(window: Window, width: Width) -> Iterator[Window]:
    """The window's days or hours, in order."""
    start = window.start
    while start < window.end:
        yield Window(start, start + width.length)
        start += width.length


def aligned(window: Window, width: Width) -> Window:
    """The whole buckets that hold a window."""
    start, end = _floor(window.start, width), _floor(window.end, width)
    return Window(start, end if end == window.end else end + width.length)


def _floor(instant: datetime, width: Width) -> datetime:
    return day_start(instant) if width is Width.DAY else hour_start(instant)
