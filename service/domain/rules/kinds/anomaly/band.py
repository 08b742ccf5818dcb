"""The band of some scopes' last days or hours: expected, and its limits, from the judges themselves."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time

from service.domain.detectors.buckets import ScoredBucket
from service.domain.detectors.memory.baselines import Memo
from service.domain.rules.feedback import Feedback
from service.domain.rules.kind import JudgedBucket
from service.domain.rules.kinds.anomaly.ground import HOURS_BACK, Judges, Members, ground, judges
from service.domain.rules.kinds.anomaly.rule import Anomaly
from service.domain.rules.rule import Rule
from service.domain.rules.view import SpendView
from service.domain.values.scopes import ORGANISATION, ScopeKey


def judged_buckets(
    view: SpendView, rule: Rule[Anomaly], feedback: Sequence[Feedback], keys: Collection[ScopeKey]
) -> Mapping[ScopeKey, Sequence[JudgedBucket]]:
    """The newest hours where the view has any, else the newest days; unknown scopes have none."""
    return (judged_days if view.hours is None else judged_hours)(view, rule, feedback, keys)


def judged_days(
    view: SpendView, rule: Rule[Anomaly], feedback: Sequence[Feedback], keys: Collection[ScopeKey]
) -> Mapping[ScopeKey, Sequence[JudgedBucket]]:
    """The last three weeks and today, each as the days before it are known in the view; unknown scopes have none."""
    found = _judges(view, rule, feedback, keys)
    if found is None:
        return {}
    judge, rows = found[0].days, found[1]
    places = range(judge.first, judge.open_day + 1)
    days = [datetime.combine(judge.panel.day(place), time(), UTC) for place in places]
    return {key: _judged(days, [judge.reading(row, place) for place in places]) for key, row in rows.items()}


def judged_hours(
    view: SpendView, rule: Rule[Anomaly], feedback: Sequence[Feedback], keys: Collection[ScopeKey]
) -> Mapping[ScopeKey, Sequence[JudgedBucket]]:
    """The same of the last two days by the hour; none where the view has no hours."""
    found = _judges(view, rule, feedback, keys)
    if found is None or found[0].hours is None:
        return {}
    hourly, rows = found[0].hours, found[1]
    last = hourly.spent.hours
    places = range(max(0, last - HOURS_BACK), last)
    judge = replace(hourly, newest=places.start)
    hours = [judge.start(place) for place in places]
    return {key: _judged(hours, [judge.reading(row, place) for place in places]) for key, row in rows.items()}


def _judges(
    view: SpendView, rule: Rule[Anomaly], feedback: Sequence[Feedback], keys: Collection[ScopeKey]
) -> tuple[Judges, Mapping[ScopeKey, int]] | None:
    """The judges of these scopes and the organisation, and the rows of those that are known.

    Every series is judged by itself, so others may be left out.
    """
    stands = ground(replace(view, memo=Memo()), rule.scope)
    known = [key for key in keys if key in stands.members]
    if not known:
        return None
    alone = replace(stands, members=Members((one, stands.members[one]) for one in (ORGANISATION, *known)))
    found = judges(alone, rule.params.sensitivity, feedback)
    return found, {key: alone.rows[key] for key in known}


def _judged(starts: Iterable[datetime], readings: Iterable[ScoredBucket]) -> tuple[JudgedBucket, ...]:
    return tuple(
        JudgedBucket(start, read.amount, read.expected if read.method.judges else math.nan, read.low, read.high)
        for start, read in zip(starts, readings, strict=True)
    )
