"""Where budgets stand: what is spent, what is left, where it is heading, and which thresholds were crossed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from service.domain.alerts.crossings import ThresholdBasis
from service.domain.budgets.assessment import Assessment
from service.domain.budgets.budget import Budget
from service.domain.budgets.known import Known, WindowSpend, about, by_scope, judged_by
from service.domain.forecasts.forecast import Forecast, NoForecast
from service.domain.spend.best_known import Spend
from service.domain.values.money import Money
from service.domain.values.names import describe_scope
from service.domain.values.periods import Period, Phase, live_periods
from service.domain.values.resources import Resource
from service.domain.values.scopes import ScopeKey


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


def budget_status(budget: Resource[Budget], spend: WindowSpend, known: Known) -> tuple[ScopeStatus, ...]:
    """Every scope of a budget in every live period, the open period first."""
    known = about(budget, known)
    periods = live_periods(budget.spec.period, known.now, known.closing_for)
    return tuple(
        _status(Assessment(judge, period, scope, cells, known))
        for period in reversed(periods)
        for judge in [judged_by(budget, period, known.ended_as) or budget]
        for scope, cells in by_scope(judge, spend[period.window], known)
    )


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
