"""The table of digests' runs. Their configuration is among the resources."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, UniqueConstraint, text

from service.adapters.postgres.column_types import Encoded, Instant, Word
from service.adapters.postgres.metadata import metadata
from service.domain.digests.runs import RunState, Sending
from service.domain.values.periods import Window

digest_runs = Table(
    "digest_runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest_id", Text, nullable=False),
    Column("occurrence", Instant, nullable=False),
    Column("window", Encoded(Window), nullable=False),
    Column("before", Encoded(Window), nullable=False),
    Column("asked_by", Text, nullable=False, comment="Empty: the schedule"),
    Column("state", Word(RunState), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("sendings", Encoded(tuple[Sending, ...]), nullable=False),
    Column("detail", Text, nullable=False),
    UniqueConstraint("digest_id", "occurrence"),
    comment="Each occurrence of a digest once, and what became of it",
)
Index("ix_digest_runs_due_at", digest_runs.c.due_at, postgresql_where=text("state = 'queued'"))
