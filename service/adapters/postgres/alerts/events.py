"""Rows of alert events as domain values and back, as the previous release and this one read them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from service.adapters.postgres.alerts.kinds import exact_alert, exact_evidence_of, known_alert
from service.adapters.postgres.alerts.reasons import exact_reason, reason_columns
from service.adapters.postgres.tables import alert_events
from service.domain.alerts.alert import AlertEvent

_FIELDS = ("alert", "at", "command", "actor", "reason", "note")
EVENT_COLUMNS = [alert_events.c[name].label(f"event_{name}") for name in (*_FIELDS, "exact_reason", "exact_evidence")]
"""Named apart from the columns of other tables, so that one query reads both."""


def event_columns(event: AlertEvent) -> dict[str, Any]:
    """Returns the row of an event."""
    alert = event.alert
    return {
        "alert_id": alert.id,
        "version": alert.version,
        "at": event.at,
        "command": event.command,
        "actor": event.actor,
        "note": event.note,
        "alert": known_alert(alert),
        "exact_evidence": exact_evidence_of(alert),
        **reason_columns(event.reason),
    }


def read_event(row: Row[*tuple[Any, ...]]) -> AlertEvent:
    stored = {name: row._mapping[f"event_{name}"] for name in _FIELDS}
    return AlertEvent(
        **stored
        | {
            "alert": exact_alert(stored["alert"], row._mapping["event_exact_evidence"]),
            "reason": exact_reason(stored["reason"], row._mapping["event_exact_reason"]),
        }
    )
