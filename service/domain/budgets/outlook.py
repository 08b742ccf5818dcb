"""Where budgets are heading: the forecasts of their open periods, all made at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from service.domain.budgets.assessment import Known, Place, WindowSpend, about, by_scope
from service.domain.budgets.budget import Budget
from service.domain.forecasts.estimate import Running, forecast_all
from service.domain.forecasts.forecast import Forecast, Missing, NoForecast
from service.domain.forecasts.history import DailySpend
from service.domain.forecasts.recent import RecentSpend, daily_spends
from service.domain.spend.rows import Spend
from service.domain.values.money import Money
from service.domain.values.periods import Period, PeriodKind, PeriodSpec, period_at
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION, Cell, Dimension, Scope

FARTHEST = timedelta(days=400)
"""Of a period's end: a year ahead and a little; days beyond cost time and say nothing."""

Outlook = Running | NoForecast


def forecast_budgets(
    budgets: Iterable[Resource[Budget]], spend: WindowSpend, recent: RecentSpend, known: Known
) -> dict[Place, Forecast | NoForecast]:
    """The forecast of every scope of these budgets in its open period, or why there is none."""
    outlooks: dict[Place, Outlook] = {}
    for budget in budgets:
        period = period_at(budget.spec.period, known.now)
        if period is not None:
            outlooks |= _outlooks(budget, period, spend[period.window], recent, known)
    return _answered(outlooks)


def forecast_scope(
    scope: Scope, spec: PeriodSpec, period: Period, cells: Mapping[Cell, Spend], recent: RecentSpend
) -> tuple[Spend, Forecast | NoForecast]:
    """What a scope has spent in an open period, and its forecast."""
    spent = Spend.sum(part for cell, part in cells.items() if scope.holds(cell))
    days = daily_spends(recent, scope, Dimension.ORGANISATION, spec.timezone).get(ORGANISATION)
    place = Place("", ORGANISATION, period.window)
    return spent, _answered({place: _outlook(spec, period, days, spent.total, recent.now)})[place]


def _outlooks(
    budget: Resource[Budget], period: Period, cells: Mapping[Cell, Spend], recent: RecentSpend, known: Known
) -> dict[Place, Outlook]:
    spec = budget.spec
    days = daily_spends(recent, spec.scope, spec.for_each or Dimension.ORGANISATION, spec.period.timezone)
    return {
        Place(budget.id, scope, period.window): _outlook(
            spec.period, period, days.get(scope), Spend.sum(own.values()).total, known.now
        )
        for scope, own in by_scope(budget, cells, about(budget, known))
    }


def _outlook(spec: PeriodSpec, period: Period, days: DailySpend | None, spent: Money, now: datetime) -> Outlook:
    if spec.kind is PeriodKind.ROLLING:
        return NoForecast(Missing.NO_END, 0)
    if period.window.end - now > FARTHEST:
        return NoForecast(Missing.TOO_FAR, 0)
    if days is None:
        return NoForecast(Missing.NO_SPEND, 0)
    return Running(days, spent, period.window, now, spec.timezone)


def _answered(outlooks: Mapping[Place, Outlook]) -> dict[Place, Forecast | NoForecast]:
    running = {place: outlook for place, outlook in outlooks.items() if isinstance(outlook, Running)}
    made = dict(zip(running, forecast_all(list(running.values())), strict=True))
    return {place: outlook if isinstance(outlook, NoForecast) else made[place] for place, outlook in outlooks.items()}
