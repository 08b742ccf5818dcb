"""Budgets that a defect keeps from being assessed, since when a rule cannot judge, and the traces of queued jobs.

Why: a budget that fails must not silence its source, and has to be seen; a worker continues the trace of whoever queued
its job. The previous release runs on the new schema: it knows neither the tables nor the column, which may be null.
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "budget_failures",
        sa.Column("budget_id", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False, comment="org is the whole budget"),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column(
            "evaluation",
            sa.BigInteger,
            nullable=False,
            comment="The number of the source's last evaluation that failed",
        ),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("budget_id", "scope", name="pk_budget_failures"),
        comment="Scopes of budgets that could not be assessed for a defect",
    )
    op.add_column("rule_failures", sa.Column("since", INSTANT))
    op.create_table(
        "job_traces",
        sa.Column("job_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("traceparent", sa.String(55), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="pk_job_traces"),
        comment="The W3C trace that a queued job continues; empty where no traces are collected",
    )


def downgrade() -> None:
    op.drop_table("job_traces")
    op.drop_column("rule_failures", "since")
    op.drop_table("budget_failures")
