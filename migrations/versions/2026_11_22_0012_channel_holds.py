"""Until when a channel has asked for quiet.

Why: a 429 is about the channel, not about the one message that met it. The previous release still runs on the new
schema: it leaves the column alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("channel_turns", sa.Column("held_until", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("channel_turns", "held_until")
