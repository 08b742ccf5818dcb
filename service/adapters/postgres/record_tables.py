"""The tables of configuration, polling, alerts and access. Columns mirror the domain's dataclasses."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
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
from service.domain.access import Role
from service.domain.alerts.alert import Alert, AlertKind, AlertState, Command, Reason
from service.domain.alerts.crossings import ThresholdBasis
from service.domain.alerts.evidence import Evidence
from service.domain.forecasts.watch import Stand
from service.domain.sources.poll import PollKind, PollState, ReportOutcome
from service.domain.values.periods import Window
from service.domain.values.severity import Severity

APPEND_ONLY = ("resource_versions", "alert_events", "audit_events", "revisions")
"""A trigger of migration 0002 refuses UPDATE, DELETE and TRUNCATE on these."""

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
    Column("last_error", Text),
)

polls = Table(
    "polls",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source_id", Text, nullable=False),
    Column("kind", Word(PollKind), nullable=False),
    Column("state", Word(PollState), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("window", Encoded(Window)),
    Column("done_until", Instant),
    Column("reports", Encoded(tuple[ReportOutcome, ...]), nullable=False),
    Index("ix_polls_source_id_id", "source_id", "id"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("fingerprint", Text, nullable=False, index=True),
    Column("kind", Word(AlertKind), nullable=False),
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
    Column("note", Text, nullable=False),
    Column("alert", Encoded(Alert), nullable=False),
)

budget_crossings = Table(
    "budget_crossings",
    metadata,
    Column("budget_id", Text, primary_key=True),
    Column("scope", ScopeText, primary_key=True),
    Column("basis", Word(ThresholdBasis), primary_key=True),
    Column("period_start", Instant, primary_key=True),
    Column("threshold", Text, primary_key=True),
    Column("terms", Text, primary_key=True),
    Column("level", Dollars, nullable=False),
    Column("spent", Dollars, nullable=False),
    Column("crossed_at", Instant, nullable=False),
    Column("alert_id", Text, nullable=False),
)

forecast_watches = Table(
    "forecast_watches",
    metadata,
    Column("budget_id", Text, primary_key=True),
    Column("scope", ScopeText, primary_key=True),
    Column("threshold", Text, primary_key=True),
    Column("period_start", Instant, primary_key=True),
    Column("terms", Text, primary_key=True),
    Column("stand", Word(Stand), nullable=False),
    Column("since", Date),
)

chart_failures = Table(
    "chart_failures",
    metadata,
    Column("about", Text, primary_key=True, comment="An alert's kind, or digest"),
    Column("count", Integer, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("error", Text, nullable=False, comment="The last one"),
    comment="How often no picture could be drawn, by what it was to show",
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Word(Role), nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("hint", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("token_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_digest", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("headers", Encoded(tuple[tuple[str, str], ...]), nullable=False),
    Column("kept_at", Instant, nullable=False, index=True),
)

queue_schema = Table("queue_schema", metadata, Column("migration", Text, primary_key=True))
"""The queue library's own migrations that this database has; revision 0003 tells what for."""
