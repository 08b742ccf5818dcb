"""A backtest: what is asked, how far it has come, and what it found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from service.domain.budgets.budget import Budget
from service.domain.rules.rule import Rule
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.domain.values.scopes import ScopeKey
from service.domain.values.severity import Severity

MOST_FIRINGS = 500
"""Listed in an answer, the newest; all are counted."""
DAYS_A_MONTH = 30.44

Subject = Resource[Rule[object]] | Resource[Budget]
Progress = Callable[[float], None]
"""Called after every step with the share that is done, 0..1."""


class BacktestState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        return self in (BacktestState.DONE, BacktestState.FAILED)


@dataclass(frozen=True, slots=True)
class Firing:
    """A message that would have been sent: an alert that opened or got more severe, `raised`.

    `at` is the step that found it (aware UTC), `day` the UTC day that it is about. `late`: found late
    (`service.domain.spend.lateness`); a backfilled day never is. Of a budget `expected` is the threshold's
    level, `actual` the spend. `impact` is the excess of the whole alert in US dollars, None where it is not added up.
    `resolved_at`: None while it was open at the end.
    """

    at: datetime
    day: date
    scope: ScopeKey
    name: str
    severity: Severity
    raised: bool
    actual: Money
    expected: Money
    unit: str
    cause: str
    late: bool
    falls: bool = False
    impact: Money | None = None
    resolved_at: datetime | None = None
    threshold: str | None = None
    severity_reason: str = ""

    @property
    def excess(self) -> Money:
        return self.expected - self.actual if self.falls else self.actual - self.expected


@dataclass(frozen=True, slots=True)
class BacktestTally:
    """The result of a replay in numbers. `firings` count `alerts` and those that got more severe. `dollars`: impact."""

    alerts: int
    firings: int
    late: int
    alerts_per_month: float
    dollars: Money


def per_month(alerts: int, first: date, last: date) -> float:
    return round(alerts / ((last - first).days + 1) * DAYS_A_MONTH, 2)


@dataclass(frozen=True, slots=True)
class SweepRow:
    """The same replay at another setting. `configured`: it is the subject's own."""

    setting: str
    configured: bool
    tally: BacktestTally


@dataclass(frozen=True, slots=True)
class ScopeTally:
    scope: ScopeKey
    name: str
    alerts: int
    firings: int


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a backtest. Days are UTC, both included, one step each.

    `firings` are the newest, oldest first. `assumed_share` (0..1) is the part of all dollars looked at whose time of
    becoming known is assumed, because they were backfilled. `assumptions` are sentences for people.
    """

    first_day: date
    last_day: date
    steps: int
    tally: BacktestTally
    firings: tuple[Firing, ...]
    by_scope: tuple[ScopeTally, ...]
    assumed_share: float
    sweep: tuple[SweepRow, ...]
    assumptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Backtest:
    """A rule or a budget, replayed over the UTC days from `first_day` to `last_day`. `progress` is 0..1.

    `request` is what was asked, word for word. A subject that is not stored has the id "".
    """

    id: str
    source_id: str
    subject: Subject
    request: Mapping[str, object]
    first_day: date
    last_day: date
    state: BacktestState
    created_at: datetime
    created_by: str
    progress: float = 0.0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None
    result: Result | None = None
