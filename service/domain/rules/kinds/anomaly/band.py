"""The band of one scope's last days or hours: expected, and its limits, from the judges themselves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time

from service.domain.detectors.buckets import ScoredBucket
from service.domain.detectors.memory.baselines import Memo
from service.domain.rules.feedback import Feedback
from service.domain.rules.kind import JudgedBucket
from service.domain.rules.kinds.anomaly.ground import HOURS_BACK, Judges, ground, judges
from service.domain.rules.kinds.anomaly.rule import Anomaly
from service.domain.rules.rule import Rule
from service.domain.rules.view import SpendView
from service.domain.values.scopes import ORGANISATION, ScopeKey


def judged_buckets(
    view: SpendView, rule: Rule[Anomaly], feedback: Sequence[Feedback], key: ScopeKey
) -> tuple[JudgedBucket, ...]:
    """The newest hours where the view has any, else the newest days; none of an unknown scope."""
    return (judged_days if view.hours is None else judged_hours)(view, rule, feedback, key)


def judged_days(
    view: SpendView, rule: Rule[Anomaly], feedback: Sequence[Feedback], key: ScopeKey
) -> tuple[JudgedBucket, ...]:
    """The last three weeks and today, each as the days before it are known in the view; none of an unknown scope."""
    found = _judges(view, rule, feedback, key)
    if found is None:
        return ()
    judge, row = found[0].days, found[1]
    places = range(judge.first, judge.open_day + 1)
    days = [datetime.combine(judge.panel.day(place), time(), UTC) for place in places]
    return _judged(days, [judge.reading(row, place) for place in places])


def judged_hours(
    view: SpendView, rule: Rule[Anomaly], feedback: Sequence[Feedback], key: ScopeKey
) -> tuple[JudgedBucket, ...]:
    """The same of the last two days by the hour; none where the view has no hours."""
    found = _judges(view, rule, feedback, key)
    if found is None or found[0].hours is None:
        return ()
    judge, row = found[0].hours, found[1]
    last = judge.amounts.shape[1]
    places = range(max(0, last - HOURS_BACK), last)
    return _judged([judge.start(place) for place in places], [judge.reading(row, place) for place in places])


def _judges(
    view: SpendView, rule: Rule[Anomaly], feedback: Sequence[Feedback], key: ScopeKey
) -> tuple[Judges, int] | None:
    """The view of this scope and the organisation: every series is judged by itself, so others may be left out."""
    stands = ground(replace(view, memo=Memo()), rule.scope)
    if key not in stands.members:
        return None
    alone = replace(stands, members={one: stands.members[one] for one in (ORGANISATION, key)})
    return judges(alone, rule.params.sensitivity, feedback), alone.keys.index(key)


def _judged(starts: Iterable[datetime], readings: Iterable[ScoredBucket]) -> tuple[JudgedBucket, ...]:
    return tuple(
        JudgedBucket(start, read.amount, read.expected if read.method.judges else math.nan, read.low, read.high)
        for start, read in zip(starts, readings, strict=True)
    )
