"""Findings: what one rule concludes just now. They have no memory; alerts do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from service.domain.alerts.alert import Alert, Reason
from service.domain.alerts.crossings import Crossing
from service.domain.alerts.evidence import Evidence
from service.domain.values.scopes import ScopeKey
from service.domain.values.severity import Severity

UNRECORDED = ""
"""The alert id of a crossing whose alert has yet to be opened."""


class Condition(StrEnum):
    FIRES = "fires"
    HOLDS = "holds"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Finding:
    """FIRES: something new that people must hear. HOLDS: nothing new. OVER: an open alert has come to its end.

    `crossings` are new and are to be recorded with the alert, whether they fire or not; `released` ones are to be
    forgotten, so that their levels may fire again.
    """

    fingerprint: str
    source_id: str
    scope: ScopeKey
    severity: Severity
    condition: Condition
    reason: Reason
    evidence: Evidence
    crossings: tuple[Crossing, ...] = ()
    released: tuple[Crossing, ...] = ()


def over(alert: Alert, reason: Reason) -> Finding:
    """The finding that ends an open alert, with the last that was found of it."""
    return Finding(
        fingerprint=alert.fingerprint,
        source_id=alert.source_id,
        scope=alert.scope,
        severity=alert.severity,
        condition=Condition.OVER,
        reason=reason,
        evidence=alert.newest,
    )
