"""`/v1/budget-statuses`: where all budgets stand."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.http.deps import NowDep, UowDep, viewer
from service.api.http.fields import Usd, rounded
from service.api.http.listing import DEFAULT_LIMIT, Cursor, Limit, Listing, encode, place_in
from service.api.http.responses import respond
from service.domain.spend.best_known import Basis
from service.workflows.budgets.fullest import BudgetLine, fullest

router = APIRouter(prefix="/v1/budget-statuses", tags=["Budgets"])

LISTING = "budget statuses"


class BudgetLineOut(BaseModel):
    """One scope of a budget in the period that is open. Forecasts are in the budget's own status."""

    budget_id: str
    budget: str
    scope: str = Field(examples=["org", "workspace:wrkspc_01"])
    name: str
    period_start: datetime
    period_end: datetime
    amount: Usd
    spent: Usd
    basis: Basis
    percent: float | None = Field(description="of the budget, two decimals; null for a budget of $0")


def show_line(line: BudgetLine) -> BudgetLineOut:
    status = line.status
    return BudgetLineOut(
        budget_id=line.budget.id,
        budget=line.budget.name,
        scope=str(status.scope),
        name=status.scope_name,
        period_start=status.period.window.start,
        period_end=status.period.window.end,
        amount=str(status.terms.amount),
        spent=str(status.spent.total),
        basis=status.spent.basis,
        percent=None if status.percent is None else rounded(status.percent),
    )


@router.get(
    "",
    summary="Where all budgets stand, the fullest first",
    response_model=Listing[BudgetLineOut],
    dependencies=[viewer],
)
async def list_(uow: UowDep, now: NowDep, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    skipped = place_in(LISTING, cursor)
    found = await fullest(uow, now, limit, skipped)
    following = encode(LISTING, str(skipped + limit)) if found.more else None
    return respond(Listing[BudgetLineOut](items=[show_line(line) for line in found.lines], next=following))
