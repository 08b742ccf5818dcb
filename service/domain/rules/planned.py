"""Planned activities: spend that somebody announced. They raise the expectation, then expire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from service.domain.values.errors import Invalid
from service.domain.values.money import ZERO, Money
from service.domain.values.scopes import Cell, Scope, ScopeKey

_TICK = timedelta(microseconds=1)
LONGEST = timedelta(days=90)
"""Whoever expects more for longer should give feedback, or edit the rule."""


class ActivityState(StrEnum):
    RUNNING = "running"
    COMING = "coming"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class PlannedActivity:
    """Extra spend of `extra_amount` in all, between two instants (aware UTC), somewhere in `scope`."""

    source_id: str
    scope: Scope
    starts_at: datetime
    ends_at: datetime
    extra_amount: Money
    comment: str = ""

    def state(self, now: datetime) -> ActivityState:
        if now < self.starts_at:
            return ActivityState.COMING
        return ActivityState.RUNNING if now < self.ends_at else ActivityState.OVER


def validate_activity(activity: PlannedActivity, stored: PlannedActivity | None = None) -> None:
    """Raises Invalid, with a pointer into the request body. A stored one that is too long may be shortened."""
    if activity.ends_at <= activity.starts_at:
        raise Invalid("a planned activity ends after it starts", "/ends_at")
    shortened = stored is not None and activity.starts_at >= stored.starts_at and activity.ends_at <= stored.ends_at
    if activity.ends_at - activity.starts_at > LONGEST and not shortened:
        raise Invalid(f"a planned activity lasts at most {LONGEST.days} days", "/ends_at")
    if activity.extra_amount <= ZERO:
        raise Invalid("the extra amount is above $0", "/extra_amount")


def ended(activity: PlannedActivity, now: datetime) -> PlannedActivity:
    """Returns a running activity as one that is over now. It keeps the part of its amount for the time that has passed,
    so that what was expected of that time stays.
    """
    times = pairwise((activity.starts_at, now, activity.ends_at))
    passed, _ = activity.extra_amount.split([Decimal((later - earlier) // _TICK) for earlier, later in times])
    return replace(activity, ends_at=now, extra_amount=passed)


def by_day(activity: PlannedActivity) -> dict[date, Money]:
    """The extra amount spread over the activity's UTC days by elapsed time. The parts add up to it exactly."""
    days = _days(activity.starts_at.astimezone(UTC).date(), activity.ends_at.astimezone(UTC).date())
    seconds = {day: _overlap(activity, day) for day in days}
    touched = {day: weight for day, weight in seconds.items() if weight > 0}
    return dict(zip(touched, activity.extra_amount.split(list(touched.values())), strict=True))


def extras(
    activities: Sequence[PlannedActivity], members: Mapping[ScopeKey, Iterable[Cell]], days: Sequence[date]
) -> dict[ScopeKey, list[float]]:
    """Announced extra dollars of every member that they may fall on, aligned with `days`. Others are left out.

    An activity counts in full for every scope that shares a cell with it: nobody can know how a scope's parts will
    divide it. What the parts take together is still judged in the activity's own scope and in those above it.
    """
    if not activities:
        return {}
    spread = [by_day(activity) for activity in activities]
    rows: dict[ScopeKey, list[float]] = {}
    for key, cells in members.items():
        known = list(cells)
        touching = [
            amounts
            for activity, amounts in zip(activities, spread, strict=True)
            if any(activity.scope.holds(cell) for cell in known)
        ]
        if touching:
            rows[key] = [float(Money.total(amounts.get(day, ZERO) for amounts in touching).usd) for day in days]
    return rows


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def _overlap(activity: PlannedActivity, day: date) -> Decimal:
    midnight = datetime.combine(day, time(), UTC)
    shared = min(activity.ends_at, midnight + timedelta(days=1)) - max(activity.starts_at, midnight)
    return Decimal(shared // _TICK)
