"""From findings to moves: what happens to which alert, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.domain.alerts.alert import TOCSIN, Alert, AlertEvent, AlertState, Command, Reason, apply
from service.domain.alerts.evidence import Evidence
from service.domain.alerts.findings import Condition, Finding
from service.domain.alerts.snooze import has_outgrown


@dataclass(frozen=True, slots=True)
class Move:
    """The move that one finding causes on one alert. Without a command nothing happens, for the reason given."""

    command: Command | None
    reason: Reason
    alert: Alert | None
    finding: Finding


def reconcile(open_alerts: Sequence[Alert], findings: Iterable[Finding]) -> list[Move]:
    """One move for every finding, in their order. An open alert that nothing was found of stays as it is."""
    by_fingerprint = {alert.fingerprint: alert for alert in open_alerts}
    return [_meet(finding, by_fingerprint.get(finding.fingerprint)) for finding in findings]


def _meet(finding: Finding, alert: Alert | None) -> Move:
    if alert is None:
        opens = finding.condition is Condition.FIRES
        return Move(Command.OPEN if opens else None, finding.reason if opens else Reason.NOTHING_NEW, alert, finding)
    if finding.condition is Condition.OVER:
        return Move(Command.RESOLVE, finding.reason, alert, finding)
    fires = finding.condition is Condition.FIRES
    if fires and not _says_more(alert, finding):
        return Move(Command.AMEND, Reason.BUDGET_EDITED, alert, finding)
    if fires or finding.severity.rank > alert.severity.rank:
        late = finding.reason is Reason.LATE
        return Move(Command.RAISE, Reason.LATE if late else Reason.RAISED, alert, finding)
    if has_outgrown(alert, finding.evidence):
        return Move(Command.WAKE, Reason.GREW, alert, finding)
    correction = _correction(alert, finding)
    return Move(Command.AMEND if correction else None, correction or Reason.NOTHING_NEW, alert, finding)


TELLING = frozenset({Command.OPEN, Command.RAISE, Command.WAKE, Command.AMEND})


def tells(finding: Finding, alert: Alert | None) -> bool:
    """Whether people are told of a finding whose alert, if it is open, is this one. Its end tells them no figures."""
    return _meet(finding, alert).command in TELLING


def _correction(alert: Alert, finding: Finding) -> Reason | None:
    """Why an alert's message is put right; None while it is close enough."""
    if finding.reason is Reason.NOT_CONFIRMED:
        return finding.reason
    trend = finding.evidence.moved_since(alert.evidence)
    return Reason(trend) if trend else None


def _says_more(alert: Alert, finding: Finding) -> bool:
    """Whether a new finding is more severe than the open alert, or says more at the same severity.

    After an edit it may be less severe: then the message is corrected, and nobody is called.
    """
    gained = finding.severity.rank - alert.severity.rank
    return gained > 0 or (gained == 0 and finding.evidence.says_more_than(alert.evidence))


def execute(move: Move, *, new_alert_id: str, now: datetime) -> AlertEvent | None:
    """The event that carries out a move; None where nothing happens."""
    if move.command is None:
        return None
    if move.alert is None:
        return _open(move.finding, new_alert_id, move.reason, now)
    return apply(
        move.alert,
        move.command,
        actor=TOCSIN,
        reason=move.reason,
        now=now,
        evidence=move.finding.evidence,
        severity=move.finding.severity if move.finding.condition is not Condition.OVER else None,
    )


def found_since(move: Move) -> Evidence | None:
    """The evidence that an unmoved alert keeps beside the last notified one; None where it has it already."""
    if move.command is not None or move.alert is None:
        return None
    found = move.finding.evidence.noted_beside(move.alert.evidence)
    return found if found != move.alert.newest else None


def is_idle(move: Move) -> bool:
    """Whether nothing is to be stored of a move."""
    finding = move.finding
    return not (move.command or finding.crossings or finding.released) and found_since(move) is None


def brought_up_to_date(alert: Alert, now: datetime) -> AlertEvent | None:
    """The amendment with which an alert is notified again; None where people know already how things stand."""
    if alert.newest == alert.evidence:
        return None
    reason = Reason(alert.newest.trend_since(alert.evidence))
    return apply(alert, Command.AMEND, actor=TOCSIN, reason=reason, now=now)


def _open(finding: Finding, alert_id: str, reason: Reason, now: datetime) -> AlertEvent:
    alert = Alert(
        id=alert_id,
        version=1,
        fingerprint=finding.fingerprint,
        kind=finding.evidence.kind,
        source_id=finding.source_id,
        scope=finding.scope,
        severity=finding.severity,
        state=AlertState.FIRING,
        opened_at=now,
        changed_at=now,
        evidence=finding.evidence.announced(now),
    )
    return AlertEvent(alert, at=now, command=Command.OPEN, actor=TOCSIN, reason=reason)
