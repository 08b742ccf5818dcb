"""Forecasts of budgets' scopes: one that cannot be made keeps no other from being made."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from service.domain.budgets.budget import Budget
from service.domain.budgets.forecasting import forecast_budgets
from service.domain.budgets.known import Known, ScopePeriod, WindowSpend
from service.domain.budgets.places import BudgetScope, forecasts_apart
from service.domain.forecasts.forecast import Forecast, NoForecast
from service.domain.forecasts.recent import RecentSpend
from service.domain.values.resources import Resource
from service.workflows.budgets.defects import BudgetDefect, FailedScopes, attempt


def forecast_each(
    budgets: Sequence[Resource[Budget]], spend: WindowSpend, recent: RecentSpend, known: Known, failed: FailedScopes
) -> dict[ScopePeriod, Forecast | NoForecast]:
    """All at once; where that raises budget by budget, and scope by scope of the budget that is at fault."""
    at_once = attempt(partial(forecast_budgets, budgets, spend, recent, known))
    if not isinstance(at_once, BudgetDefect):
        return at_once
    if len(budgets) > 1:
        parts = (forecast_each([budget], spend, recent, known, failed) for budget in budgets)
        return {place: made for part in parts for place, made in part.items()}
    (budget,) = budgets
    failed.log(budget.id, at_once)
    return _forecasts_apart(budget, spend, recent, known, failed)


def _forecasts_apart(
    budget: Resource[Budget], spend: WindowSpend, recent: RecentSpend, known: Known, failed: FailedScopes
) -> dict[ScopePeriod, Forecast | NoForecast]:
    scopes = attempt(partial(forecasts_apart, budget, spend, recent, known))
    if isinstance(scopes, BudgetDefect):
        failed.note(BudgetScope(budget.id), scopes)
        return {}
    found: dict[ScopePeriod, Forecast | NoForecast] = {}
    for scope, make in scopes.items():
        made = attempt(make)
        if isinstance(made, BudgetDefect):
            failed.note(BudgetScope(budget.id, scope), made)
        else:
            found |= made
    return found
