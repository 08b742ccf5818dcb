"""The phrases that say where spend is heading."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from service.domain.alerts.evidence import BudgetEvidence, ForecastEvidence
from service.domain.forecasts.forecast import ForecastMethod
from service.domain.messages.phrases import period
from service.domain.values import calendars
from service.domain.values.money import Money

DIGITS = 3
"""Digits of an estimate that are worth saying."""
SHORT_PERIOD = timedelta(days=2)
"""Up to this length an hour is said, not only a day."""


def about(amount: Money) -> str:
    """An estimate for people, to three digits: "$1,240", "$12.30"."""
    if not amount:
        return amount.display()
    digits = max(DIGITS - 1 - amount.usd.adjusted(), 0)
    rounded = round(amount.usd, DIGITS - 1 - amount.usd.adjusted())
    return f"${rounded:,.{min(digits, 2)}f}" if rounded >= Decimal("0.01") else amount.display()


def heading(evidence: BudgetEvidence, forecast: ForecastEvidence, budget: str) -> str:
    """ "is heading for $1,240 (between $1,110 and $1,390) of $1,000.00 by 31 October; at this pace it is ...".

    `budget` is how the sentence names the budget's amount.
    """
    if forecast.method is ForecastMethod.FINISHED:
        return f"has come to {evidence.spent.display()} of {budget} in {period(evidence)}"
    return f"is heading for {standing_ahead(evidence, forecast, budget)}{_pace(evidence, forecast)}"


def standing_ahead(evidence: BudgetEvidence, forecast: ForecastEvidence, budget: str = "") -> str:
    """ "$1,240 (between $1,110 and $1,390) of $1,000.00 by 31 October"."""
    of = f" of {budget or evidence.amount.display()}"
    if forecast.method is ForecastMethod.FINISHED:
        return f"{evidence.spent.display()}{of} in {period(evidence)}"
    return f"{about(forecast.mid)} ({_between(forecast)}){of} by {_last_day(evidence)}"


def forecast_facts(evidence: BudgetEvidence) -> tuple[tuple[str, str], ...]:
    """The facts of the forecast, if one was made."""
    forecast = evidence.forecast
    if forecast is None or forecast.method is ForecastMethod.FINISHED:
        return ()
    learnt = f"from {forecast.history_days} days of history"
    said = f"{about(forecast.mid)} by {_last_day(evidence)}, four times in five {_between(forecast)}, {learnt}"
    return (("Forecast", said), ("Used up", _used_up(evidence, forecast)))


def _between(forecast: ForecastEvidence) -> str:
    return f"between {about(forecast.low)} and {about(forecast.high)}"


def _pace(evidence: BudgetEvidence, forecast: ForecastEvidence) -> str:
    if evidence.spent >= evidence.amount:
        return "; it is used up already"
    if forecast.exhausted_at is None:
        return ""
    return f"; at this pace it is used up {_when(evidence, forecast.exhausted_at)}"


def _used_up(evidence: BudgetEvidence, forecast: ForecastEvidence) -> str:
    if evidence.spent >= evidence.amount:
        return "already"
    if forecast.exhausted_at is None:
        return f"not by {_last_day(evidence)}, at this pace"
    return f"{_when(evidence, forecast.exhausted_at)}, at this pace"


def _when(evidence: BudgetEvidence, at: datetime) -> str:
    local = at.astimezone(calendars.zone_of(evidence.timezone))
    day = f"on {local.day} {local:%B}"
    return f"{day} at {local:%H:%M}" if evidence.period.end - evidence.period.start <= SHORT_PERIOD else day


def _last_day(evidence: BudgetEvidence) -> str:
    last = (evidence.period.end - timedelta.resolution).astimezone(calendars.zone_of(evidence.timezone))
    return f"{last.day} {last:%B}"
