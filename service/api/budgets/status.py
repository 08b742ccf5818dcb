"""`/v1/budgets/{id}/status`: where a budget stands."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.budgets.budgets import ThresholdOut, show_threshold
from service.api.http.deps import IdOrName, NowDep, UowDep, viewer
from service.api.http.fields import Usd, rounded
from service.api.http.listing import DEFAULT_LIMIT, Cursor, Limit, encode, place_in
from service.api.http.responses import respond
from service.api.spend.forecasts import ForecastReason, RangeOut, show_range, show_reason
from service.api.spend.periods import PeriodOut, show_period
from service.domain.budgets.statuses import ScopeStatus
from service.domain.forecasts.forecast import Forecast
from service.domain.spend.best_known import Basis
from service.workflows.budgets.statuses import status_part, unseen_members
from service.workflows.ports.alerts import BudgetFailure

router = APIRouter(prefix="/v1/budgets", tags=["Budgets"])


LISTING = "statuses"
MOST_FAILURES = 100


class ThresholdStatusOut(ThresholdOut):
    crossed_at: datetime | None


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
    exhausted_at: datetime | None = Field(description="when the amount will be used up; null where not, or already")
    thresholds: list[ThresholdStatusOut]


class BudgetFailureOut(BaseModel):
    """A scope that a defect keeps from being assessed: it does not fire, and its open alert stays as it is."""

    scope: str = Field(examples=["workspace:wrkspc_01"], description="`org`: the whole budget")
    since: datetime
    last_at: datetime
    count: int = Field(description="of all evaluations that failed, earlier ones included")
    error: str


class BudgetStatusOut(BaseModel):
    """Scopes in the periods that are open or closing, the open one's first, by id.

    `failures` are what the newest evaluation could not assess. `error` says why there are no items: a defect.
    """

    budget_id: str
    budget: str
    billed_until: datetime | None
    failures: list[BudgetFailureOut] = Field(description="100 at most, the whole budget first; empty where all is well")
    error: str | None = Field(examples=[None])
    unseen: list[str] = Field(description="members of its scope that nothing that was read has named: they count $0")
    items: list[ScopeStatusOut]
    next: str | None


def show_status(status: ScopeStatus) -> ScopeStatusOut:
    budget = status.terms
    return ScopeStatusOut(
        scope=str(status.scope),
        name=status.scope_name,
        period=show_period(status.period, status.phase),
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


def show_failure(failure: BudgetFailure) -> BudgetFailureOut:
    return BudgetFailureOut(
        scope=str(failure.scope),
        since=failure.since,
        last_at=failure.last_at,
        count=failure.count,
        error=failure.error,
    )


@router.get(
    "/{id}/status",
    summary="Where a budget stands",
    response_model=BudgetStatusOut,
    responses={404: {}},
    dependencies=[viewer],
)
async def status(
    id: IdOrName, uow: UowDep, now: NowDep, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    budget = await uow.budgets.get(id)
    skipped = place_in(LISTING, cursor)
    part = await status_part(uow, budget, now, skipped, limit + 1)
    failing = await uow.budget_failures.failing(budget.id, most=MOST_FAILURES)
    return respond(
        BudgetStatusOut(
            budget_id=budget.id,
            budget=budget.name,
            billed_until=await uow.facts.billed_until(budget.spec.source_id),
            failures=[show_failure(one) for one in failing],
            error=part.error,
            unseen=[str(one) for one in await unseen_members(uow, budget)],
            items=[show_status(one) for one in part.statuses[:limit]],
            next=encode(LISTING, str(skipped + limit)) if len(part.statuses) > limit else None,
        )
    )
