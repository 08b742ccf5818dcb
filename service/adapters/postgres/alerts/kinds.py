"""Alerts of a kind that the previous release does not know, stored beside an alert that it reads instead.

The previous release runs beside this one: one alert that it cannot read ends its delivery of all others. It gets an
alert of a rule that says the same in its cause, of a source that it does not watch, so that it does not end what it
finds no reason for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, func, type_coerce
from sqlalchemy.dialects.postgresql import JSONB

from service.adapters.postgres.codec import shallow
from service.adapters.postgres.tables import alerts
from service.domain.alerts.alert import Alert
from service.domain.alerts.evidence import Evidence, RuleEvidence
from service.domain.messages.kinds import words_of
from service.domain.values.money import ZERO

_KNOWN_BEFORE = frozenset({"budget", "rule", "stale_source", "undelivered"})
_UNWATCHED = "unwatched:"
"""The prefix of such an alert's source."""


def alert_columns(alert: Alert) -> dict[str, Any]:
    """Returns what is stored of an alert."""
    return shallow(known_alert(alert)) | {"exact_evidence": exact_evidence_of(alert)}


def known_alert(alert: Alert) -> Alert:
    """Returns the alert as the previous release reads it."""
    if alert.evidence.kind in _KNOWN_BEFORE:
        return alert
    evidence = _known_evidence(alert.evidence)
    return replace(
        alert, kind=evidence.kind, source_id=f"{_UNWATCHED}{alert.source_id}", evidence=evidence, latest=None
    )


def exact_evidence_of(alert: Alert) -> Evidence | None:
    return None if alert.evidence.kind in _KNOWN_BEFORE else alert.evidence


def exact_alert(stored: Alert, exact: Evidence | None) -> Alert:
    """Returns the alert of a row. The previous release moves such alerts, and does not change what they are about."""
    if exact is None:
        return stored
    return replace(stored, kind=exact.kind, source_id=stored.source_id.removeprefix(_UNWATCHED), evidence=exact)


def exact_kind() -> ColumnElement[str]:
    return func.coalesce(type_coerce(alerts.c.exact_evidence, JSONB)["kind"].astext, alerts.c.kind)


def exact_field(name: str) -> ColumnElement[str]:
    """Returns a field of the evidence of whatever kind, as text."""
    exact, known = (type_coerce(column, JSONB)[name].astext for column in (alerts.c.exact_evidence, alerts.c.evidence))
    return func.coalesce(exact, known)


def is_of_source(*source_ids: str) -> ColumnElement[bool]:
    return alerts.c.source_id.in_([*source_ids, *(f"{_UNWATCHED}{source_id}" for source_id in source_ids)])


def _known_evidence(evidence: Evidence) -> RuleEvidence:
    headline = words_of(evidence).headline()
    return RuleEvidence(
        rule_id="",
        rule_name=evidence.kind.replace("_", " "),
        rule_kind=evidence.kind,
        scope_name=headline,
        actual=ZERO,
        expected=ZERO,
        unit="",
        cause=f"{headline}.",
        inputs=(),
        days=(),
    )
