"""What an alert's chart shows, from its evidence and the spend by UTC day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from statistics import median, quantiles

from service.domain.alerts import BudgetEvidence, RuleEvidence
from service.domain.charts import Chart, Point, Range
from service.domain.money import ZERO, Money
from service.domain.phrases import used
from service.domain.plain_text import NOTE_LENGTH, clean
from service.domain.rules.rule import DOLLARS_A_DAY

SATURDAY = 5
FEWEST = 4
"""Days before anything is called usual."""


def budget_chart(evidence: BudgetEvidence, spend: Mapping[datetime, Money], at: datetime) -> Chart:
    """The period's sum so far, the budget's amount, and where the forecast ends.

    `spend` is by the end of its bucket. Days are whole UTC days: in a period of another time zone the line is off by
    hours. Its last point is exact, and what has become known since then does not rise above it.
    """
    window, total = evidence.period, ZERO
    points = [Point(window.start, ZERO)]
    for end, amount in sorted(spend.items()):
        total += amount
        if window.start < end < min(at, window.end):
            points.append(Point(end, min(total, evidence.spent)))
    last = Point(max(min(at, window.end), window.start), evidence.spent)
    name, who = clean(evidence.budget_name), clean(evidence.scope_name) or "the organisation"
    said = f"{evidence.spent.display()} of {evidence.amount.display()}{used(evidence)}"
    simulated = "Simulated data. " if evidence.simulated else ""
    return Chart(
        title=f"{name}: {said}",
        subtitle=f"{simulated}{who}, {evidence.period_label}: spend so far, UTC",
        alt=f"{simulated}Spend of {who} in {evidence.period_label}: {said}.{_outlook(evidence)}",
        actual=(*points, last),
        forecast=_fan(evidence, last),
        budget=evidence.amount,
        span=window,
    )


def _fan(evidence: BudgetEvidence, last: Point) -> tuple[Range, ...]:
    """From what is spent to what is forecast of the period's end."""
    forecast, end = evidence.forecast, evidence.period.end
    if forecast is None or last.at >= end:
        return ()
    now = Range(last.at, last.amount, last.amount, last.amount)
    return now, Range(end, forecast.low, forecast.mid, forecast.high)


def _outlook(evidence: BudgetEvidence) -> str:
    forecast = evidence.forecast
    if forecast is None:
        return ""
    return (
        f" The forecast of the period's end is {forecast.mid.display()},"
        f" between {forecast.low.display()} and {forecast.high.display()}."
    )


def rule_chart(evidence: RuleEvidence, spend: Mapping[date, Money]) -> Chart:
    """Spend by UTC day, how it usually is, and what was expected of the judged days."""
    name, who = clean(evidence.rule_name), clean(evidence.scope_name) or "the organisation"
    said = f"{evidence.actual.display()} where {evidence.expected.display()} was expected"
    simulated = "Simulated data. " if evidence.simulated else ""
    return Chart(
        title=f"{name}: {said}",
        subtitle=f"{simulated}{who}: spend by UTC day",
        alt=f"{simulated}Daily spend of {who} up to {max(evidence.days)}: {said}. {clean(evidence.cause, NOTE_LENGTH)}",
        actual=tuple(Point(_noon(day), amount) for day, amount in sorted(spend.items())),
        bars=True,
        usual=_usual(evidence, spend),
        expected=_expected(evidence),
    )


def _expected(evidence: RuleEvidence) -> tuple[Point, ...]:
    """Only where the rule judges a day's dollars: an hour's expectation would be dwarfed by its day's bar."""
    if evidence.unit != DOLLARS_A_DAY:
        return ()
    return tuple(Point(_noon(day), evidence.expected) for day in sorted(evidence.days))


def _usual(evidence: RuleEvidence, spend: Mapping[date, Money]) -> tuple[Range, ...]:
    """Between which amounts eight in ten of the days before the judged ones lie, weekends apart."""
    before = {day: amount for day, amount in spend.items() if day < min(evidence.days)}
    bands = {
        kind: _middle([amount for day, amount in before.items() if _weekend(day) is kind]) for kind in (False, True)
    }
    return tuple(
        Range(_noon(day), band[0], band[1], band[2])
        for day in sorted(spend)
        if (band := bands[_weekend(day)]) is not None
    )


def _middle(amounts: Sequence[Money]) -> tuple[Money, Money, Money] | None:
    """The first decile, the median and the last decile; None of too few amounts to say."""
    if len(amounts) < FEWEST:
        return None
    low, *_, high = quantiles([amount.usd for amount in amounts], n=10, method="inclusive")
    return Money.rounded(low), Money.rounded(median(amount.usd for amount in amounts)), Money.rounded(high)


def _weekend(day: date) -> bool:
    return day.weekday() >= SATURDAY


def _noon(day: date) -> datetime:
    """A day's bar stands in its middle."""
    return datetime.combine(day, time(12), UTC)
