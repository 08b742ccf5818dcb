"""The phrases that say where spend is heading."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from service.domain.alerts.evidence import BudgetEvidence, ForecastEvidence
from service.domain.forecasts.forecast import ForecastMethod
from service.domain.messages.phrases import period, threshold
from service.domain.values import calendars
from service.domain.values.money import ZERO, Money
from service.domain.values.plain_text import clean, short_day, short_days

DIGITS = 3
"""Digits of an estimate that are worth saying."""
CENTS_BELOW = 100
SHORT_PERIOD = timedelta(days=2)
"""Up to this length an hour is said, not only a day."""
DAY = timedelta(days=1)


def about(amount: Money, lines: Iterable[Money] = ()) -> str:
    """An estimate for people, to three digits: "$1,240", "$12.30"; to the dollar where that would take it over a line:
    "$15,418", of which $15,402 is spent already.
    """
    if not amount:
        return amount.display()
    rounded = round(amount.usd, DIGITS - 1 - amount.usd.adjusted())
    if any((rounded > line.usd) != (amount > line) for line in lines):
        return amount.brief()
    return f"${rounded:,.{2 if rounded < CENTS_BELOW else 0}f}" if rounded >= Decimal("0.01") else amount.display()


def ahead(evidence: BudgetEvidence, forecast: ForecastEvidence) -> str:
    """ "will probably be exceeded: $14,900 by 30 Nov (80% range $13,800-16,200)"."""
    if forecast.method is ForecastMethod.FINISHED:
        return f"ended at {evidence.spent.brief()} of {evidence.amount.brief()} in {period(evidence)}"
    whole = evidence.level == evidence.amount
    reached = "will probably be exceeded" if whole else f"will probably reach {threshold(evidence)}"
    of = "" if whole else f" of {evidence.amount.brief()}"
    end = _end(evidence, forecast.mid)
    return f"{reached}: {end}{of} by {_last_day(evidence)} (80% range {_range(evidence, forecast)})"


def by_the_end(evidence: BudgetEvidence, forecast: ForecastEvidence) -> str:
    """ "$1,240 by 31 Oct (80% range $1,110-1,390)"."""
    if forecast.method is ForecastMethod.FINISHED:
        return f"{evidence.spent.brief()} in {period(evidence)}"
    return f"{_end(evidence, forecast.mid)} by {_last_day(evidence)} (80% range {_range(evidence, forecast)})"


def pace(evidence: BudgetEvidence, forecast: ForecastEvidence) -> str:
    """ "At this pace: used up Thu 26 Nov, $14,900 by 30 Nov."; nothing once the period is over."""
    if forecast.method is ForecastMethod.FINISHED:
        return ""
    end = f"{_end(evidence, forecast.mid)} by {_last_day(evidence)} (80% range {_range(evidence, forecast)})"
    if evidence.spent >= evidence.amount:
        return f"At this pace: {end}."
    if forecast.exhausted_at is None:
        return f"At this pace: not used up, {end}."
    return f"At this pace: used up {_when(evidence, forecast.exhausted_at)}, {end}."


def used_up(evidence: BudgetEvidence, forecast: ForecastEvidence) -> str:
    """ "Used up Thu 26 Nov at this pace."."""
    if forecast.method is ForecastMethod.FINISHED or evidence.spent >= evidence.amount:
        return ""
    at = forecast.exhausted_at
    return f"Used up {_when(evidence, at)} at this pace." if at else ""


def stays_under(evidence: BudgetEvidence, forecast: ForecastEvidence, at: datetime | None) -> str:
    """ "Stays under 100% if the rest averages $430 a day (now $640)."; nothing where no day is left."""
    if at is None or forecast.method is ForecastMethod.FINISHED:
        return ""
    days = Decimal((evidence.period.end - at) / DAY)
    rest, heading = evidence.level - evidence.spent, forecast.mid - evidence.spent
    if days < 1 or rest <= ZERO or heading <= ZERO:
        return ""
    allowed, now = (about(Money.rounded(amount.usd / days)) for amount in (rest, heading))
    level = clean(evidence.threshold.rpartition(":")[2])
    level = level if level.endswith("%") else evidence.level.brief()
    return f"Stays under {level} if the rest averages {allowed} a day (now {now})."


def forecast_facts(evidence: BudgetEvidence) -> tuple[tuple[str, str], ...]:
    """How the forecast was made, if one was."""
    forecast = evidence.forecast
    if forecast is None or forecast.method is ForecastMethod.FINISHED:
        return ()
    quiet = f"; public holidays to come: {short_days(forecast.quiet_days)}" if forecast.quiet_days else ""
    return (("Forecast", f"from {forecast.history_days} days of history{quiet}"),)


def days_left(evidence: BudgetEvidence, at: datetime | None) -> str:
    """ "9 days", "7 h"; nothing of a period that is over, or that moves on with every day."""
    if at is None or at >= evidence.period.end or evidence.period_label.startswith("last "):
        return ""
    left = evidence.period.end - at
    count = -(-left // DAY)
    if left <= DAY:
        return f"{max(round(left / timedelta(hours=1)), 1)} h"
    return f"{count} days"


def _end(evidence: BudgetEvidence, amount: Money) -> str:
    """The period's end, on the right side of what is spent, of the level and of the amount."""
    return about(amount, (evidence.spent, evidence.level, evidence.amount))


def _range(evidence: BudgetEvidence, forecast: ForecastEvidence) -> str:
    """ "$13,800-16,200"."""
    return f"{_end(evidence, forecast.low)}-{_end(evidence, forecast.high).removeprefix('$')}"


def _when(evidence: BudgetEvidence, at: datetime) -> str:
    """ "Thu 26 Nov"; in a short period with the time of day and whose clock it is."""
    local = at.astimezone(calendars.zone_of(evidence.timezone))
    short = evidence.period.end - evidence.period.start <= SHORT_PERIOD
    return f"{short_day(local.date())}{f' at {local:%H:%M} {clean(evidence.timezone)}' if short else ''}"


def _last_day(evidence: BudgetEvidence) -> str:
    last = (evidence.period.end - timedelta.resolution).astimezone(calendars.zone_of(evidence.timezone))
    return f"{last.day} {last:%b}"
