"""What was held back from a channel is found without reading every notification.

Why: each minute asks for it. The previous release does not know the state "suppressed", and cannot list such a row.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_notifications_suppressed",
        "notifications",
        ["alert_id"],
        postgresql_where=sa.text("state = 'suppressed'"),
    )


def downgrade() -> None:
    op.drop_index("ix_notifications_suppressed", table_name="notifications")
