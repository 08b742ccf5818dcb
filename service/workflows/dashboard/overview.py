"""The overview: what was spent today and this month, how budgets stand, what is open, and how fresh the figures are.

It has the same size however large the installation is: the first sources, the fullest budgets, the newest alerts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from service.domain.alerts.alert import Alert, AlertState
from service.domain.budgets.forecasting import forecast_scope
from service.domain.forecasts.forecast import Forecast, NoForecast
from service.domain.sources.source import Source, SourceState
from service.domain.spend.best_known import Spend
from service.domain.spend.questions import Figure, SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.periods import Period, PeriodKind, PeriodSpec, Window, period_at
from service.domain.values.resources import Resource
from service.domain.values.scopes import EVERYTHING, Dimension, Grain
from service.domain.values.utc import DAY, day_start
from service.workflows.budgets.fullest import BudgetLine, fullest
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
    budgets = await fullest(uow, now, MOST_BUDGETS)
    alerts = await uow.alerts.page(AlertFilter(states=OPEN), limit=MOST_ALERTS, cursor=None)
    return Overview(
        sources=tuple([await _source(uow, source, now) for source in sources[:MOST_SOURCES]]),
        more_sources=max(0, len(sources) - MOST_SOURCES),
        budgets=budgets.lines,
        more_budgets=budgets.more,
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
    spent, made = forecast_scope(EVERYTHING, _MONTH, month, cells, recent, source.spec.locality)
    return SourceOverview(
        source=source,
        state=await uow.polling_states.get(source.id),
        basis=await spend_basis(uow, source),
        days=tuple((day, sum(found.figures.get(day, {}).values(), Figure())) for day in days),
        month=month,
        spent=spent,
        forecast=made,
    )


def passed_percent(period: Period, now: datetime) -> Decimal:
    """Returns how much of a period is over, as a percentage: what would be spent by now at an even pace."""
    length = period.window.end - period.window.start
    return Decimal((now - period.window.start) / length * 100).quantize(Decimal("0.1"))
