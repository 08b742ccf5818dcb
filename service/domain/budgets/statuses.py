"""Where budgets stand: what is spent, what is left, where it is heading, and which thresholds were crossed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from service.domain.alerts.crossings import ThresholdBasis
from service.domain.budgets.assessment import Assessment, by_scope_known, without_past
from service.domain.budgets.budget import Budget
from service.domain.budgets.forecasting import forecast_budgets
from service.domain.budgets.known import Forecasts, Known, WindowSpend, about, by_scope, judged_by
from service.domain.forecasts.forecast import Forecast, NoForecast
from service.domain.forecasts.recent import RecentSpend
from service.domain.spend.best_known import Spend
from service.domain.values.money import Money
from service.domain.values.names import describe_scope
from service.domain.values.periods import Period, Phase, Window, live_periods, period_at
from service.domain.values.resources import Resource
from service.domain.values.scopes import Cell, ScopeKey


@dataclass(frozen=True, slots=True)
class ScopeStatus:
    """Where one scope of a budget stands in one live period. `forecast` is None of a period that is over.

    `percent` is None of a budget of $0: no spend is any share of that.
    """

    scope: ScopeKey
    scope_name: str
    period: Period
    phase: Phase
    terms: Budget
    spent: Spend
    percent: Decimal | None
    remaining: Money
    crossed_at: Mapping[str, datetime]
    forecast: Forecast | NoForecast | None


@dataclass(frozen=True, slots=True)
class StatusPlace:
    """One scope of a budget in one live period, with its spend by cell: a status is made of it when it is asked for."""

    judge: Resource[Budget]
    period: Period
    scope: ScopeKey
    cells: Mapping[Cell, Spend]


def budget_status(budget: Resource[Budget], spend: WindowSpend, known: Known) -> tuple[ScopeStatus, ...]:
    """Every scope of a budget in every live period, the open period first."""
    return statuses_of(budget, status_places(budget, spend, known), known)


def status_places(budget: Resource[Budget], spend: WindowSpend, known: Known) -> list[StatusPlace]:
    """Where the budget has a status: no scope is added up yet. The open period comes first."""
    known = about(budget, known)
    return [
        StatusPlace(judge, period, scope, cells)
        for period in reversed(live_periods(budget.spec.period, known.now, known.closing_for))
        for judge in [judged_by(budget, period, known.ended_as) or budget]
        for scope, cells in by_scope(judge, spend[period.window], known)
    ]


def statuses_of(budget: Resource[Budget], places: Iterable[StatusPlace], known: Known) -> tuple[ScopeStatus, ...]:
    known = about(budget, known)
    own, nothing = by_scope_known(known), without_past(known)
    return tuple(
        _status(Assessment(one.judge, one.period, one.scope, one.cells, own.get(one.scope, nothing))) for one in places
    )


def forecast_places(
    budget: Resource[Budget], places: Iterable[StatusPlace], recent: RecentSpend, known: Known
) -> Forecasts:
    """The forecasts of these places alone, of those in the open period."""
    scopes: set[ScopeKey] = set()
    spend: dict[Window, dict[Cell, Spend]] = defaultdict(dict)
    for one in places:
        scopes.add(one.scope)
        spend[one.period.window] |= one.cells
    period = period_at(budget.spec.period, known.now)
    if period is None or period.window not in spend:
        return {}
    past = [crossing for crossing in known.crossings if crossing.scope in scopes]
    return forecast_budgets([budget], spend, recent, replace(known, crossings=past))


def _status(assessed: Assessment) -> ScopeStatus:
    amount, spent = assessed.spec.amount, assessed.spent.total
    return ScopeStatus(
        scope=assessed.scope,
        scope_name=describe_scope(assessed.spec.scope, assessed.scope, assessed.known.names),
        period=assessed.period,
        phase=assessed.phase,
        terms=assessed.spec,
        spent=assessed.spent,
        percent=spent.ratio_to(amount) * 100 if amount else None,
        remaining=amount - spent,
        crossed_at={
            crossing.threshold: crossing.crossed_at
            for basis in ThresholdBasis
            for crossing in assessed.on_record(basis)
            if crossing.period_start == assessed.start
        },
        forecast=assessed.forecast,
    )
