"""A UTC day's spend, cut where a period of another time zone begins or ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from service.domain.spend.best_known import Spend
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window
from service.domain.values.utc import DAY, HOUR, hour_start, midnight, utc_day

_INSTANT = timedelta(microseconds=1)


def first_day_from(instant: datetime) -> date:
    """The first UTC day that does not begin before an instant."""
    day = instant.date()
    return day if midnight(day) == instant else day + DAY


def whole_days(window: Window) -> tuple[date, date]:
    """The first UTC day wholly in the window, and the day after the last; equal where there is none."""
    first = first_day_from(window.start)
    return first, max(first, window.end.date())


def edge_parts(window: Window) -> list[Window]:
    """The window without its whole days: at most two parts, each inside one UTC day."""
    first, end = map(midnight, whole_days(window))
    if window.start.date() == window.end.date():
        parts = [window]
    else:
        parts = [Window(window.start, first), Window(end, window.end)]
    return [part for part in parts if part.start < part.end]


def stretches(part: Window) -> list[Window]:
    """The UTC day of a part, cut around the hours that hold the part's edges: all that its split must know."""
    day = utc_day(part.start.date())
    cuts = {day.start, day.end}
    for edge in (part.start, part.end):
        hour = hour_start(edge)
        cuts |= {hour, min(hour + HOUR, day.end)}
    return [Window(start, end) for start, end in pairwise(sorted(cuts))]


def spend_in_part(spend: Spend, costs: Mapping[Window, Money], part: Window, now: datetime) -> Spend:
    """The spend of a part of one UTC day, from the whole day's spend.

    `costs` is the day's estimated cost by stretch of time: the spend is cut in proportion to it, a stretch that an
    edge cuts pro rata. Without any, the spend counts as even over the time that has passed of the day. Parts that
    make up a day add up to its spend exactly.
    """
    spread = _spread(costs, utc_day(part.start.date()), now)
    before = spend.share(_share_until(part.start, spread))
    upto = spend.share(_share_until(part.end, spread))
    return replace(
        upto,
        billed=upto.billed - before.billed,
        estimated=upto.estimated - before.estimated,
        unpriced_tokens=upto.unpriced_tokens - before.unpriced_tokens,
    )


Weighed = tuple[Window, Decimal]
"""A time over which a weight is spread evenly."""


def _spread(costs: Mapping[Window, Money], day: Window, now: datetime) -> list[Weighed]:
    spread = [(_until_now(window, now), cost.usd) for window, cost in costs.items() if cost > ZERO]
    return spread or [(_until_now(day, now), Decimal(1))]


def _until_now(window: Window, now: datetime) -> Window:
    """Nothing has been spent after now, so the running hour (or day) is as long as it has lasted."""
    return Window(window.start, min(window.end, now)) if now > window.start else window


def _share_until(instant: datetime, spread: Iterable[Weighed]) -> Decimal:
    passed = whole = Decimal(0)
    for window, weight in spread:
        length = window.end - window.start
        before = min(max(instant - window.start, timedelta(0)), length)
        # The ratio first: it is exactly one where a window is over, so that a whole day is not rounded.
        passed += weight * (Decimal(before // _INSTANT) / Decimal(length // _INSTANT))
        whole += weight
    return passed / whole
