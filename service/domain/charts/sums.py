"""Spend of a period as a sum that grows, and the range of where it is heading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from service.domain.alerts.evidence import KeptBucket
from service.domain.charts.chart import SHORT, Point, Range
from service.domain.forecasts.forecast import Forecast
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window

MOST_BUCKETS = 62
"""The days or hours of a line, at most."""


def is_short(period: Window) -> bool:
    """Whether a period is shown by its hours."""
    return period.end - period.start <= SHORT


def buckets_of(period: Window, spent: Money, amounts: Mapping[datetime, Money]) -> tuple[KeptBucket, ...]:
    """The buckets of a line, from spend by the start of each UTC day or hour of a period in which `spent` was spent.

    Hours are estimates: they share what was spent, as days do that add up to more than it, since a period may end
    within one. Days of long periods are put together.
    """
    total, step = Money.total(amounts.values()), -(-len(amounts) // MOST_BUCKETS)
    is_shared = total > ZERO <= spent and (total > spent or is_short(period))
    share = spent.ratio_to(total) if is_shared else Decimal(1)
    listed = sorted(amounts.items())
    groups = [listed[place : place + step] for place in range(0, len(listed), max(step, 1))]
    return tuple(
        KeptBucket(group[0][0], Money.rounded(Money.total(amount for _, amount in group).usd * share))
        for group in groups
    )


def sums(period: Window, spent: Money, buckets: Sequence[KeptBucket]) -> list[Point]:
    """The sum at the beginning of each bucket inside a period, oldest first, reckoned back from what was spent."""
    points, left = [], spent
    for one in reversed(buckets):
        left -= one.amount or ZERO
        if one.start > period.start:
            points.append(Point(one.start, left))
    return points[::-1]


def fan(made: Forecast, now: datetime, end: datetime) -> tuple[Range, ...]:
    """The forecast range from now to a period's end, along the forecast's path; nothing once it is over."""
    if now >= end:
        return ()
    path = made.path
    marks = [(at, share) for at, share in zip(path.marks, path.shares, strict=True) if now < at < end]
    return tuple(_range(made, at, share) for at, share in [(now, 0.0), *marks, (end, 1.0)])


def _range(made: Forecast, at: datetime, share: float) -> Range:
    part = Decimal(f"{share:.6f}")
    low, mid, high = (made.spent + (one - made.spent) * part for one in (made.low, made.mid, made.high))
    return Range(at, low, mid, high)
