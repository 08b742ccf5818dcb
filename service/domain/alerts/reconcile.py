"""From findings to moves: what happens to which alert, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, Reason, apply
from service.domain.alerts.evidence import BudgetEvidence, Evidence, RuleEvidence
from service.domain.alerts.findings import Condition, Finding
from service.domain.alerts.snooze import figure_of, has_outgrown
from service.domain.values.money import Money

SYSTEM = "tocsin"
"""The actor of every move that no person made."""

MATERIAL_CHANGE = Decimal("0.10")
"""An open message is edited when its spend, forecast or excess has moved by this share since it was last shown."""


@dataclass(frozen=True, slots=True)
class Move:
    """What one finding does to one alert. Without a command nothing happens, for the reason given."""

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
        opens = finding.condition is Condition.RINGS
        return Move(Command.OPEN if opens else None, finding.reason if opens else Reason.NOTHING_NEW, alert, finding)
    if finding.condition is Condition.OVER:
        return Move(Command.RESOLVE, finding.reason, alert, finding)
    rings = finding.condition is Condition.RINGS
    if rings and not _is_louder(alert, finding):
        return Move(Command.AMEND, Reason.BUDGET_EDITED, alert, finding)
    if rings or finding.severity.rank > alert.severity.rank:
        late = finding.reason is Reason.LATE
        return Move(Command.RAISE, Reason.LATE if late else Reason.RAISED, alert, finding)
    if has_outgrown(alert, finding.evidence):
        return Move(Command.WAKE, Reason.GREW, alert, finding)
    changed = _material_change(alert.evidence, finding.evidence)
    return Move(Command.AMEND if changed else None, changed or Reason.NOTHING_NEW, alert, finding)


def _is_louder(alert: Alert, finding: Finding) -> bool:
    """Whether a new crossing says more than the open alert: a graver level, a higher one, or one of other terms.

    After an edit the level may be a milder one: then the message is put right, and nobody is called.
    """
    gained = finding.severity.rank - alert.severity.rank
    shown, found = alert.evidence, finding.evidence
    if gained or not isinstance(shown, BudgetEvidence) or not isinstance(found, BudgetEvidence):
        return gained >= 0
    return found.level > shown.level or found.terms != shown.terms


def _material_change(shown: Evidence, found: Evidence) -> Reason | None:
    """Why an open alert's message must be edited, if it must."""
    if isinstance(shown, RuleEvidence) and isinstance(found, RuleEvidence):
        return _moved_excess(shown, found)
    if not isinstance(shown, BudgetEvidence) or not isinstance(found, BudgetEvidence):
        return None
    if shown.forecast and found.forecast and shown.by_forecast:
        before, after = shown.forecast.mid, found.forecast.mid
        falls_back = shown.forecast.released != found.forecast.released
    elif shown.by_forecast:
        return None
    else:
        before, after = shown.spent, found.spent
        falls_back = (before >= found.level) != (after >= found.level)
    return _direction(before, after) if falls_back or _is_material(before, after) else None


def _moved_excess(shown: RuleEvidence, found: RuleEvidence) -> Reason | None:
    """By what the incident has added up to where both know it, else by the judged day alone.

    Too much and too little, or two kinds' figures, cannot be compared: then the message is put right.
    """
    if (shown.rule_kind, shown.falls) != (found.rule_kind, found.falls):
        return Reason.RESTATED
    if shown.impact is not None and found.impact is not None:
        before, after = shown.impact, found.impact
    else:
        before, after = shown.excess, found.excess
    return _direction(before, after) if _is_material(before, after) else None


def _is_material(before: Money, after: Money) -> bool:
    return abs(after - before) >= abs(before) * MATERIAL_CHANGE and after != before


def _direction(before: Money, after: Money) -> Reason:
    return Reason.RESTATED if after < before else Reason.GREW


def execute(move: Move, *, new_alert_id: str, now: datetime) -> AlertEvent | None:
    """The event that carries out a move; None where nothing happens."""
    if move.command is None:
        return None
    if move.alert is None:
        return _open(move.finding, new_alert_id, move.reason, now)
    return apply(
        move.alert,
        move.command,
        actor=SYSTEM,
        reason=move.reason,
        now=now,
        evidence=move.finding.evidence,
        severity=move.finding.severity if move.finding.condition is not Condition.OVER else None,
    )


def found_since(move: Move) -> Evidence | None:
    """What an alert that stays as it is has to keep beside what it told; None where it knows that already.

    A forecast's alert keeps its last forecast while none can be made.
    """
    if move.command is not None or move.alert is None:
        return None
    shown, found = move.alert.evidence, move.finding.evidence
    if isinstance(shown, BudgetEvidence) and isinstance(found, BudgetEvidence):
        if shown.by_forecast and shown.forecast and not found.forecast:
            return None
        found = replace(found, late=shown.late)  # that its period is over by now does not make the crossing late
    return found if found != move.alert.newest else None


def brought_up_to_date(alert: Alert, now: datetime) -> AlertEvent | None:
    """The amendment with which an alert rings again; None where what was told last is how things stand."""
    if alert.newest == alert.evidence:
        return None
    reason = _change_since(alert.evidence, alert.newest)
    return apply(alert, Command.AMEND, actor=SYSTEM, reason=reason, now=now)


def _change_since(shown: Evidence, found: Evidence) -> Reason:
    if isinstance(shown, RuleEvidence) and isinstance(found, RuleEvidence) and shown.falls != found.falls:
        return Reason.RESTATED
    before, after = figure_of(shown), figure_of(found)
    return Reason.GREW if before is not None and after is not None and after > before else Reason.RESTATED


def _open(finding: Finding, alert_id: str, reason: Reason, now: datetime) -> AlertEvent:
    alert = Alert(
        id=alert_id,
        version=1,
        fingerprint=finding.fingerprint,
        kind=finding.kind,
        source_id=finding.source_id,
        scope=finding.scope,
        severity=finding.severity,
        state=AlertState.FIRING,
        opened_at=now,
        changed_at=now,
        evidence=finding.evidence,
    )
    return AlertEvent(alert, at=now, command=Command.OPEN, actor=SYSTEM, reason=reason)
