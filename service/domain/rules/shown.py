"""The days or hours in the pictures of a rule's findings, as known when people are told of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from service.domain.alerts.alert import Alert
from service.domain.alerts.evidence import KeptBucket, RuleEvidence
from service.domain.alerts.findings import Finding
from service.domain.alerts.reconcile import tells
from service.domain.rules.feedback import Feedback
from service.domain.rules.kind import Bands, JudgedBucket
from service.domain.rules.member_days import member_days
from service.domain.rules.registry import kind_of
from service.domain.rules.rule import DOLLARS_AN_HOUR, Rule
from service.domain.rules.view import SpendView
from service.domain.rules.wording import approximate
from service.domain.values.scopes import ScopeKey
from service.domain.values.utc import DAY, midnight

HISTORY = 28 * DAY
"""How long before the judged days a picture begins, where the kind has no band."""
MOST_DAYS = 62


def with_buckets(
    findings: Sequence[Finding],
    open_alerts: Sequence[Alert],
    rule: Rule[object],
    view: SpendView,
    feedback: Sequence[Feedback],
) -> list[Finding]:
    """The findings, those that people are told of with the days or hours of their picture.

    That an alert is calm is told of the picture that it has: what fired is no longer the newest.
    """
    by_fingerprint = {alert.fingerprint: alert for alert in open_alerts}
    pictured = [one for one in findings if _is_pictured(one) and kind_of(rule).judges_bill]
    told = [one for one in pictured if tells(one, by_fingerprint.get(one.fingerprint))]
    by_hour = [one for one in told if _is_by_hour(one)]
    by_day = [one for one in told if not _is_by_hour(one)]
    hours = _bands(by_hour, rule, view, feedback) if view.hours is not None else {}
    days = _bands(by_day, rule, replace(view, hours=None), feedback)
    kept = {one.scope: tuple(map(kept_bucket, hours.get(_about(one), ()))) for one in by_hour}
    kept |= {one.scope: _days(one, days.get(_about(one), ()), rule, view) for one in by_day}
    return [
        replace(one, evidence=replace(one.evidence, buckets=kept[one.scope])) if one.scope in kept else one
        for one in findings
    ]


def kept_bucket(judged: JudgedBucket) -> KeptBucket:
    figures = judged.amount, judged.expected, judged.low, judged.high
    return KeptBucket(judged.start, *(approximate(one) if math.isfinite(one) else None for one in figures))


def _is_pictured(finding: Finding) -> bool:
    evidence = finding.evidence
    return isinstance(evidence, RuleEvidence) and bool(evidence.days) and not evidence.is_calm


def _is_by_hour(finding: Finding) -> bool:
    return _evidence(finding).unit == DOLLARS_AN_HOUR


def _about(finding: Finding) -> ScopeKey:
    return _evidence(finding).about or finding.scope


def _evidence(finding: Finding) -> RuleEvidence:
    assert isinstance(finding.evidence, RuleEvidence)
    return finding.evidence


def _bands(told: Sequence[Finding], rule: Rule[object], view: SpendView, feedback: Sequence[Feedback]) -> Bands:
    band = kind_of(rule).band
    return band(view, rule, feedback, {_about(one) for one in told}) if band and told else {}


def _days(
    finding: Finding, judged: Sequence[JudgedBucket], rule: Rule[object], view: SpendView
) -> tuple[KeptBucket, ...]:
    """The days as they were judged; as they were spent where nothing was expected of any."""
    if any(one.has_limits for one in judged):
        return tuple(map(kept_bucket, judged))
    first, last = min(_evidence(finding).days) - HISTORY, max(_evidence(finding).days)
    about = _about(finding)
    row = member_days(view, about.dimension, rule.scope).get(about, ())
    spent = [(day, amount) for day, amount in zip(view.days, row, strict=False) if first <= day <= last]
    return tuple(
        KeptBucket(midnight(day), approximate(amount) if math.isfinite(amount) else None)
        for day, amount in spent[-MOST_DAYS:]
    )
