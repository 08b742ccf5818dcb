"""Critical is what is fast, and is spent already or goes on: one hour at a high speed is neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from service.domain.detectors.severity import CRITICAL_SHARE, ERROR_SCORE, LEAST_CRITICAL
from service.domain.rules.kinds.anomaly.sides import DaySide, HourSide
from service.domain.rules.wording import approximate, percent
from service.domain.values.money import Money
from service.domain.values.severity import Severity
from service.domain.values.utc import DAY

Found = Mapping[DaySide | HourSide, int]
"""The exceeding bucket of each side."""


CULPRIT_SHARE = 0.6
"""The part of an excess from which on a scope inside explains it."""
TIMES_USUAL = 4.0
"""Usual days that 24 hours at an incident's speed cost: a loop of ten times the usual is nine."""
LEAST_SHARE_SPENT = 0.05
"""A share of the organisation's usual day: less is one noisy hour of a workspace, whatever it is in dollars."""
SETTLED_DAYS = 14
"""Days with spend from which on a scope's usual day says something."""


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of a critical incident. `speed`: dollars a day, the least that is fast.

    `daily`: the organisation's usual day in dollars.
    """

    speed: Money
    spent: Money
    percent_of_day: Decimal
    hours: int
    daily: float

    @property
    def dollars_spent(self) -> float:
        return max(float(self.spent.usd), LEAST_SHARE_SPENT * self.daily)


@dataclass(frozen=True, slots=True)
class Seat:
    """A scope in which an incident is, or most of it: its `share` of the excess, and its usual day in dollars."""

    share: float
    usual: float


@dataclass(frozen=True, slots=True)
class Weight:
    """A severity with its reason in a few words; empty where there is nothing to say of it."""

    severity: Severity
    reason: str = ""


def weight(chosen: DaySide | HourSide, found: Found, impact: float, bars: Bars, seats: Sequence[Seat] = ()) -> Weight:
    """The severity of an incident: the highest of its sides, but of those that may not speak for themselves."""
    steady = chosen.speaks(found[chosen])
    weights = [
        _weighed(side, place, impact, bars, seats) for side, place in found.items() if side.speaks(place) is steady
    ]
    return max(weights, key=lambda one: one.severity.rank)


def _weighed(side: DaySide | HourSide, place: int, impact: float, bars: Bars, seats: Sequence[Seat]) -> Weight:
    if not _is_fast(side, place, bars, seats):
        return Weight(side.level_so_far(place, bars.daily))
    confirmed = _confirmed(side, place, impact, bars)
    if confirmed:
        return Weight(Severity.CRITICAL, confirmed)
    lower = side.level_so_far(place, bars.daily)
    return Weight(lower, f"{lower} until {_awaited(side, place, bars)} it")


def _is_fast(side: DaySide | HourSide, place: int, bars: Bars, seats: Sequence[Seat]) -> bool:
    """Whether 24 hours at its speed cost enough: for anybody, or for the scopes that it is in."""
    speed = _speed(side, place)
    if speed < max(float(bars.speed.usd), CRITICAL_SHARE * bars.daily):
        return False
    return speed >= LEAST_CRITICAL or any(
        speed * seat.share >= TIMES_USUAL * seat.usual for seat in seats if seat.usual > 0
    )


def _speed(side: DaySide | HourSide, place: int) -> float:
    """Dollars above normal in 24 hours at the bucket's speed."""
    read = side.reading(place)
    return (read.amount - read.expected) * (DAY / side.width)


def _is_sure(side: DaySide | HourSide, place: int) -> bool:
    """Whether it is far above its line, or an hour: growth brings single days just above theirs, of any size."""
    if isinstance(side, HourSide):
        return True
    read = side.reading(place)
    return read.override or read.score >= ERROR_SCORE or (place > side.earliest and side.exceeds(place - 1))


def _confirmed(side: DaySide | HourSide, place: int, impact: float, bars: Bars) -> str:
    if not _is_sure(side, place):
        return ""
    if impact >= bars.dollars_spent:
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


def _awaited(side: DaySide | HourSide, place: int, bars: Bars) -> str:
    if not _is_sure(side, place):
        return "a second day in a row confirms"
    share = percent(float(bars.percent_of_day))
    dollars = approximate(bars.dollars_spent).brief()
    return f"{_in_a_row(bars.hours)}, {dollars} or {share} of a usual day confirm"


_NUMBERS = {2: "two", 3: "three", 4: "four"}
