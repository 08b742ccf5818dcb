"""The content of an alert's chart, from its evidence and the spend by UTC day or hour."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from service.domain.alerts.evidence import BudgetEvidence, KeptBucket, RuleEvidence
from service.domain.charts.chart import DAY, Chart, Point, Range, wall
from service.domain.charts.sums import buckets_of, sums
from service.domain.charts.usual import usual_ranges
from service.domain.messages.phrases import used
from service.domain.rules.rule import DOLLARS_A_DAY, DOLLARS_AN_HOUR
from service.domain.values.calendars import zone_of
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window
from service.domain.values.plain_text import NOTE_LENGTH, clean, short_day

HOUR = timedelta(hours=1)
NAME, SCOPE, MOST_READ = 40, 50, 1000
"""Characters of a name and of a scope that fit into one line of a picture, and how far one is read for them."""
PICTOGRAMS = re.compile("[\u20e3\u2190-\u2bff\u3030\u303d\ufe0f\U0001f000-\U0001faff\U000e0020-\U000e007f]+\u200d?")
"""Emoji, arrows and the like, with what joins and varies them."""


def budget_chart(evidence: BudgetEvidence, buckets: Sequence[KeptBucket], at: datetime) -> Chart:
    """The period's sum so far, the budget's amount, and where the forecast ends, on a clock in the budget's zone.

    `buckets` end with what the alert says was spent by `at`, so the sum is known at the beginning of each.
    """
    zone, period = zone_of(evidence.timezone), evidence.period
    span = Window(wall(period.start, zone), wall(period.end, zone))
    last = Point(wall(max(min(at, period.end), period.start), zone), evidence.spent)
    before = [Point(wall(one.at, zone), one.amount) for one in sums(period, evidence.spent, buckets)]
    said = f"{evidence.spent.display()} of {evidence.amount.display()}{used(evidence)}"
    simulated = _simulated(evidence)
    return Chart(
        title=_title(evidence, evidence.period_label),
        subtitle=(said, f"{simulated}{_named(evidence.budget_name)}: spend so far, {clean(evidence.timezone)}"),
        alt=f"{simulated}Spend of {_who(evidence)}, {evidence.period_label}: {said}.{_outlook(evidence)}",
        actual=(Point(span.start, ZERO), *before, last),
        forecast=_fan(evidence, last, span.end),
        budget=evidence.amount,
        span=span,
    )


def spend_so_far(evidence: BudgetEvidence, amounts: Mapping[datetime, Money]) -> tuple[KeptBucket, ...]:
    """The buckets of a budget's picture, from spend by the start of each UTC day or hour of its period."""
    return buckets_of(evidence.period, evidence.spent, amounts)


def _fan(evidence: BudgetEvidence, last: Point, end: datetime) -> tuple[Range, ...]:
    """From what is spent to what is forecast of the period's end."""
    forecast = evidence.forecast
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


def buckets_chart(evidence: RuleEvidence, buckets: Sequence[KeptBucket], at: datetime) -> Chart:
    """The chart of what a rule's alert keeps: what it judged, or what was spent by day. `at`: as of when."""
    if evidence.unit == DOLLARS_AN_HOUR or any(one.high is not None for one in buckets):
        return anomaly_chart(evidence, buckets, at)
    return rule_chart(evidence, {one.start.date(): one.amount for one in buckets if one.amount is not None}, at)


def anomaly_chart(evidence: RuleEvidence, judged: Sequence[KeptBucket], at: datetime) -> Chart:
    """Spend, the expected amount and the expected range: in the days up to the judged one, or the hours around it.

    What fired is drawn from the evidence that the alert keeps: `judged`, what is known of the buckets around it, may
    be known otherwise or not at all.
    """
    by_hour = evidence.unit == DOLLARS_AN_HOUR
    own = _own(evidence, judged)
    shown = [one for one in _with(own, judged) if by_hour or one.start.date() <= max(evidence.days)]
    limits = {one.start: found for one in shown if (found := _limits(one)) is not None}
    words, bucket = ("Hourly", HOUR) if by_hour else ("Daily", DAY)
    said = f"{_told(evidence, words)}{_between(limits.get(own.start) if own else None)}"
    unit = "hour" if by_hour else "day"
    return Chart(
        title=_title(evidence, _when(evidence)),
        subtitle=(_compared(evidence), f"{_simulated(evidence)}{_named(evidence.rule_name)}: spend by UTC {unit}"),
        alt=f"{said} {clean(evidence.cause, NOTE_LENGTH)}",
        actual=tuple(Point(one.start, one.amount) for one in shown if one.amount is not None),
        bucket=bucket,
        limits=tuple(limits.values()),
        expected=tuple(
            Point(one.start, one.expected)
            for one in shown
            if one.expected is not None and (one.start in limits or one is own)
        ),
        span=Window(shown[0].start, shown[-1].start + bucket) if shown else None,
        fired=(own.start,) if own else (),
        partial=None if by_hour else _midnight(at.astimezone(UTC).date()),
    )


def _own(evidence: RuleEvidence, judged: Sequence[KeptBucket]) -> KeptBucket | None:
    """The bucket that fired, from the evidence; its limits from what is known of it.

    Hours of alerts that were stored without theirs are looked for; None where there is none of that amount.
    """
    start = evidence.hour if evidence.unit == DOLLARS_AN_HOUR else _midnight(max(evidence.days))
    alike = [one for one in judged if one.start == start or (start is None and one.amount == evidence.actual)]
    if start is None and not alike:
        return None
    known = alike[-1] if alike else KeptBucket(start or _midnight(max(evidence.days)), None)
    return replace(known, amount=evidence.actual, expected=evidence.expected)


def _with(own: KeptBucket | None, judged: Sequence[KeptBucket]) -> list[KeptBucket]:
    if own is None:
        return list(judged)
    return sorted([own, *(one for one in judged if one.start != own.start)], key=lambda one: one.start)


def _limits(one: KeptBucket) -> Range | None:
    if one.low is None or one.expected is None or one.high is None:
        return None
    return Range(one.start, one.low, one.expected, one.high)


def _between(limits: Range | None) -> str:
    """The limits of the bucket that the alert is about."""
    return f" The expected range was {limits.low.display()} to {limits.high.display()}." if limits else ""


def _as_judged(evidence: RuleEvidence, spend: Mapping[date, Money]) -> Mapping[date, Money]:
    """The spend with the one day that fired as the alert keeps it, whatever its bill became."""
    is_one_day = evidence.unit == DOLLARS_A_DAY and len(evidence.days) == 1
    return {**spend, evidence.days[0]: evidence.actual} if is_one_day else spend


def _told(evidence: RuleEvidence, how_often: str) -> str:
    simulated = _simulated(evidence)
    return f"{simulated}{how_often} spend of {_who(evidence)} up to {max(evidence.days)}: {_compared(evidence)}."


def _compared(evidence: RuleEvidence) -> str:
    return f"{evidence.actual.brief()} where {evidence.expected.brief()} was expected"


def _simulated(evidence: BudgetEvidence | RuleEvidence) -> str:
    return "Simulated data. " if evidence.simulated else ""


def _who(evidence: BudgetEvidence | RuleEvidence) -> str:
    return clean(evidence.scope_name) or "the organisation"


def _title(evidence: BudgetEvidence | RuleEvidence, when: str) -> str:
    """The subject and the time, in one line of the picture."""
    return f"{clean(drawable(_who(evidence)), SCOPE)}, {when}"


def _named(name: str) -> str:
    return clean(drawable(name), NAME)


def _when(evidence: RuleEvidence) -> str:
    """The judged hour or days: "28 Nov 13:00-14:00 UTC"."""
    if evidence.hour is not None:
        return f"{short_day(evidence.hour.date())} {evidence.hour:%H:%M}-{evidence.hour + HOUR:%H:%M} UTC"
    first, last = min(evidence.days), max(evidence.days)
    return short_day(last) if first == last else f"{short_day(first)} to {short_day(last)}"


def drawable(text: str) -> str:
    """Leaves out pictograms: no built-in font has them, and one that is missing spoils the rest of its line."""
    return PICTOGRAMS.sub("", text[:MOST_READ]).strip() or "…"


def _expected(evidence: RuleEvidence) -> tuple[Point, ...]:
    """Only where the rule judges a day's dollars: an hour's expectation would be dwarfed by its day's bar."""
    if evidence.unit != DOLLARS_A_DAY:
        return ()
    return tuple(Point(_midnight(day), evidence.expected) for day in sorted(evidence.days))


def _usual(evidence: RuleEvidence, spend: Mapping[date, Money]) -> tuple[Range, ...]:
    before = {_midnight(day): amount for day, amount in spend.items() if day < min(evidence.days)}
    return usual_ranges(before, map(_midnight, sorted(spend)), DAY)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
