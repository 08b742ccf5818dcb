"""Between which amounts days, or hours of the day, usually lie: weekends apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median, quantiles

from service.domain.charts.chart import DAY, Range
from service.domain.values.money import Money

SATURDAY = 5
FEWEST = 4
"""Buckets before anything is called usual."""


def usual_ranges(before: Mapping[datetime, Money], starts: Iterable[datetime], bucket: timedelta) -> tuple[Range, ...]:
    """The range of eight in ten of the buckets `before` for those that begin at `starts`, as far as there is one."""
    alike: dict[tuple[bool, int], list[Money]] = defaultdict(list)
    for at, amount in before.items():
        alike[_class(at, bucket)].append(amount)
    found = {key: _middle(amounts) for key, amounts in alike.items()}
    ranges = [(at, found.get(_class(at, bucket))) for at in starts]
    return tuple(Range(at, *middle) for at, middle in ranges if middle is not None)


def _class(at: datetime, bucket: timedelta) -> tuple[bool, int]:
    return at.weekday() >= SATURDAY, 0 if bucket >= DAY else at.hour


def _middle(amounts: Sequence[Money]) -> tuple[Money, Money, Money] | None:
    """The first decile, the median and the last decile; None of too few amounts to say."""
    if len(amounts) < FEWEST:
        return None
    low, *_, high = quantiles([amount.usd for amount in amounts], n=10, method="inclusive")
    return Money.rounded(low), Money.rounded(median(amount.usd for amount in amounts)), Money.rounded(high)
