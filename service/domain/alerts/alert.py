"""Alerts: findings we remember, with a state that changes in one place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from service.domain.alerts.evidence import Evidence
from service.domain.values.errors import Conflict
from service.domain.values.money import Money
from service.domain.values.scopes import ScopeKey
from service.domain.values.severity import Severity


class AlertState(StrEnum):
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


class Command(StrEnum):
    OPEN = "open"
    RAISE = "raise"
    AMEND = "amend"
    ACKNOWLEDGE = "acknowledge"
    SNOOZE = "snooze"
    WAKE = "wake"
    RESOLVE = "resolve"


FIRING_COMMANDS = frozenset({Command.OPEN, Command.RAISE, Command.WAKE})
"""The moves after which an alert fires, and somebody has to hear of it."""

TOCSIN = "tocsin"
"""The actor of every move that no person made."""


class Reason(StrEnum):
    """Why an alert moved, or did not. Stored with every event and notification."""

    FIRST = "first"
    LATE = "late"
    RAISED = "raised"
    RESTATED = "restated"
    GREW = "grew"
    CALM = "calm"
    RETURNED = "returned"
    PERSON = "person"
    HANDED_ON = "handed_on"
    SNOOZE_OVER = "snooze_over"
    ESCALATED = "escalated"
    PERIOD_CLOSED = "period_closed"
    BUDGET_GONE = "budget_gone"
    BUDGET_DISABLED = "budget_disabled"
    BUDGET_EDITED = "budget_edited"
    RECOVERED = "recovered"
    NOT_CONFIRMED = "not_confirmed"
    ACCEPTED = "accepted"
    CORRECTED = "corrected"
    RULE_GONE = "rule_gone"
    RULE_DISABLED = "rule_disabled"
    RULE_EDITED = "rule_edited"
    NO_LONGER_KNOWN = "no_longer_known"
    SOURCE_GONE = "source_gone"
    SOURCE_DISABLED = "source_disabled"
    CHANNEL_GONE = "channel_gone"
    INHIBITED = "inhibited"
    SILENCED = "silenced"
    MUTED_TIME = "muted_time"
    HOLD_OVER = "hold_over"
    REPEAT_DUE = "repeat_due"
    OVER = "over"
    NOTHING_NEW = "nothing_new"


@dataclass(frozen=True, slots=True)
class NewHolder:
    """The receiver that a person handed an alert on to, with its name at that time."""

    receiver_id: str
    receiver_name: str


@dataclass(frozen=True, slots=True)
class Alert:
    """The current state of one alert. `version` counts its events, from 1. `kind` is its evidence's.

    A snoozed one wakes at `snoozed_until`, or when its figure has reached `snoozed_above`, whichever comes first.
    `evidence` is what people were notified of last. `latest` is what was found since, and was no news: the next move
    says it. `handed_to`: who it belongs to, instead of the owner of what it is about.
    """

    id: str
    version: int
    fingerprint: str
    kind: str
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
    handed_to: NewHolder | None = None

    @property
    def is_open(self) -> bool:
        return self.state is not AlertState.RESOLVED

    @property
    def resolved_by_a_person(self) -> bool:
        return self.resolved_by not in (None, TOCSIN)

    @property
    def holder(self) -> str:
        """The name of whom it was handed on to, "" where it was not."""
        return self.handed_to.receiver_name if self.handed_to else ""

    @property
    def newest(self) -> Evidence:
        """How things stand by now, whether people were notified of it or not."""
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

CORRECTIONS = frozenset({Reason.NOT_CONFIRMED, Reason.CORRECTED})
"""The reasons of amendments by which what people were told is wrong, and not just older."""
BY_A_PERSON = frozenset({Reason.PERSON, Reason.HANDED_ON})
"""The reasons of moves that a person made, and may have noted something with."""

TRANSITIONS = {
    (_FIRING, Command.RAISE): _FIRING,
    (_FIRING, Command.AMEND): _FIRING,
    (_FIRING, Command.ACKNOWLEDGE): _ACKNOWLEDGED,
    (_FIRING, Command.SNOOZE): _SNOOZED,
    (_FIRING, Command.RESOLVE): AlertState.RESOLVED,
    # It got worse: people are notified again.
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
    found = evidence or alert.newest
    everybody_hears = command in FIRING_COMMANDS or reason in CORRECTIONS
    moved = replace(
        alert,
        version=alert.version + 1,
        state=after,
        changed_at=now,
        severity=severity or alert.severity,
        evidence=found.announced(now, alert.evidence) if everybody_hears else found.edited_in(alert.evidence),
        latest=None,
        acknowledged_by=actor if command is Command.ACKNOWLEDGE else _kept_acknowledger(alert, after),
        resolved_by=actor if command is Command.RESOLVE else None,
        snoozed_until=alert.snoozed_until if sleeps else None,
        snoozed_above=alert.snoozed_above if sleeps else None,
    )
    return AlertEvent(moved, at=now, command=command, actor=actor, reason=reason, note=note)


def _kept_acknowledger(alert: Alert, after: AlertState) -> str | None:
    return None if after is _FIRING else alert.acknowledged_by
