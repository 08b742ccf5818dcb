"""The silence that held a notification back, by name.

Why: whoever asks why nobody was notified learnt that it was a silence, and not which. The previous release still runs
on the new schema: it writes notifications without the new column, and does not read it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notifications", sa.Column("held_by", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("notifications", "held_by")
