"""`/v1/budgets/{id}/status`: where a budget stands."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.budgets.budgets import ThresholdOut, show_threshold
from service.api.http.deps import AuthorDep, IdOrName, UowDep, viewer
from service.api.http.fields import Usd, rounded
from service.api.http.once import respond
from service.domain.budgets.statuses import ScopeStatus
from service.domain.forecasts.forecast import Forecast, Missing, NoForecast
from service.domain.spend.rows import Basis
from service.domain.values.periods import Phase
from service.workflows.spend import forecast_statuses

router = APIRouter(prefix="/v1/budgets", tags=["Budgets"])


class PeriodOut(BaseModel):
    start: datetime
    end: datetime
    label: str = Field(examples=["November 2026"])
    phase: Phase


class ThresholdStatusOut(ThresholdOut):
    crossed_at: datetime | None


class RangeOut(BaseModel):
    """Spend at the end of the period: four times in five within `low` and `high`, as often above `mid` as below."""

    low: Usd
    mid: Usd
    high: Usd


class ForecastReason(StrEnum):
    """Why nothing is forecast: nothing spent in ten weeks; too few complete days; a rolling period; an end more than
    400 days away; a period that is over.
    """

    NO_SPEND = Missing.NO_SPEND
    SHORT_HISTORY = Missing.SHORT_HISTORY
    NO_END = Missing.NO_END
    TOO_FAR = Missing.TOO_FAR
    PERIOD_OVER = "period_over"


class ScopeStatusOut(BaseModel):
    """Where one scope stands in one period. Without a forecast, `forecast_reason` says why."""

    scope: str = Field(examples=["org", "workspace:wrkspc_01"])
    name: str
    period: PeriodOut
    amount: Usd
    spent: Usd
    basis: Basis
    unpriced_tokens: int = Field(description="not in `spent`: of models without a price, on days not settled yet")
    percent: float | None = Field(description="of the budget, two decimals; null for a budget of $0")
    remaining: Usd = Field(description="negative when overspent")
    forecast: RangeOut | None
    forecast_reason: ForecastReason | None
    exhausted_at: datetime | None = Field(description="when the amount is used up; null where it is not in the period")
    thresholds: list[ThresholdStatusOut]


class BudgetStatusOut(BaseModel):
    """Every scope in every period that is open or closing."""

    budget_id: str
    budget: str
    billed_until: datetime | None
    items: list[ScopeStatusOut]
    next: None = None


def show_range(made: Forecast | NoForecast | None) -> RangeOut | None:
    if not isinstance(made, Forecast):
        return None
    return RangeOut(low=str(made.low), mid=str(made.mid), high=str(made.high))


def show_reason(made: Forecast | NoForecast | None) -> ForecastReason | None:
    if isinstance(made, Forecast):
        return None
    return ForecastReason(made.reason) if made else ForecastReason.PERIOD_OVER


def show_status(status: ScopeStatus) -> ScopeStatusOut:
    window, budget = status.period.window, status.terms
    return ScopeStatusOut(
        scope=str(status.scope),
        name=status.scope_name,
        period=PeriodOut(start=window.start, end=window.end, label=status.period.label, phase=status.phase),
        amount=str(budget.amount),
        spent=str(status.spent.total),
        basis=status.spent.basis,
        unpriced_tokens=status.spent.unpriced_tokens,
        percent=None if status.percent is None else rounded(status.percent),
        remaining=str(status.remaining),
        forecast=show_range(status.forecast),
        forecast_reason=show_reason(status.forecast),
        exhausted_at=status.forecast.exhausted_at(budget.amount) if isinstance(status.forecast, Forecast) else None,
        thresholds=[
            ThresholdStatusOut(**show_threshold(one), crossed_at=status.crossed_at.get(one.key))
            for one in budget.thresholds
        ],
    )


@router.get(
    "/{id}/status",
    summary="Where a budget stands",
    response_model=BudgetStatusOut,
    responses={404: {}},
    dependencies=[viewer],
)
async def status(id: IdOrName, uow: UowDep, author: AuthorDep) -> Response:
    budget = await uow.budgets.get(id)
    statuses = await forecast_statuses(uow, budget, author.at)
    return respond(
        BudgetStatusOut(
            budget_id=budget.id,
            budget=budget.name,
            billed_until=await uow.facts.billed_until(budget.spec.source_id),
            items=[show_status(one) for one in statuses],
        )
    )
