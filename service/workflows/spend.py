"""Questions about spend and where it is heading. Nothing here writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from service.domain.budgets.forecasting import forecast_scope
from service.domain.forecasts.forecast import Forecast, NoForecast
from service.domain.sources.source import SourceKind
from service.domain.spend.best_known import EstimatedDay, Spend
from service.domain.spend.rows import Width
from service.domain.values.errors import Invalid
from service.domain.values.money import ZERO, Money
from service.domain.values.names import Names, describe_scope
from service.domain.values.periods import Period, PeriodSpec, Window, period_at
from service.domain.values.scopes import ORGANISATION, Cell, Dimension, Scope, ScopeKey
from service.domain.values.utc import DAY, HOUR, day_start, hour_start, midnight
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.sources.naming import names_of

STEPS = {Width.DAY: DAY, Width.HOUR: HOUR}


@dataclass(frozen=True, slots=True)
class Figure:
    """Spend, and beside it what spend leaves out: tokens without a price, and the Priority Tier's estimate."""

    spend: Spend = field(default_factory=Spend)
    unpriced_tokens: int = 0
    priority: Money = ZERO

    def __add__(self, other: Figure) -> Figure:
        return Figure(
            self.spend + other.spend,
            self.unpriced_tokens + other.unpriced_tokens,
            self.priority + other.priority,
        )


@dataclass(frozen=True, slots=True)
class SpendQuestion:
    """A question about one source's spend: a window, cut into days or hours, filtered and grouped."""

    source_id: str
    window: Window
    width: Width
    scope: Scope
    group_by: Dimension


@dataclass(frozen=True, slots=True)
class SpendAnswer:
    """Figures by bucket start and group. Buckets without spend are not in it. Hours are estimates from usage."""

    figures: dict[datetime, dict[ScopeKey, Figure]]
    names: Names
    billed_until: datetime | None
    estimated_until: datetime | None
    simulated: bool

    def by_group(self) -> dict[ScopeKey, Figure]:
        groups: dict[ScopeKey, Figure] = defaultdict(Figure)
        for bucket in self.figures.values():
            for key, figure in bucket.items():
                groups[key] += figure
        return dict(groups)


def add_up(figures: dict[ScopeKey, Figure]) -> Figure:
    return sum(figures.values(), Figure())


async def spend(uow: UnitOfWork, question: SpendQuestion) -> SpendAnswer:
    """Raises NotFound for an unknown source."""
    figures: dict[datetime, dict[ScopeKey, Figure]] = defaultdict(lambda: defaultdict(Figure))
    for start, cell, figure in await _rows(uow, question):
        if question.scope.holds(cell):
            figures[start][ScopeKey(question.group_by, cell.along(question.group_by))] += figure
    source = await uow.sources.get(question.source_id)
    return SpendAnswer(
        figures={start: dict(groups) for start, groups in sorted(figures.items())},
        names=await names_of(uow, await uow.polling_states.get(question.source_id)),
        billed_until=await uow.facts.billed_until(question.source_id),
        estimated_until=await uow.facts.estimated_until(question.source_id),
        simulated=source.spec.kind is SourceKind.SIMULATOR,
    )


async def _rows(uow: UnitOfWork, question: SpendQuestion) -> list[tuple[datetime, Cell, Figure]]:
    if question.width is Width.DAY:
        days = await uow.facts.days(question.source_id, question.window)
        return [(midnight(day), cell, _figure(known.spend, known.estimate)) for day, cell, known in days]
    hours = await uow.facts.hours(question.source_id, question.window)
    return [(hour, cell, _figure(Spend(estimated=known.cost), known)) for hour, cell, known in hours]


def _figure(spend: Spend, estimate: EstimatedDay) -> Figure:
    return Figure(spend, estimate.unpriced_tokens, estimate.priority)


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
    cells = await uow.facts.spend(source_id, period.window, now)
    spent, made = forecast_scope(scope, spec, period, cells, await uow.facts.recent(source_id, now))
    return ForecastAnswer(describe_scope(scope, ORGANISATION, names), period, spent, made)


def buckets(window: Window, width: Width) -> Iterator[Window]:
    """The window's days or hours, in order."""
    step = STEPS[width]
    start = window.start
    while start < window.end:
        yield Window(start, start + step)
        start += step


def aligned(window: Window, width: Width) -> Window:
    """The whole buckets that hold a window."""
    start, end = _floor(window.start, width), _floor(window.end, width)
    return Window(start, end if end == window.end else end + STEPS[width])


def _floor(instant: datetime, width: Width) -> datetime:
    return day_start(instant) if width is Width.DAY else hour_start(instant)
