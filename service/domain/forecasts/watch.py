"""Whether a forecast counts as above a level: it must stay there to begin, and fall clearly below to end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from service.domain.values.money import ZERO, Money
from service.domain.values.scopes import ScopeKey

DAYS_TO_CROSS = 2
"""Consecutive days above the level before it counts as crossed."""
RELEASED_BELOW = Decimal("0.95")
"""The share of the level below which a crossed one is released."""


class Stand(StrEnum):
    BELOW = "below"
    PENDING = "pending"
    CROSSED = "crossed"


@dataclass(frozen=True, slots=True)
class Watch:
    """How one threshold on forecast stands in one period. `since` is the first day of the present run above it."""

    stand: Stand = Stand.BELOW
    since: date | None = None


@dataclass(frozen=True, slots=True)
class WatchKey:
    """Which threshold a watch is of. `terms` names the budget's amount and period: changing them starts over."""

    budget_id: str
    scope: ScopeKey
    threshold: str
    period_start: datetime
    terms: str


def watched(watch: Watch, day: date, mid: Money, level: Money) -> Watch:
    """How a threshold stands after one more forecast, made on a local day; any number of them may be made in a day.

    Below, a level is pending from the first forecast that reaches it and crossed when one does on the next day or
    later, unless one in between did not. Crossed, it is released by a forecast below 95 % of it.
    """
    if watch.stand is Stand.CROSSED:
        return watch if mid >= level * RELEASED_BELOW else Watch()
    if mid < level or mid <= ZERO:
        return Watch()
    since = watch.since if watch.since is not None else day
    lasted = (day - since).days + 1
    return Watch(Stand.CROSSED if lasted >= DAYS_TO_CROSS else Stand.PENDING, since)
