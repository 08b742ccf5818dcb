"""Digests' runs: each occurrence once.

Why: replicas and restarts must not send a digest twice, and one that could not be sent has to be tried again. The
previous release still runs on the new schema: it does not know the table.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "digest_runs",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("digest_id", sa.Text, nullable=False),
        sa.Column("occurrence", INSTANT, nullable=False),
        sa.Column("window", JSONB, nullable=False),
        sa.Column("before", JSONB, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False, comment="Empty: the schedule"),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("sendings", JSONB, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_digest_runs"),
        sa.UniqueConstraint("digest_id", "occurrence", name="uq_digest_runs_digest_id_occurrence"),
        comment="Each occurrence of a digest once, and what became of it",
    )
    op.create_index("ix_digest_runs_due_at", "digest_runs", ["due_at"], postgresql_where=sa.text("state = 'queued'"))


def downgrade() -> None:
    op.drop_table("digest_runs")
