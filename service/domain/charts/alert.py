"""The content of an alert's chart, from its evidence and the spend by UTC day or hour."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from math import isfinite, nan
from statistics import median, quantiles

from service.domain.alerts.evidence import BudgetEvidence, RuleEvidence
from service.domain.charts.chart import DAY, Chart, Point, Range
from service.domain.messages.kinds.rule import as_said
from service.domain.messages.phrases import used
from service.domain.rules.kind import JudgedBucket
from service.domain.rules.rule import DOLLARS_A_DAY, DOLLARS_AN_HOUR
from service.domain.rules.wording import approximate, dollars
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window
from service.domain.values.plain_text import NOTE_LENGTH, clean, short_day

SATURDAY = 5
FEWEST = 4
"""Days before anything is called usual."""
HOUR = timedelta(hours=1)
NAME, SCOPE, MOST_READ = 40, 50, 1000
"""Characters of a name and of a scope that fit into one line of a picture, and how far one is read for them."""
PICTOGRAMS = re.compile("[\u20e3\u2190-\u2bff\u3030\u303d\ufe0f\U0001f000-\U0001faff\U000e0020-\U000e007f]+\u200d?")
"""Emoji, arrows and the like, with what joins and varies them."""


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
    said = f"{evidence.spent.display()} of {evidence.amount.display()}{used(evidence)}"
    simulated = _simulated(evidence)
    return Chart(
        title=_title(evidence, evidence.period_label),
        subtitle=(said, f"{simulated}{_named(evidence.budget_name)}: spend so far, UTC"),
        alt=f"{simulated}Spend of {_who(evidence)}, {evidence.period_label}: {said}.{_outlook(evidence)}",
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


def rule_chart(evidence: RuleEvidence, spend: Mapping[date, Money], at: datetime) -> Chart:
    """Spend by UTC day, how it usually is, and what was expected of the judged days. `at`: when they were judged."""
    return Chart(
        title=_title(evidence, _when(evidence)),
        subtitle=(_compared(evidence), f"{_simulated(evidence)}{_named(evidence.rule_name)}: spend by UTC day"),
        alt=f"{_told(evidence, 'Daily')} {clean(evidence.cause, NOTE_LENGTH)}",
        actual=tuple(Point(_midnight(day), amount) for day, amount in sorted(_as_judged(evidence, spend).items())),
        bucket=DAY,
        usual=_usual(evidence, spend),
        expected=_expected(evidence),
        fired=tuple(_midnight(day) for day in evidence.days),
        partial=_midnight(at.astimezone(UTC).date()),
    )


def anomaly_chart(evidence: RuleEvidence, judged: Sequence[JudgedBucket], at: datetime) -> Chart:
    """Spend, the expected amount and the expected range: in the days up to the judged one, or the hours around it.

    What fired is drawn from the evidence that the alert keeps: `judged`, what is known of the buckets around it, may
    be known otherwise or not at all.
    """
    by_hour = evidence.unit == DOLLARS_AN_HOUR
    own = _own(evidence, judged)
    shown = [one for one in _with(own, judged) if by_hour or one.start.date() <= max(evidence.days)]
    limited = [one for one in shown if one.has_limits]
    words, bucket = ("Hourly", HOUR) if by_hour else ("Daily", DAY)
    said = f"{_told(evidence, words)}{_between(evidence, limited)}"
    unit = "hour" if by_hour else "day"
    return Chart(
        title=_title(evidence, _when(evidence)),
        subtitle=(_compared(evidence), f"{_simulated(evidence)}{_named(evidence.rule_name)}: spend by UTC {unit}"),
        alt=f"{said} {clean(evidence.cause, NOTE_LENGTH)}",
        actual=tuple(Point(one.start, approximate(one.amount)) for one in shown if isfinite(one.amount)),
        bucket=bucket,
        limits=tuple(_limits(one) for one in limited),
        expected=tuple(Point(one.start, approximate(one.expected)) for one in shown if one.has_limits or one is own),
        span=Window(shown[0].start, shown[-1].start + bucket) if shown else None,
        fired=(own.start,) if own else (),
        partial=None if by_hour else _midnight(at.astimezone(UTC).date()),
    )


def _own(evidence: RuleEvidence, judged: Sequence[JudgedBucket]) -> JudgedBucket | None:
    """The bucket that fired, from the evidence; its limits from what is known of it.

    Hours of alerts that were stored without theirs are looked for; None where there is none of that amount.
    """
    start = evidence.hour if evidence.unit == DOLLARS_AN_HOUR else _midnight(max(evidence.days))
    alike = [one for one in judged if one.start == start or (start is None and _is_of(one, evidence))]
    if start is None and not alike:
        return None
    known = alike[-1] if alike else JudgedBucket(start or _midnight(max(evidence.days)), nan, nan, nan, nan)
    return replace(known, amount=float(evidence.actual.usd), expected=float(evidence.expected.usd))


def _with(own: JudgedBucket | None, judged: Sequence[JudgedBucket]) -> list[JudgedBucket]:
    if own is None:
        return list(judged)
    return sorted([own, *(one for one in judged if one.start != own.start)], key=lambda one: one.start)


def _is_of(one: JudgedBucket, evidence: RuleEvidence) -> bool:
    return isfinite(one.amount) and approximate(one.amount) == evidence.actual


def _limits(one: JudgedBucket) -> Range:
    return Range(one.start, approximate(one.low), approximate(one.expected), approximate(one.high))


def _between(evidence: RuleEvidence, judged: Sequence[JudgedBucket]) -> str:
    """The limits of the bucket that the alert is about; nothing where its figures are others by now."""
    own = [one for one in judged if _is_of(one, evidence)]
    return f" The expected range was {dollars(own[-1].low)} to {dollars(own[-1].high)}." if own else ""


def _as_judged(evidence: RuleEvidence, spend: Mapping[date, Money]) -> Mapping[date, Money]:
    """The spend with the one day that fired as the alert keeps it, whatever its bill became."""
    is_one_day = evidence.unit == DOLLARS_A_DAY and len(evidence.days) == 1
    return {**spend, evidence.days[0]: evidence.actual} if is_one_day else spend


def _told(evidence: RuleEvidence, how_often: str) -> str:
    simulated = _simulated(evidence)
    return f"{simulated}{how_often} spend of {_who(evidence)} up to {max(evidence.days)}: {_compared(evidence)}."


def _compared(evidence: RuleEvidence) -> str:
    return f"{as_said(evidence.actual)} where {as_said(evidence.expected)} was expected"


def _simulated(evidence: BudgetEvidence | RuleEvidence) -> str:
    return "Simulated data. " if evidence.simulated else ""


def _who(evidence: BudgetEvidence | RuleEvidence) -> str:
    return clean(evidence.scope_name) or "the organisation"


def _title(evidence: BudgetEvidence | RuleEvidence, when: str) -> str:
    """The subject and the time, in one line of the picture."""
    return f"{clean(_drawable(_who(evidence)), SCOPE)}, {when}"


def _named(name: str) -> str:
    return clean(_drawable(name), NAME)


def _when(evidence: RuleEvidence) -> str:
    """The judged hour or days: "28 Nov 13:00-14:00 UTC"."""
    if evidence.hour is not None:
        return f"{short_day(evidence.hour.date())} {evidence.hour:%H:%M}-{evidence.hour + HOUR:%H:%M} UTC"
    first, last = min(evidence.days), max(evidence.days)
    return short_day(last) if first == last else f"{short_day(first)} to {short_day(last)}"


def _drawable(text: str) -> str:
    """Leaves out pictograms: no built-in font has them, and one that is missing spoils the rest of its line."""
    return PICTOGRAMS.sub("", text[:MOST_READ]).strip() or "…"


def _expected(evidence: RuleEvidence) -> tuple[Point, ...]:
    """Only where the rule judges a day's dollars: an hour's expectation would be dwarfed by its day's bar."""
    if evidence.unit != DOLLARS_A_DAY:
        return ()
    return tuple(Point(_midnight(day), evidence.expected) for day in sorted(evidence.days))


def _usual(evidence: RuleEvidence, spend: Mapping[date, Money]) -> tuple[Range, ...]:
    """Between which amounts eight in ten of the days before the judged ones lie, weekends apart."""
    before = {day: amount for day, amount in spend.items() if day < min(evidence.days)}
    bands = {
        kind: _middle([amount for day, amount in before.items() if _weekend(day) is kind]) for kind in (False, True)
    }
    return tuple(
        Range(_midnight(day), band[0], band[1], band[2])
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


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
