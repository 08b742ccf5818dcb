"""When the next message of a group of alerts leaves, and which messages told of several alerts.

Why: all workers collect for the same message, and a summary is edited long after it was posted. The previous release
still runs on the new schema: it knows neither the tables nor the new columns, which may all be null; what waits for its
group it sends one by one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notifications", sa.Column("group_key", sa.Text))
    op.add_column("notifications", sa.Column("sent_with", sa.Text))
    op.create_index(
        "ix_notifications_collected",
        "notifications",
        ["group_key", "channel"],
        postgresql_where=sa.text("state = 'queued' AND group_key IS NOT NULL"),
    )
    op.create_index(
        "ix_notifications_sent_with",
        "notifications",
        ["sent_with"],
        postgresql_where=sa.text("sent_with IS NOT NULL"),
    )
    op.create_table(
        "alert_groups",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_alert_groups"),
        comment="When the last or next message of each group leaves",
    )
    op.create_table(
        "summaries",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("post", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_summaries"),
        comment="What a channel answered to a message about several alerts",
    )


def downgrade() -> None:
    op.drop_table("summaries")
    op.drop_table("alert_groups")
    op.drop_index("ix_notifications_sent_with", table_name="notifications")
    op.drop_index("ix_notifications_collected", table_name="notifications")
    op.drop_column("notifications", "sent_with")
    op.drop_column("notifications", "group_key")
