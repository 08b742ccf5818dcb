"""Drills: an alert that says of itself that nothing is wrong, and ends by itself where nobody ends it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from service.domain.alerts.alert import Alert, Reason
from service.domain.alerts.evidence import DrillEvidence
from service.domain.alerts.findings import Condition, Finding, over
from service.domain.sources.source import Source
from service.domain.values.errors import Conflict, Invalid
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION
from service.domain.values.severity import Severity

LONGEST_DRILL = timedelta(minutes=15)
"""How long a drill lasts that nobody ends: its command was killed, or lost its connection."""
ITS_OWN_LABELS = ("severity", "source", "scope")
"""Labels that a drill has from its severity and its source. `kind` may be another kind's: then its routes are taken."""


def drill_fingerprint(source_id: str) -> str:
    return f"drill:{source_id}"


def find_drill(source: Resource[Source], severity: Severity, labels: Mapping[str, str]) -> Finding:
    """Returns the finding that opens a drill's alert. Raises Invalid for a label that a drill has by itself."""
    for name in ITS_OWN_LABELS:
        if name in labels:
            raise Invalid(f"a drill has this label from its {'source' if name == 'scope' else name}", f"/labels/{name}")
    return Finding(
        fingerprint=drill_fingerprint(source.id),
        source_id=source.id,
        scope=ORGANISATION,
        severity=severity,
        condition=Condition.FIRES,
        reason=Reason.FIRST,
        evidence=DrillEvidence(source_name=source.name, given=tuple(sorted(labels.items()))),
    )


def require_no_drill(source: Resource[Source], open_alerts: Iterable[Alert]) -> None:
    """Raises Conflict while another drill of the source goes on."""
    for alert in open_alerts:
        if alert.fingerprint == drill_fingerprint(source.id):
            raise Conflict(f"a drill of {source.name!r} goes on: resolve {alert.id} first")


def end_drills(open_alerts: Iterable[Alert], now: datetime) -> list[Finding]:
    """Returns an end for each drill that has lasted too long."""
    drills = (alert for alert in open_alerts if isinstance(alert.evidence, DrillEvidence))
    return [over(alert, Reason.OVER) for alert in drills if now - alert.opened_at >= LONGEST_DRILL]
