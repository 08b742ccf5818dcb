"""The tables that stores of several rooms use. Columns mirror the domain's dataclasses.

A trigger of migration 0002 refuses UPDATE, DELETE and TRUNCATE on `resource_versions` and `alert_events`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from service.adapters.postgres.column_types import Dollars, Encoded, Instant, ScopeText, Word
from service.adapters.postgres.metadata import metadata
from service.domain.alerts.alert import Alert, AlertState, Command, NewHolder, Reason
from service.domain.alerts.evidence import Evidence
from service.domain.sources.source import ReportFamily
from service.domain.values.severity import Severity

resources = Table(
    "resources",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("labels", JSONB, nullable=False),
    Column("spec", JSONB, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("kind", "name"),
)
Index(
    "ix_resources_source",
    resources.c.spec["source_id"].astext,
    postgresql_where=text("kind IN ('budget', 'rule')"),
)

resource_versions = Table(
    "resource_versions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("labels", JSONB, nullable=False),
    Column("spec", JSONB, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("valid_from", Instant, nullable=False),
    Column("deleted", Boolean, nullable=False),
)

source_states = Table(
    "source_states",
    metadata,
    Column("source_id", Text, primary_key=True),
    Column("fence", BigInteger, nullable=False),
    Column("next_poll_at", Instant, nullable=False, index=True),
    Column("organization_id", Text),
    Column("organization_name", Text),
    Column("last_success_at", Instant),
    Column("cost_read_at", Instant),
    Column("usage_read_at", Instant),
    Column("minutes_read_at", Instant),
    Column("directory_read_at", Instant),
    Column("deep_read_at", Instant),
    Column("failures", Integer, nullable=False),
    Column("failing_since", Instant),
    Column("polling_since", Instant),
    Column("assessed_read_at", Instant),
    Column("rules_assessed_at", Instant),
    Column("evaluated_at", Instant),
    Column(
        "evaluation",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="The number of the newest evaluation; only that one stores what it found",
    ),
    Column("last_error", Text),
    Column("evaluation_began_at", Instant, comment="Real time, of the newest evaluation"),
    Column("evaluation_seconds", Double, comment="Real time from the beginning to the end of the last one that ended"),
    Column("evaluation_due_at", Instant, comment="When time alone may change the answer; null: at once"),
    Column(
        "reports_read", Word(ReportFamily), comment="Which reports the bill was last read from; null: the Admin reports"
    ),
    Column("refreshed_at", Instant, comment="Up to when the analytics reports of cost are complete"),
    Column("usage_refreshed_at", Instant, comment="Up to when the analytics reports of usage by hour are complete"),
    Column("remark", Text, comment="What an operator should know of how the bill was last read"),
)


alerts = Table(
    "alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("fingerprint", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("scope", ScopeText, nullable=False),
    Column("severity", Word(Severity), nullable=False),
    Column("state", Word(AlertState), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("evidence", Encoded(Evidence), nullable=False),
    Column("acknowledged_by", Text),
    Column("resolved_by", Text),
    Column("snoozed_until", Instant),
    Column("snoozed_above", Dollars),
    Column("latest", Encoded(Evidence)),
    Column("exact_evidence", Encoded(Evidence), comment="Null: `kind` and `evidence` say it all"),
    Column("handed_to", Encoded(NewHolder), comment="The receiver that a person handed it on to; null: nobody did"),
)
Index(
    "uq_alerts_open_fingerprint",
    alerts.c.fingerprint,
    unique=True,
    postgresql_where=text("state <> 'resolved'"),
)
Index("ix_alerts_open_source_id", alerts.c.source_id, postgresql_where=text("state <> 'resolved'"))

alert_events = Table(
    "alert_events",
    metadata,
    Column("alert_id", Text, ForeignKey("alerts.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("command", Word(Command), nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Word(Reason), nullable=False),
    Column("exact_reason", Word(Reason), comment="Null: `reason` says it all"),
    Column("note", Text, nullable=False),
    Column("alert", Encoded(Alert), nullable=False),
    Column("exact_evidence", Encoded(Evidence), comment="Null: `alert` says it all"),
)
