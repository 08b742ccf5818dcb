"""A first budget for a source, suggested from its last months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from service.domain.budgets.suggestion import suggested_amount
from service.domain.forecasts.forecast import Forecast
from service.domain.spend.questions import SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.domain.values.periods import Period, PeriodKind, PeriodSpec, period_at
from service.domain.values.scopes import EVERYTHING, Dimension
from service.domain.values.utc import DAY
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.spend import forecast

LAST_MONTHS = 3
_MONTHLY = PeriodSpec(PeriodKind.MONTHLY)


@dataclass(frozen=True, slots=True)
class BudgetSuggestion:
    """`amount` is for a month, None where nothing was spent. `months` are the last whole ones, as far as they are read,
    the newest first; `forecast` is of the one that runs, None where there is too little history: then what it has cost
    so far counts instead.
    """

    amount: Money | None
    months: tuple[tuple[Period, Money], ...]
    forecast: Money | None


async def suggest_budget(uow: UnitOfWork, source_id: str, now: datetime) -> BudgetSuggestion:
    """Suggests a monthly budget of the whole organisation."""
    this_month, *before = _months(now)
    months = [(month, await _spent(uow, source_id, month)) for month in before]
    so_far = await _spent(uow, source_id, this_month)
    made = (await forecast(uow, source_id, EVERYTHING, _MONTHLY, now)).forecast
    running = made.mid if isinstance(made, Forecast) else None
    known = [amount for _, amount in months] + [so_far if running is None else running]
    return BudgetSuggestion(suggested_amount(max(known)), tuple(months), running)


def last_months(now: datetime) -> list[Period]:
    """Returns the whole calendar months (UTC) before this one, the newest first."""
    return _months(now)[1:]


def _months(now: datetime) -> list[Period]:
    """Returns this month and those before it, the newest first."""
    months: list[Period] = []
    at = now
    for _ in range(LAST_MONTHS + 1):
        month = period_at(_MONTHLY, at)
        assert month is not None, "every instant is in a month"
        months.append(month)
        at = month.window.start - DAY
    return months


async def _spent(uow: UnitOfWork, source_id: str, month: Period) -> Money:
    question = SpendQuestion(source_id, month.window, Width.DAY, EVERYTHING, Dimension.ORGANISATION)
    return (await uow.facts.total(question)).spend.total
