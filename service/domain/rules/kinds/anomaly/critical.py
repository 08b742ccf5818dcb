"""Critical is what is spent already, or goes on: one hour at a high speed is neither."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from service.domain.rules.kinds.anomaly.sides import DaySide, HourSide
from service.domain.rules.wording import approximate, percent
from service.domain.values.money import Money
from service.domain.values.severity import Severity

Found = Mapping[DaySide | HourSide, int]
"""The exceeding bucket of each side."""


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of an incident that is critical by its speed. `daily`: the organisation's usual day in dollars."""

    spent: Money
    percent_of_day: Decimal
    hours: int
    daily: float


@dataclass(frozen=True, slots=True)
class Weight:
    """A severity with its reason in a few words; empty where there is nothing to say of it."""

    severity: Severity
    reason: str = ""


def weight(chosen: DaySide | HourSide, found: Found, impact: float, bars: Bars) -> Weight:
    """The severity of an incident: the highest of its sides, but of those that may not speak for themselves."""
    steady = chosen.speaks(found[chosen])
    weights = [_weighed(side, place, impact, bars) for side, place in found.items() if side.speaks(place) is steady]
    return max(weights, key=lambda one: one.severity.rank)


def _weighed(side: DaySide | HourSide, place: int, impact: float, bars: Bars) -> Weight:
    level, _ = side.level(place, bars.daily)
    if level is not Severity.CRITICAL:
        return Weight(level)
    confirmed = _confirmed(side, place, impact, bars)
    if confirmed:
        return Weight(Severity.CRITICAL, confirmed)
    lower = side.level_so_far(place, bars.daily)
    return Weight(lower, f"{lower} until {_awaited(bars)} confirm it")


def _confirmed(side: DaySide | HourSide, place: int, impact: float, bars: Bars) -> str:
    if impact >= float(bars.spent.usd):
        return f"critical because {approximate(impact).brief()} above normal is spent already"
    share = impact / bars.daily * 100 if bars.daily > 0 else 0.0
    if share >= float(bars.percent_of_day):
        return f"critical because {approximate(impact).brief()} above normal is {percent(share)} of a usual day"
    return f"critical: {_in_a_row(bars.hours)}" if _lasts(side, place, bars.hours) else ""


def _lasts(side: DaySide | HourSide, place: int, hours: int) -> bool:
    """Whether so many buckets in a row exceed, this one among them. A day is more than some hours."""
    if isinstance(side, DaySide):
        return place < side.judge.open_day
    first = place
    while place - first + 1 < hours and first > side.earliest and side.exceeds(first - 1):
        first -= 1
    return place - first + 1 >= hours


def _in_a_row(hours: int) -> str:
    return "one hour of it" if hours == 1 else f"{_NUMBERS.get(hours, str(hours))} hours in a row"


def _awaited(bars: Bars) -> str:
    share = percent(float(bars.percent_of_day))
    return f"{_in_a_row(bars.hours)}, {bars.spent.brief()} or {share} of a usual day"


_NUMBERS = {2: "two", 3: "three", 4: "four"}
