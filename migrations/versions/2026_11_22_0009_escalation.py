"""Snoozes, evaluations' times, and what is known of channels: which fail, and whose turn it is.

Why: a snooze has to outlive a restart, the heartbeat has to know of every worker's evaluations, and replicas share a
channel's rate. The previous release still runs on the new schema: it knows neither the tables nor the new columns,
which may all be null.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("alerts", sa.Column("snoozed_until", INSTANT))
    op.add_column("alerts", sa.Column("snoozed_above", sa.Numeric(24, 12)))
    op.add_column("source_states", sa.Column("evaluated_at", INSTANT))
    op.add_column("notifications", sa.Column("fallback_for", sa.Text))
    op.create_table(
        "failing_channels",
        sa.Column("receiver_id", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("failing_since", INSTANT, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("dead", sa.Integer, nullable=False),
        sa.Column("disabled_at", INSTANT),
        sa.PrimaryKeyConstraint("receiver_id", "channel", name="pk_failing_channels"),
        comment="Channels whose last message was given up",
    )
    op.create_table(
        "channel_turns",
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("sent", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("channel", name="pk_channel_turns"),
        comment="How much of its rate a channel has used, shared by all workers",
    )


def downgrade() -> None:
    op.drop_table("channel_turns")
    op.drop_table("failing_channels")
    op.drop_column("notifications", "fallback_for")
    op.drop_column("source_states", "evaluated_at")
    op.drop_column("alerts", "snoozed_above")
    op.drop_column("alerts", "snoozed_until")
