"""How a backtest treats a kind of rule: the settings that it tries, and what it may leave out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Generic, Protocol, TypeVar

from service.domain.detectors.hourly.known import KnownHours, LearntHours
from service.domain.rules.rule import Gates, Rule
from service.domain.rules.view import SpendView
from service.domain.sources.locality import NOWHERE, Locality
from service.domain.values.money import ZERO
from service.domain.values.scopes import Dimension, ScopeKey

Params_contra = TypeVar("Params_contra", contravariant=True)

FACTORS = tuple(Decimal(factor) for factor in ("0.5", "1", "1.5", "2"))
"""Multiples of the setting that the rule has."""


@dataclass(frozen=True, slots=True)
class Setting:
    """`name` says what is set to what: "min_percent 45". `configured`: the rule is as it is."""

    name: str
    configured: bool
    rule: Rule[object]


def by_gates(rule: Rule[object]) -> Iterable[Setting]:
    """The gate of percentage at every factor; of dollars where no percentage is asked for; nothing without either."""
    for factor in FACTORS:
        scaled = _scaled(rule.gates, factor)
        if scaled is not None:
            name, gates = scaled
            yield Setting(name, factor == 1, replace(rule, gates=gates))


def _scaled(gates: Gates, factor: Decimal) -> tuple[str, Gates] | None:
    if gates.min_percent > 0:
        percent = gates.min_percent * factor
        return f"min_percent {percent.normalize():f}", replace(gates, min_percent=percent)
    if gates.min_amount > ZERO:
        amount = gates.min_amount * factor
        return f"min_amount {amount.in_full()}", replace(gates, min_amount=amount)
    return None


@dataclass(frozen=True, slots=True)
class HourEnd:
    """The instant `now` of a replay by the hour. Places count UTC hours from the first one that is held.

    `place`: how many hours are over. `today`: where the running day begins; `fresh`: where the closed days begin whose
    figures still follow their hours. `learnt`: the hours that differ from the instant before. `days`: the view of the
    days alone, made where it is asked for; it can only differ where `stands_on` does, or the hours of a fresh day.
    """

    now: datetime
    place: int
    today: int
    fresh: Sequence[int]
    learnt: LearntHours
    stands_on: object
    days: Callable[[], SpendView]
    locality: Locality = NOWHERE


@dataclass(frozen=True, slots=True)
class Look:
    """`may_fire`: False where no scope can. `is_news`: False where every scope is as it was at the instant before."""

    may_fire: bool
    is_news: bool


class HourWatch(Protocol):
    """A cheap look at one hour after the other."""

    def look(self, hour: HourEnd) -> Look: ...


def _cells_matter(rule: Rule[object]) -> None:
    return None


def _may_fire(view: SpendView, rule: Rule[object]) -> bool:
    return True


def _unknown(view: SpendView, rule: Rule[object]) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Backtesting(Generic[Params_contra]):
    """A kind's sweep and its short cuts, which never change what is found. The defaults leave nothing out.

    `sweep`: a rule at other settings, its own among them, from the one that fires most easily to the one that fires
    least. `dimensions`: whose members an evaluation tells apart, beside the rule's scope and `for_each`. An empty set
    says that each scope is judged by nothing but its own figures; None, that cells have a say beyond their sums.
    `may_fire`: False only where no scope can at this instant. `exceeding`: the scopes that may fire, now or once they
    have held; None where that cannot be said cheaply. `hours`: a watch over known hours that says which of them may be
    passed over, for a rule that does not wait before it fires; `least_open`: how long after it opened time alone may
    end an alert of such an hour.
    """

    sweep: Callable[[Rule[Params_contra]], Iterable[Setting]] = by_gates
    dimensions: Callable[[Rule[Params_contra]], frozenset[Dimension] | None] = _cells_matter
    may_fire: Callable[[SpendView, Rule[Params_contra]], bool] = _may_fire
    exceeding: Callable[[SpendView, Rule[Params_contra]], frozenset[ScopeKey] | None] = _unknown
    hours: Callable[[KnownHours, Rule[Params_contra]], HourWatch] | None = None
    least_open: tuple[timedelta, ...] = ()


NOTHING_LEFT_OUT: Backtesting[object] = Backtesting()


def own_figures(rule: Rule[object]) -> frozenset[Dimension]:
    """The `dimensions` of a kind that judges each scope by nothing but its own figures."""
    return frozenset()
