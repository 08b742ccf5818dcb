"""A source that has gone blind is an alert like any other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from service.domain.alerts import Alert, AlertKind, Reason, Severity, StaleEvidence
from service.domain.findings import Condition, Finding, over
from service.domain.resources import Resource
from service.domain.scopes import ORGANISATION
from service.domain.sources import USUAL_PATIENCE, Patience, Source, SourceState, is_stale


def stale_fingerprint(state: SourceState) -> str | None:
    """One episode of failing is one alert: it is known by the instant the cost report began to fail."""
    if state.failing_since is None:
        return None
    return f"source:{state.source_id}:stale:{state.failing_since.isoformat()}"


def assess_source(
    source: Resource[Source] | None,
    state: SourceState,
    *,
    has_rung: Callable[[str], bool],
    open_alerts: list[Alert],
    now: datetime,
    patience: Patience = USUAL_PATIENCE,
) -> list[Finding]:
    """At most one ringing finding for the running episode, and an end for every earlier one still open."""
    current = stale_fingerprint(state)
    enabled = source is not None and source.spec.enabled
    findings = [
        over(alert, Reason.RECOVERED if enabled else Reason.SOURCE_GONE)
        for alert in open_alerts
        if alert.kind is AlertKind.STALE_SOURCE and (alert.fingerprint != current or not enabled)
    ]
    if source is None or not enabled or current is None or not is_stale(state, now, patience):
        return findings
    if not has_rung(current):
        findings.append(_stale(source, state, current))
    return findings


def _stale(source: Resource[Source], state: SourceState, fingerprint: str) -> Finding:
    assert state.failing_since is not None
    return Finding(
        fingerprint=fingerprint,
        kind=AlertKind.STALE_SOURCE,
        source_id=source.id,
        scope=ORGANISATION,
        severity=Severity.ERROR,
        condition=Condition.RINGS,
        reason=Reason.FIRST,
        evidence=StaleEvidence(
            source_name=source.name,
            failures=state.failures,
            failing_since=state.failing_since,
            last_success_at=state.cost_read_at,
            error=state.last_error or "",
        ),
    )
