"""A rule as it is configured: a kind with its parameters, a scope, and gates before it may fire."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Generic, TypeVar

from service.domain.values.money import Money
from service.domain.values.parameters import Parameter
from service.domain.values.scopes import EVERYTHING, Dimension, Grain, Scope, ScopeKey
from service.domain.values.severity import Severity

Params_co = TypeVar("Params_co", covariant=True)

TWENTY_DOLLARS = Money(Decimal(20))
MIN_AMOUNT = Parameter("Least excess, US dollars", "Less above what was expected does not fire.")
MIN_PERCENT = Parameter("Least excess, percent", "Measured against what was expected; less does not fire.")
MIN_ACTIVE_DAYS = Parameter("Least days with spend before", "With fewer in the history it does not fire.")
PENDING = Parameter("Must hold before it fires", "For how long all other gates must pass: 0s, 30m or 1d.")
KEEP_FIRING = Parameter("Stays open after it held last", "For how long the alert does: 0s, 30m or 1d.")
RESOLVE_PERCENT = Parameter("Ends below an excess of, percent", "The alert stays open while the excess is larger.")


@dataclass(frozen=True, slots=True)
class Gates:
    """The gates of a finding. All are 'at least'; a stopped finding is stored with the gate that stopped it.

    `min_amount` is the excess in US dollars a day, `min_percent` the excess over the expectation, `min_active_days` the
    days with spend in the history. `pending_for`: how long it must hold before it fires; `keep_firing_for`: how long an
    alert stays open after it held last. `resolve_percent`: the alert ends when the excess is below this percentage.
    """

    min_amount: Annotated[Money, MIN_AMOUNT] = TWENTY_DOLLARS
    min_percent: Annotated[Decimal, MIN_PERCENT] = Decimal(30)
    min_active_days: Annotated[int, MIN_ACTIVE_DAYS] = 10
    pending_for: Annotated[timedelta, PENDING] = timedelta()
    keep_firing_for: Annotated[timedelta, KEEP_FIRING] = timedelta()
    resolve_percent: Annotated[Decimal | None, RESOLVE_PERCENT] = None


@dataclass(frozen=True, slots=True)
class Rule(Generic[Params_co]):
    """`kind` is the name of a registered kind, `params` are its parameters; `for_each` and `scope` as with budgets."""

    source_id: str
    kind: str
    params: Params_co
    scope: Scope = EVERYTHING
    for_each: Dimension | None = None
    severity: Severity = Severity.WARNING
    gates: Gates = Gates()
    enabled: bool = True

    @property
    def grain(self) -> Grain:
        """The dimensions that its scope and `for_each` tell apart."""
        return self.scope.grain.union([self.for_each] if self.for_each is not None else [])


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """One gate's answer: the two numbers it compared, in words a person can check."""

    gate: str
    passed: bool
    found: str
    needed: str


PENDING_FOR = "pending_for"
"""The name of the only gate that time alone can open."""

DOLLARS = "US dollars"
DOLLARS_A_DAY = "US dollars a day"
DOLLARS_AN_HOUR = "US dollars an hour"


@dataclass(frozen=True, slots=True)
class NewLevel:
    """US dollars a day that a scope spends since a UTC day, and what it spent before. It was `accepted_at`."""

    since: date
    accepted_at: datetime
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Calm:
    """How far a scope is on its way back to normal: `found` of `needed`, in words ("1 normal day", "2 normal days").

    An alert that opened less than `at_least` ago stays, so that what was found late is not over at once. `since`: when
    normal time began, once there is enough of it that nobody need be notified again; `until`: when it makes an end.
    `accepted`: the level that was accepted lately, which is the end of every alert that was open then. `high`: the last
    day is still well above what was usual before. `up`: so are the last hours of the scope that holds all others.
    `same_for`: for less than that, hours that exceed nothing change neither `over` nor what follows from it.
    """

    over: bool
    found: str
    needed: str
    at_least: timedelta
    since: datetime | None = None
    until: datetime | None = None
    accepted: NewLevel | None = None
    high: bool = False
    up: bool = False
    same_for: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Observation:
    """A rule's sight of one scope at one instant, whether it fires or not.

    `actual` and `expected` are US dollars a day (of the rule's own measure where it is not dollars: then `unit` says
    which), NaN where they are not known; `candidate` says that the rule itself objects, before the gates, and then both
    are known. `cause` is one sentence that a person can check by hand, `inputs` the numbers it leans on, as
    (label, value) pairs. `active_days` counts the days with spend in the history. `days` are the UTC days that `actual`
    covers, the judged one last. `falls`: it objects to too little, so the excess is what is missing. `stands_alone`:
    it may fire by itself (an unsteady scope may not, but by override; nor may one that only explains others).
    `calm`: what has to pass before its alert may end; None where the next look decides. `since` is when the present
    incident began and `impact` its excess in US dollars up to now, NaN where the kind does not add it up.
    `parts` is the excess of other scopes inside this one in the same stretch of time, as (scope, US dollars) pairs;
    None where each scope's own observation says it. `spent_inside` is what each of them spent there in all. `hour` is
    the beginning of the judged hour, None where whole days are judged. `because` is the reason of `severity`.
    `limit_set`: a person set what is expected, so that crossing it is enough for the gates of size and of active days.
    """

    candidate: bool
    actual: float
    expected: float
    unit: str
    cause: str
    inputs: tuple[tuple[str, str], ...]
    active_days: int
    severity: Severity | None = None
    because: str = ""
    days: tuple[date, ...] = ()
    falls: bool = False
    stands_alone: bool = True
    calm: Calm | None = None
    since: datetime | None = None
    impact: float = math.nan
    parts: tuple[tuple[ScopeKey, float], ...] | None = None
    spent_inside: tuple[tuple[ScopeKey, float], ...] = ()
    hour: datetime | None = None
    limit_set: bool = False

    @property
    def excess(self) -> float:
        """How far it is from what was expected, in the direction that the rule objects to; NaN where unknown."""
        return self.expected - self.actual if self.falls else self.actual - self.expected

    @property
    def excess_percent(self) -> float:
        """The excess as a percentage of the expectation; infinite where nothing was expected, NaN where unknown."""
        return percent_of(self.excess, self.expected)


def percent_of(excess: float, expected: float) -> float:
    """An excess as a percentage of the expectation; infinite where nothing was expected, NaN where it is unknown."""
    if math.isnan(excess):
        return math.nan
    if expected > 0:
        return excess / expected * 100
    return math.inf if excess > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """An observation after its gates: it fires when it is a candidate and every gate passed."""

    observation: Observation
    gates: tuple[GateVerdict, ...]

    @property
    def fires(self) -> bool:
        return self.stands and all(gate.passed for gate in self.gates)

    @property
    def stands(self) -> bool:
        """Nothing but time keeps it from firing: every gate passed that needs no waiting."""
        return self.observation.candidate and all(gate.passed for gate in self.gates if gate.gate != PENDING_FOR)
