"""The overview: what was spent today and this month, how budgets stand, what is open, and how fresh the figures are.

It has the same size however large the installation is: the first sources, the fullest budgets, the newest alerts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from service.domain.alerts.alert import Alert, AlertState
from service.domain.budgets.budget import Budget
from service.domain.budgets.forecasting import forecast_scope
from service.domain.budgets.statuses import ScopeStatus
from service.domain.forecasts.forecast import Forecast, NoForecast
from service.domain.sources.source import Source, SourceState
from service.domain.spend.best_known import Spend
from service.domain.spend.questions import Figure, SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.names import describe_scope
from service.domain.values.periods import Period, PeriodKind, PeriodSpec, Phase, Window, period_at
from service.domain.values.resources import Resource
from service.domain.values.scopes import EVERYTHING, Dimension, Grain
from service.domain.values.utc import DAY, day_start
from service.workflows.budgets.statuses import all_statuses
from service.workflows.ports.alerts import AlertFilter
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.spend import SpendBasis, spend_basis

MOST_SOURCES, MOST_BUDGETS, MOST_ALERTS = 5, 12, 10
SHOWN_DAYS = 30
OPEN = (AlertState.FIRING, AlertState.ACKNOWLEDGED, AlertState.SNOOZED)
_MONTH = PeriodSpec(PeriodKind.MONTHLY)
_WHOLE: Grain = frozenset()


@dataclass(frozen=True, slots=True)
class SourceOverview:
    """One organisation's spend: by day (UTC, the newest last, today included), and of the month so far."""

    source: Resource[Source]
    state: SourceState
    basis: SpendBasis
    days: tuple[tuple[datetime, Figure], ...]
    month: Period
    spent: Spend
    forecast: Forecast | NoForecast

    @property
    def today(self) -> Figure:
        return self.days[-1][1]


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One scope of a budget in its open period."""

    budget: Resource[Budget]
    status: ScopeStatus


@dataclass(frozen=True, slots=True)
class Overview:
    """`more_sources` and `more_budgets` are left out; `more_alerts` says whether any are."""

    sources: tuple[SourceOverview, ...]
    more_sources: int
    budgets: tuple[BudgetLine, ...]
    more_budgets: int
    alerts: tuple[Alert, ...]
    more_alerts: bool


async def overview(uow: UnitOfWork, now: datetime) -> Overview:
    sources = await uow.sources.readable()
    lines = _fullest(await all_statuses(uow, now))
    alerts = await uow.alerts.page(AlertFilter(states=OPEN), limit=MOST_ALERTS, cursor=None)
    return Overview(
        sources=tuple([await _source(uow, source, now) for source in sources[:MOST_SOURCES]]),
        more_sources=max(0, len(sources) - MOST_SOURCES),
        budgets=await _named(uow, lines[:MOST_BUDGETS]),
        more_budgets=max(0, len(lines) - MOST_BUDGETS),
        alerts=alerts.items,
        more_alerts=alerts.next is not None,
    )


async def _source(uow: UnitOfWork, source: Resource[Source], now: datetime) -> SourceOverview:
    tomorrow = day_start(now) + DAY
    days = [tomorrow - DAY * number for number in range(SHOWN_DAYS, 0, -1)]
    question = SpendQuestion(source.id, Window(days[0], tomorrow), Width.DAY, EVERYTHING, Dimension.ORGANISATION)
    found = await uow.facts.figures_by_bucket(question, SHOWN_DAYS)
    month = period_at(_MONTH, now)
    assert month is not None, "every instant is in a month"
    cells = await uow.facts.spend(source.id, month.window, now, _WHOLE)
    recent = await uow.facts.recent(source.id, now, _WHOLE)
    spent, made = forecast_scope(EVERYTHING, _MONTH, month, cells, recent)
    return SourceOverview(
        source=source,
        state=await uow.polling_states.get(source.id),
        basis=await spend_basis(uow, source),
        days=tuple((day, sum(found.figures.get(day, {}).values(), Figure())) for day in days),
        month=month,
        spent=spent,
        forecast=made,
    )


def _fullest(statuses: Iterable[tuple[Resource[Budget], tuple[ScopeStatus, ...]]]) -> list[BudgetLine]:
    """Returns the open periods, the one with the largest part of its amount spent first."""
    lines = [BudgetLine(budget, one) for budget, own in statuses for one in own if one.phase is Phase.OPEN]
    return sorted(lines, key=_fullness, reverse=True)


def _fullness(line: BudgetLine) -> Decimal:
    percent = line.status.percent
    return percent if percent is not None else Decimal("Infinity" if line.status.spent.total else 0)


async def _named(uow: UnitOfWork, lines: Iterable[BudgetLine]) -> tuple[BudgetLine, ...]:
    named = []
    for line in lines:
        scope = line.budget.spec.scope
        names = await uow.directory.names(line.budget.spec.source_id, {line.status.scope, *scope.members})
        status = replace(line.status, scope_name=describe_scope(scope, line.status.scope, names))
        named.append(BudgetLine(line.budget, status))
    return tuple(named)


def passed_percent(period: Period, now: datetime) -> Decimal:
    """Returns how much of a period is over, as a percentage: what would be spent by now at an even pace."""
    length = period.window.end - period.window.start
    return Decimal((now - period.window.start) / length * 100).quantize(Decimal("0.1"))
