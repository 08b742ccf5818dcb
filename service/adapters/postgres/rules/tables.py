"""The tables of what is remembered about rules. Columns mirror the domain's dataclasses."""

from __future__ import annotations

from sqlalchemy import Column, Date, Double, ForeignKey, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from service.adapters.postgres.column_types import Dollars, Encoded, Instant, ScopeText, Word
from service.adapters.postgres.metadata import metadata
from service.domain.backtest.backtest import BacktestState, Result
from service.domain.backtest.calibration import Calibration
from service.domain.rules.feedback import FeedbackKind
from service.domain.rules.rule import GateVerdict

rule_episodes = Table(
    "rule_episodes",
    metadata,
    # No reference to the rule's row: an evaluation that writes here would wait for whoever deletes the rule meanwhile.
    Column("rule_id", Text, primary_key=True),
    Column("scope", ScopeText, primary_key=True),
    Column("began_at", Instant, nullable=False),
    Column("held_since", Instant),
    Column("last_held", Instant),
)

rule_verdicts = Table(
    "rule_verdicts",
    metadata,
    Column("rule_id", Text, primary_key=True),
    Column("scope", ScopeText, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("outcome", Text, primary_key=True),
    Column("rule_version", Integer, nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("actual", Dollars, nullable=False),
    Column("expected", Dollars, nullable=False),
    Column("cause", Text, nullable=False),
    Column("inputs", Encoded(tuple[tuple[str, str], ...]), nullable=False),
    Column("gates", Encoded(tuple[GateVerdict, ...]), nullable=False),
    Index("ix_rule_verdicts_day", "day"),
    comment="Every objection of a rule, whether it rang or was stopped",
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source_id", Text, nullable=False),
    Column("rule_id", Text, nullable=False, index=True),
    Column("alert_id", Text, ForeignKey("alerts.id"), nullable=False, index=True),
    Column("scope", ScopeText, nullable=False),
    Column("kind", Word(FeedbackKind), nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("given_at", Instant, nullable=False),
    Column("given_by", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("withdrawn_at", Instant),
    Column("withdrawn_by", Text),
)

rule_failures = Table(
    "rule_failures",
    metadata,
    Column("rule_id", Text, primary_key=True),
    Column("scope", ScopeText, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("error", Text, nullable=False),
    Column("since", Instant),
    comment="Series that a rule's detector could not judge for a defect",
)

calibrations = Table(
    "calibrations",
    metadata,
    # No reference to the rule's row, as with episodes.
    Column("rule_id", Text, primary_key=True),
    Column("rule_version", Integer, nullable=False, comment="That was calibrated last, or is being"),
    Column("due_at", Instant, nullable=False, comment="When it is done again"),
    Column("calibration", Encoded(Calibration), comment="Null until one came to its end"),
    comment="What rules would fire for nothing, by their own past",
)

backtests = Table(
    "backtests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source_id", Text, nullable=False),
    Column("subject_kind", Text, nullable=False, comment="rule or budget"),
    Column("subject", JSONB, nullable=False, comment="As it was when the backtest was asked for"),
    Column("request", JSONB, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("state", Word(BacktestState), nullable=False),
    Column("progress", Double, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("error", Text),
    Column("result", Encoded(Result)),
    comment="The newest hundred",
)
