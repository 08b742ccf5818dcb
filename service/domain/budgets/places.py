"""A budget's scopes one by one: each assessed as if there were no other, for when all at once cannot be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from service.domain.budgets.assessment import Assessment, by_scope_known, findings_of, without_past
from service.domain.budgets.budget import Budget
from service.domain.budgets.forecasting import (
    ForecastAssessment,
    Heading,
    forecast_budgets,
    has_forecast_thresholds,
    heading_of,
)
from service.domain.budgets.known import Forecasts, Known, WindowSpend, about, by_scope, judged
from service.domain.forecasts.recent import RecentSpend
from service.domain.spend.best_known import Spend
from service.domain.values.periods import Period, period_at
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION, Cell, Dimension, ScopeKey


@dataclass(frozen=True, slots=True)
class BudgetScope:
    """One scope of a budget, in all its periods. ORGANISATION is the whole budget, whatever it is repeated for."""

    budget_id: str
    scope: ScopeKey = ORGANISATION

    def is_among(self, others: Mapping[BudgetScope, object]) -> bool:
        """Whether it, or its budget as a whole, is one of them."""
        return self in others or BudgetScope(self.budget_id) in others


@dataclass(frozen=True, slots=True)
class Place:
    """One scope of a budget in one live period, judged by the budget as it counts there; `known` is its own past.

    `forecasts`: whether the budget has thresholds on forecast.
    """

    judge: Resource[Budget]
    period: Period
    scope: ScopeKey
    cells: Mapping[Cell, Spend]
    known: Known
    forecasts: bool

    def assess(self, spend: WindowSpend) -> Heading:
        """The findings on spend and on forecast, and the watches, as `assess` and `assess_forecasts` have them."""
        actual = Assessment(self.judge, self.period, self.scope, self.cells, self.known, spend)
        on_spend = findings_of([actual], self.known.forecasts)
        ahead = heading_of(self._ahead(), on_spend)
        return Heading((*on_spend, *ahead.findings), ahead.watches)

    def _ahead(self) -> list[ForecastAssessment]:
        place = (self.judge, self.period, self.scope, self.cells, self.known)
        return [ForecastAssessment(*place)] if self.forecasts else []


def places_of(budget: Resource[Budget], spend: WindowSpend, known: Known) -> list[Place]:
    """Every scope of a budget in every live period, oldest first."""
    known, forecasts = about(budget, known), has_forecast_thresholds(budget)
    own, nothing = by_scope_known(known), without_past(known)
    return [
        Place(judge, period, scope, cells, own.get(scope, nothing), forecasts)
        for judge, period in judged(budget, known)
        for scope, cells in by_scope(judge, spend[period.window], known)
    ]


def forecasts_apart(
    budget: Resource[Budget], spend: WindowSpend, recent: RecentSpend, known: Known
) -> dict[ScopeKey, Callable[[], Forecasts]]:
    """How each scope of a budget is forecast by itself, in the open period; none where there is no such period."""
    period = period_at(budget.spec.period, known.now)
    if period is None:
        return {}
    dimension = budget.spec.for_each or Dimension.ORGANISATION
    lately: dict[ScopeKey, dict[Cell, tuple[float, ...]]] = defaultdict(dict)
    for cell, days in recent.spend.items():
        lately[ScopeKey(dimension, cell.along(dimension))][cell] = days
    return {
        scope: partial(
            forecast_budgets,
            [budget],
            {period.window: cells},
            replace(recent, spend=lately.get(scope, {})),
            without_past(known),
        )
        for scope, cells in by_scope(budget, spend[period.window], about(budget, known))
    }
