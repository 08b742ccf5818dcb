"""The tables of cost and usage.

Facts are narrow, the dimensions being in `series`, and partitioned by month, so that retention drops tables.
They have no foreign keys: a check per row would slow every load, and they outlive their source's
configuration. Their primary keys begin with the source and the bucket, which is how everything reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Double,
    FromClause,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from service.adapters.postgres.metadata import metadata
from service.domain.values.scopes import Scope

USD = Numeric(24, 12)
INSTANT = DateTime(timezone=True)
CELL = ("workspace", "model", "api_key")
TOKENS = ("input_tokens", "cache_read_tokens", "output_tokens")
AMOUNTS = ("billed", "estimated", "usage_cost", "priority", "unpriced_tokens", *TOKENS)
"""The columns of a cell's day: the parts of a SpendDay."""


def held_by(scope: Scope, rows: FromClause) -> Iterator[ColumnElement[bool]]:
    """Returns the conditions under which a scope holds a row's cell."""
    return (rows.c[dimension.value].in_(ids) for dimension, ids in scope.filters.items() if ids)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


series = Table(
    "series",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("source_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    _text("workspace"),
    _text("model"),
    _text("description"),
    _text("cost_type"),
    _text("token_type"),
    _text("service_tier"),
    _text("context_window"),
    _text("inference_geo"),
    _text("api_key"),
    Column("extra", JSONB, nullable=False, server_default="{}"),
    Column("key", LargeBinary, nullable=False),
    UniqueConstraint("source_id", "key"),
    comment="What a cost or usage row is about, once; key is the SHA-256 of kind and dimensions",
)

cost_points = Table(
    "cost_points",
    metadata,
    Column("source_id", Text, nullable=False),
    Column("bucket", INSTANT, nullable=False),
    Column("series_id", Integer, nullable=False),
    Column("width", Text, nullable=False),
    Column("amount", USD, nullable=False),
    PrimaryKeyConstraint("source_id", "bucket", "series_id", "width"),
    postgresql_partition_by="RANGE (bucket)",
    comment="Billed US dollars by bucket, as last read; a row that vanished from the report is 0",
)


def _usage_table(name: str, comment: str) -> Table:
    return Table(
        name,
        metadata,
        Column("source_id", Text, nullable=False),
        Column("bucket", INSTANT, nullable=False),
        Column("series_id", Integer, nullable=False),
        Column("quantity", BigInteger, nullable=False),
        Column("cost", USD, comment="Estimated US dollars; null: unpriced"),
        PrimaryKeyConstraint("source_id", "bucket", "series_id"),
        postgresql_partition_by="RANGE (bucket)",
        comment=comment,
    )


usage_hours = _usage_table("usage_hours", "Tokens or requests of one measure by hour")
usage_minutes = _usage_table("usage_minutes", "The same by minute, kept for two days, without revisions")

revision_ids = Sequence("revisions_id_seq", metadata=metadata, data_type=BigInteger)

revisions = Table(
    "revisions",
    metadata,
    Column("source_id", Text, nullable=False),
    Column("bucket", INSTANT, nullable=False),
    Column("series_id", Integer, nullable=False),
    Column("width", Text, nullable=False),
    # A sequence, since partitioned tables have identity columns only from Postgres 17 on.
    Column("id", BigInteger, revision_ids, nullable=False, server_default=revision_ids.next_value()),
    Column("known_at", INSTANT, nullable=False),
    Column("assumed", Boolean, nullable=False),
    Column("amount", USD),
    Column("quantity", BigInteger),
    Column("poll_id", Text, nullable=False),
    PrimaryKeyConstraint("source_id", "bucket", "series_id", "width", "id"),
    postgresql_partition_by="RANGE (bucket)",
    comment="Append-only: what each amount (and quantity) was known to be, from when on",
)

known_buckets = Table(
    "known_buckets",
    metadata,
    Column("source_id", Text, nullable=False),
    Column("width", Text, nullable=False),
    Column("bucket", INSTANT, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("known_at", INSTANT),
    Column("complete_at", INSTANT, comment="When it was first read since it is complete"),
    Column("fingerprint", LargeBinary, comment="Of its bytes in the stored report; null where unknown"),
    PrimaryKeyConstraint("source_id", "width", "bucket"),
    comment="Days and hours that a report contained, rows or not; complete: the day settled, the hour over",
)

fingerprint_fences = Table(
    "fingerprint_fences",
    metadata,
    Column("source_id", Text, primary_key=True),
    Column("fence", BigInteger, nullable=False),
    comment="The fence of the last poll that kept fingerprints; a poll with a later one has kept none",
)


def _place() -> tuple[Column[Any], ...]:
    """A cell's UTC day."""
    return (
        Column("source_id", Text, nullable=False),
        Column("day", Date, nullable=False),
        *(Column(name, Text, nullable=False) for name in CELL),
    )


spend_days = Table(
    "spend_days",
    metadata,
    *_place(),
    Column("billed", USD, nullable=False),
    Column("estimated", USD, nullable=False),
    Column("usage_cost", USD, nullable=False, comment="The estimate, be it spend or not"),
    Column("priority", USD, nullable=False),
    Column("unpriced_tokens", BigInteger, nullable=False),
    *(Column(name, BigInteger, nullable=False, server_default="0") for name in TOKENS),
    PrimaryKeyConstraint("source_id", "day", *CELL),
    Index("ix_spend_days_unpriced", "source_id", "day", postgresql_where=text("unpriced_tokens > 0")),
    comment="Best-known spend by UTC day and cell",
)

usage_day_profiles = Table(
    "usage_day_profiles",
    metadata,
    *_place(),
    Column("hours", ARRAY(Double), nullable=False),
    PrimaryKeyConstraint("source_id", "day", *CELL),
    comment="Estimated US dollars by hour of the UTC day, 24 of them; copies, not money; no Priority Tier",
)

day_versions = Table(
    "day_versions",
    metadata,
    Column("source_id", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("known_on", Date, nullable=False),
    Column("assumed", Boolean, nullable=False),
    Column("settled", Boolean, nullable=False),
    PrimaryKeyConstraint("source_id", "day", "known_on"),
    comment="The UTC days at whose end something else was known of a day than before, its rows or its being settled",
)

spend_day_versions = Table(
    "spend_day_versions",
    metadata,
    *_place(),
    Column("known_on", Date, nullable=False),
    *(Column(name, spend_days.c[name].type, nullable=False) for name in AMOUNTS),
    PrimaryKeyConstraint("source_id", "day", *CELL, "known_on"),
    comment="What a cell's day was known to be at the end of known_on, where that had changed; zeros: it was gone",
)

seen = Table(
    "seen",
    metadata,
    Column("source_id", Text, nullable=False),
    Column("dimension", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    _text("workspace"),
    Column("status", Text, nullable=False, server_default="", comment="Empty: the directory does not list it"),
    Column("first_seen_at", INSTANT, nullable=False),
    Column("last_seen_at", INSTANT, nullable=False, comment="To the hour"),
    PrimaryKeyConstraint("source_id", "dimension", "id"),
    comment="Workspaces, models and API keys by name",
)

PARTITIONED = (cost_points, usage_hours, usage_minutes, revisions)
