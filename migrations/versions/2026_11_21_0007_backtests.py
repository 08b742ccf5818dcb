"""Backtests: what was asked, how far it has come, what it found.

Why: a backtest runs in a worker, and its answer is read later. The previous release still runs on the new schema: it
does not know the table.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "backtests",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("subject_kind", sa.Text, nullable=False, comment="rule or budget"),
        sa.Column("subject", JSONB, nullable=False, comment="As it was when the backtest was asked for"),
        sa.Column("request", JSONB, nullable=False),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("progress", sa.Double, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("started_at", INSTANT),
        sa.Column("finished_at", INSTANT),
        sa.Column("error", sa.Text),
        sa.Column("result", JSONB),
        sa.PrimaryKeyConstraint("id", name="pk_backtests"),
        comment="The newest hundred",
    )


def downgrade() -> None:
    op.drop_table("backtests")
