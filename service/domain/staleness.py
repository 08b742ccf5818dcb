"""A source that has gone blind is an alert like any other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from service.domain.alerts import Alert, AlertKind, Reason, Severity, StaleEvidence
from service.domain.findings import Condition, Finding, over
from service.domain.resources import Resource
from service.domain.scopes import ORGANISATION
from service.domain.sources import USUAL_PATIENCE, Patience, Source, SourceState, is_stale

RING_AGAIN = timedelta(days=1)
"""How long a person's resolve silences a source that goes on failing."""


def stale_fingerprint(state: SourceState, now: datetime) -> str | None:
    """One episode of failing is one alert: it is known by the instant the cost report began to fail.

    The number behind it counts the days since then, so that an alert somebody resolved rings anew on the next one.
    """
    if state.failing_since is None:
        return None
    return f"{_episode(state)}:{(now - state.failing_since) // RING_AGAIN}"


def _episode(state: SourceState) -> str:
    since = state.failing_since.isoformat() if state.failing_since else "never"
    return f"source:{state.source_id}:stale:{since}"


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
    enabled = source is not None and source.spec.enabled
    stale_alerts = [alert for alert in open_alerts if alert.kind is AlertKind.STALE_SOURCE]
    running = [alert for alert in stale_alerts if enabled and alert.fingerprint.startswith(_episode(state))]
    reason = Reason.RECOVERED if enabled else Reason.SOURCE_GONE
    findings = [over(alert, reason) for alert in stale_alerts if alert not in running]
    current = stale_fingerprint(state, now)
    if source is None or not enabled or current is None or running or not is_stale(state, now, patience):
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
