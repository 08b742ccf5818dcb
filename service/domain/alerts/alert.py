"""Alerts: findings we remember, with a state that changes in one place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from service.domain.alerts.undelivered_evidence import UndeliveredEvidence
from service.domain.forecasts.forecast import Method
from service.domain.spend.rows import Basis
from service.domain.values.errors import Conflict
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import ScopeKey


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class AlertState(StrEnum):
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


class AlertKind(StrEnum):
    BUDGET = "budget"
    RULE = "rule"
    STALE_SOURCE = "stale_source"
    UNDELIVERED = "undelivered"


class Command(StrEnum):
    OPEN = "open"
    RAISE = "raise"
    AMEND = "amend"
    ACKNOWLEDGE = "acknowledge"
    SNOOZE = "snooze"
    WAKE = "wake"
    RESOLVE = "resolve"


class Reason(StrEnum):
    """Why an alert moved, or did not. Stored with every event and notification."""

    FIRST = "first"
    LATE = "late"
    RAISED = "raised"
    RESTATED = "restated"
    GREW = "grew"
    PERSON = "person"
    SNOOZE_OVER = "snooze_over"
    ESCALATED = "escalated"
    PERIOD_CLOSED = "period_closed"
    BUDGET_GONE = "budget_gone"
    BUDGET_DISABLED = "budget_disabled"
    BUDGET_EDITED = "budget_edited"
    RECOVERED = "recovered"
    RULE_GONE = "rule_gone"
    RULE_DISABLED = "rule_disabled"
    RULE_EDITED = "rule_edited"
    SOURCE_GONE = "source_gone"
    SOURCE_DISABLED = "source_disabled"
    INHIBITED = "inhibited"
    SILENCED = "silenced"
    MUTED_TIME = "muted_time"
    HOLD_OVER = "hold_over"
    REPEAT_DUE = "repeat_due"
    OVER = "over"
    NOTHING_NEW = "nothing_new"
    NOT_DUE = "not_due"


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


Evidence = BudgetEvidence | RuleEvidence | StaleEvidence | UndeliveredEvidence


@dataclass(frozen=True, slots=True)
class Alert:
    """The current state of one alert. `version` counts its events, from 1.

    A snoozed one wakes at `snoozed_until`, or when its figure has reached `snoozed_above`, whichever comes first.
    `evidence` is what people were told last. `latest` is what was found since, and was no news: the next move says it.
    """

    id: str
    version: int
    fingerprint: str
    kind: AlertKind
    source_id: str
    scope: ScopeKey
    severity: Severity
    state: AlertState
    opened_at: datetime
    changed_at: datetime
    evidence: Evidence
    acknowledged_by: str | None = None
    resolved_by: str | None = None
    snoozed_until: datetime | None = None
    snoozed_above: Money | None = None
    latest: Evidence | None = None

    @property
    def is_open(self) -> bool:
        return self.state is not AlertState.RESOLVED

    @property
    def newest(self) -> Evidence:
        """How things stand by now, told or not."""
        return self.latest or self.evidence


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One recorded move; `alert` is the alert as the move left it. Never changed, never deleted."""

    alert: Alert
    at: datetime
    command: Command
    actor: str
    reason: Reason
    note: str = ""


_FIRING, _ACKNOWLEDGED, _SNOOZED = AlertState.FIRING, AlertState.ACKNOWLEDGED, AlertState.SNOOZED

TRANSITIONS = {
    (_FIRING, Command.RAISE): _FIRING,
    (_FIRING, Command.AMEND): _FIRING,
    (_FIRING, Command.ACKNOWLEDGE): _ACKNOWLEDGED,
    (_FIRING, Command.SNOOZE): _SNOOZED,
    (_FIRING, Command.RESOLVE): AlertState.RESOLVED,
    # It got worse: tell people again.
    (_ACKNOWLEDGED, Command.RAISE): _FIRING,
    (_ACKNOWLEDGED, Command.AMEND): _ACKNOWLEDGED,
    (_ACKNOWLEDGED, Command.SNOOZE): _SNOOZED,
    (_ACKNOWLEDGED, Command.RESOLVE): AlertState.RESOLVED,
    (_SNOOZED, Command.RAISE): _FIRING,
    (_SNOOZED, Command.WAKE): _FIRING,
    (_SNOOZED, Command.SNOOZE): _SNOOZED,
    (_SNOOZED, Command.AMEND): _SNOOZED,
    (_SNOOZED, Command.ACKNOWLEDGE): _ACKNOWLEDGED,
    (_SNOOZED, Command.RESOLVE): AlertState.RESOLVED,
}
"""Every legal move. Resolved is final: a relapse is a new alert."""


def apply(
    alert: Alert,
    command: Command,
    *,
    actor: str,
    reason: Reason,
    now: datetime,
    note: str = "",
    evidence: Evidence | None = None,
    severity: Severity | None = None,
) -> AlertEvent:
    """The only change an alert ever sees. Raises Conflict for a move its state does not allow."""
    after = TRANSITIONS.get((alert.state, command))
    if after is None:
        raise Conflict(f"the alert is {alert.state} already: {command} is not possible")
    sleeps = after is _SNOOZED
    moved = replace(
        alert,
        version=alert.version + 1,
        state=after,
        changed_at=now,
        severity=severity or alert.severity,
        evidence=evidence or alert.newest,
        latest=None,
        acknowledged_by=actor if command is Command.ACKNOWLEDGE else _kept_acknowledger(alert, after),
        resolved_by=actor if command is Command.RESOLVE else None,
        snoozed_until=alert.snoozed_until if sleeps else None,
        snoozed_above=alert.snoozed_above if sleeps else None,
    )
    return AlertEvent(moved, at=now, command=command, actor=actor, reason=reason, note=note)


def _kept_acknowledger(alert: Alert, after: AlertState) -> str | None:
    return None if after is _FIRING else alert.acknowledged_by
