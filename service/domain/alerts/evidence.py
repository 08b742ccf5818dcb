"""What an alert knows of what it is about: one dataclass a kind of alert."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from service.domain.forecasts.forecast import Method
from service.domain.spend.best_known import Basis
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import ScopeKey


@dataclass(frozen=True, slots=True)
class Contribution:
    """One of the largest parts of an alert's spend, named for people."""

    scope: ScopeKey
    name: str
    amount: Money


@dataclass(frozen=True, slots=True)
class ForecastEvidence:
    """What was forecast of a period's end: US dollars, four times in five between `low` and `high`.

    `history_days` complete days were learnt from. `exhausted_at` is when the amount is used up, None where it is
    not within the period. `released`: the alert's threshold was crossed, and the forecast has clearly left it since.
    """

    low: Money
    mid: Money
    high: Money
    method: Method
    history_days: int
    exhausted_at: datetime | None
    released: bool = False


@dataclass(frozen=True, slots=True)
class BudgetEvidence:
    """What a budget alert knew when it last changed. Amounts in US dollars, times in UTC.

    `threshold` is the highest crossed one's key, `level` its dollars; `late` says the crossing was first seen after
    the period's end; `simulated` that the spend is the built-in simulator's invention. `forecast` is there where the
    budget has a threshold on forecast and one could be made.
    """

    budget_id: str
    budget_name: str
    scope_name: str
    amount: Money
    spent: Money
    basis: Basis
    threshold: str
    level: Money
    period: Window
    period_label: str
    timezone: str
    contributions: tuple[Contribution, ...] = ()
    late: bool = False
    simulated: bool = False
    unpriced_tokens: int = 0
    terms: str = ""
    forecast: ForecastEvidence | None = None

    @property
    def by_forecast(self) -> bool:
        """Whether the alert is about where spend is heading, and not about what is spent."""
        return self.threshold.startswith("forecast:")

    @property
    def percent(self) -> Decimal:
        """Spend as a percentage of the budget; 0 for a budget of $0."""
        return self.spent.ratio_to(self.amount) * 100 if self.amount else Decimal(0)


@dataclass(frozen=True, slots=True)
class StaleEvidence:
    """What is known of a source that has gone blind."""

    source_name: str
    failures: int
    failing_since: datetime
    last_success_at: datetime | None
    error: str


@dataclass(frozen=True, slots=True)
class RuleEvidence:
    """What a rule's alert knew when it last changed. US dollars of its judged day, hour or days, from float copies.

    `about` is the scope that it is about: the alert's own, or one that is the same incident. `cause` is one sentence
    that a person can check by hand, `inputs` what it leans on. `days` are the UTC days that
    `actual` covers. `since` is when the incident began, `impact` its excess in all; None where the kind does not add it
    up. `falls`: too little was spent. `contributions` hold the excess of the scopes below and beside.
    """

    rule_id: str
    rule_name: str
    rule_kind: str
    scope_name: str
    actual: Money
    expected: Money
    unit: str
    cause: str
    inputs: tuple[tuple[str, str], ...]
    days: tuple[date, ...]
    since: datetime | None = None
    impact: Money | None = None
    contributions: tuple[Contribution, ...] = ()
    falls: bool = False
    simulated: bool = False
    about: ScopeKey | None = None

    @property
    def excess(self) -> Money:
        """How far it is from what was expected, in the direction that the rule objects to."""
        return self.expected - self.actual if self.falls else self.actual - self.expected


@dataclass(frozen=True, slots=True)
class UndeliveredEvidence:
    """A channel as it was when its alert last changed: `count` messages are dead or wait since `undelivered_since`.

    `channel` is the key that notifications know it by, `channel_error` what it last answered, in words.
    """

    receiver_id: str
    receiver_name: str
    channel: str
    channel_error: str
    count: int
    undelivered_since: datetime


Evidence = BudgetEvidence | RuleEvidence | StaleEvidence | UndeliveredEvidence
