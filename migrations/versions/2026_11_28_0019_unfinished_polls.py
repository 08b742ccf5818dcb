"""An index of what is queued or running.

Why: every tick asks which sources have a poll in the queue, and every read of a source what its poll waits for; both
read all polls there ever were. The previous release still runs on the new schema: it only gains an index.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_polls_unfinished", "polls", ["source_id"], postgresql_where=sa.text("finished_at IS NULL"))


def downgrade() -> None:
    op.drop_index("ix_polls_unfinished", "polls")
