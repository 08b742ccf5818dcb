"""A budget's evidence in an answer."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, Field

from service.api.http.fields import Usd, rounded
from service.domain.alerts.evidence import BudgetEvidence, ForecastEvidence
from service.domain.forecasts.forecast import ForecastMethod
from service.domain.spend.best_known import Basis


class ForecastEvidenceOut(BaseModel):
    """The forecast of the period's end. `released`: it has clearly left the threshold that it had crossed."""

    low: Usd
    mid: Usd
    high: Usd
    method: ForecastMethod
    history_days: int
    exhausted_at: datetime | None = Field(description="when the budget will be used up; null where not, or already")
    released: bool
    quiet_days: list[date] = Field(description="public holidays to come of which less is expected")


class BudgetEvidenceOut(BaseModel):
    """Evidence of a budget's alert."""

    budget_id: str
    budget: str
    amount: Usd
    spent: Usd
    basis: Basis
    unpriced_tokens: int = Field(description="not in `spent`: of models without a price, on days not settled yet")
    percent: float | None = Field(description="of the budget, two decimals; null for a budget of $0")
    threshold: str = Field(description="the highest crossed one", examples=["actual:100%"])
    level: Usd = Field(description="that threshold's dollars")
    period_start: datetime
    period_end: datetime
    period: str = Field(examples=["November 2026"])
    timezone: str
    late: bool = Field(description="first seen after the period's end")
    billed_days: list[date] = Field(description="the UTC days whose bill made it late; empty where none did")
    billed_on: date | None = Field(description="the UTC day on which that bill was read")
    fired_on: Usd | None = Field(description="the spend at the crossing, where the settled bill has contradicted it")
    simulated: bool
    forecast: ForecastEvidenceOut | None


def show_budget_evidence(evidence: BudgetEvidence) -> BudgetEvidenceOut:
    return BudgetEvidenceOut(
        budget_id=evidence.budget_id,
        budget=evidence.budget_name,
        amount=str(evidence.amount),
        spent=str(evidence.spent),
        basis=evidence.basis,
        unpriced_tokens=evidence.unpriced_tokens,
        percent=rounded(evidence.percent) if evidence.amount else None,
        threshold=evidence.threshold,
        level=str(evidence.level),
        period_start=evidence.period.start,
        period_end=evidence.period.end,
        period=evidence.period_label,
        timezone=evidence.timezone,
        late=evidence.late,
        billed_days=list(evidence.billed_days),
        billed_on=evidence.billed_on,
        fired_on=None if evidence.fired_on is None else str(evidence.fired_on),
        simulated=evidence.simulated,
        forecast=_show_forecast(evidence.forecast) if evidence.forecast else None,
    )


def _show_forecast(forecast: ForecastEvidence) -> ForecastEvidenceOut:
    return ForecastEvidenceOut(
        low=str(forecast.low),
        mid=str(forecast.mid),
        high=str(forecast.high),
        method=forecast.method,
        history_days=forecast.history_days,
        exhausted_at=forecast.exhausted_at,
        released=forecast.released,
        quiet_days=list(forecast.quiet_days),
    )
