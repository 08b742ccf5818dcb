"""Cost and usage: series, facts and their revisions by month, the daily rollup, names.

Why: the first schema. Month partitions are made by the service, for what it is about to write.
The previous release still runs on the new schema: there is none.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

USD = sa.Numeric(24, 12)
INSTANT = sa.DateTime(timezone=True)
BY_MONTH = "RANGE (bucket)"


def upgrade() -> None:
    create_series()
    create_facts()
    create_revisions()
    create_rollup()
    create_directory()


def downgrade() -> None:
    for table in ("seen", "spend_days", "known_buckets", "revisions"):
        op.drop_table(table)
    op.execute("DROP SEQUENCE revisions_id_seq")
    for table in ("usage_minutes", "usage_hours", "cost_points", "series"):
        op.drop_table(table)


def create_series() -> None:
    op.create_table(
        "series",
        sa.Column("id", sa.Integer, sa.Identity(), nullable=False),
        needed("source_id", sa.Text),
        needed("kind", sa.Text),
        *(
            maybe_empty(name)
            for name in (
                *("workspace", "model", "description", "cost_type", "token_type"),
                *("service_tier", "context_window", "inference_geo", "api_key"),
            )
        ),
        sa.Column("extra", JSONB, nullable=False, server_default="{}"),
        needed("key", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_series"),
        sa.UniqueConstraint("source_id", "key", name="uq_series_source_id_key"),
        comment="What a cost or usage row is about, once; key is the SHA-256 of kind and dimensions",
    )


def create_facts() -> None:
    op.create_table(
        "cost_points",
        *fact_key(),
        needed("width", sa.Text),
        needed("amount", USD),
        sa.PrimaryKeyConstraint("source_id", "bucket", "series_id", "width", name="pk_cost_points"),
        postgresql_partition_by=BY_MONTH,
        comment="Billed US dollars by bucket, as last read; a row that vanished from the report is 0",
    )
    for name, comment in (
        ("usage_hours", "Tokens or requests of one measure by hour"),
        ("usage_minutes", "The same by minute, kept for two days, without revisions"),
    ):
        op.create_table(
            name,
            *fact_key(),
            needed("quantity", sa.BigInteger),
            sa.Column("cost", USD, comment="Estimated US dollars; null: unpriced"),
            sa.PrimaryKeyConstraint("source_id", "bucket", "series_id", name=f"pk_{name}"),
            postgresql_partition_by=BY_MONTH,
            comment=comment,
        )


def create_revisions() -> None:
    ids = sa.Sequence("revisions_id_seq", data_type=sa.BigInteger)
    op.execute(sa.schema.CreateSequence(ids))
    op.create_table(
        "revisions",
        *fact_key(),
        needed("width", sa.Text),
        sa.Column("id", sa.BigInteger, nullable=False, server_default=ids.next_value()),
        needed("known_at", INSTANT),
        needed("assumed", sa.Boolean),
        sa.Column("amount", USD),
        sa.Column("quantity", sa.BigInteger),
        needed("poll_id", sa.Text),
        sa.PrimaryKeyConstraint("source_id", "bucket", "series_id", "width", "id", name="pk_revisions"),
        postgresql_partition_by=BY_MONTH,
        comment="Append-only: what each amount (and quantity) was known to be, from when on",
    )
    op.create_table(
        "known_buckets",
        needed("source_id", sa.Text),
        needed("width", sa.Text),
        needed("bucket", INSTANT),
        needed("complete", sa.Boolean),
        sa.PrimaryKeyConstraint("source_id", "width", "bucket", name="pk_known_buckets"),
        comment="Days and hours that a report contained, rows or not; complete: the day settled, the hour over",
    )


def create_rollup() -> None:
    op.create_table(
        "spend_days",
        needed("source_id", sa.Text),
        needed("day", sa.Date),
        needed("workspace", sa.Text),
        needed("model", sa.Text),
        needed("api_key", sa.Text),
        needed("billed", USD),
        needed("estimated", USD),
        sa.Column("usage_cost", USD, nullable=False, comment="The estimate, be it spend or not"),
        needed("priority", USD),
        needed("unpriced_tokens", sa.BigInteger),
        sa.PrimaryKeyConstraint("source_id", "day", "workspace", "model", "api_key", name="pk_spend_days"),
        comment="Best-known spend by UTC day and cell",
    )


def create_directory() -> None:
    op.create_table(
        "seen",
        needed("source_id", sa.Text),
        needed("dimension", sa.Text),
        needed("id", sa.Text),
        needed("name", sa.Text),
        maybe_empty("workspace"),
        sa.Column(
            "status",
            sa.Text,
            nullable=False,
            server_default="",
            comment="Empty: the directory does not list it",
        ),
        needed("first_seen_at", INSTANT),
        sa.Column("last_seen_at", INSTANT, nullable=False, comment="To the hour"),
        sa.PrimaryKeyConstraint("source_id", "dimension", "id", name="pk_seen"),
        comment="Workspaces, models and API keys by name",
    )


def needed(name: str, type_: Any) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=False)


def maybe_empty(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def fact_key() -> tuple[sa.Column[Any], ...]:
    return needed("source_id", sa.Text), needed("bucket", INSTANT), needed("series_id", sa.Integer)
