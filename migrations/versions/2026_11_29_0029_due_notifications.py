"""Indexes of the notifications that wait and of those that were given up, with none that is over.

Why: who delivers asks for the oldest due ones. They were found by sorting all that waits, and the dead ones were
counted by reading every notification that was ever stored. The previous release runs on this schema.
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_notifications_due", "notifications", ["due_at", "id"], postgresql_where=sa.text("state = 'queued'")
    )
    op.create_index("ix_notifications_dead", "notifications", ["id"], postgresql_where=sa.text("state = 'dead'"))


def downgrade() -> None:
    op.drop_index("ix_notifications_dead", "notifications")
    op.drop_index("ix_notifications_due", "notifications")
