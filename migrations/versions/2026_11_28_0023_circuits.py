"""Circuits of channels, and what a mail's refused addresses wait for.

Why: nothing disables a channel for ever, so `disabled_at` is written no more; it stays for the previous release, which
reads no date as a channel that is tried. The other columns are new, with defaults, and it leaves them alone.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BEFORE = "Channels whose last message was given up"
NOW = "Channels that refuse messages, or whose last one was given up"


def upgrade() -> None:
    op.add_column("failing_channels", sa.Column("concerns", sa.Text))
    op.add_column("failing_channels", sa.Column("refusals", sa.Integer, nullable=False, server_default="0"))
    op.add_column("failing_channels", sa.Column("next_try", sa.DateTime(timezone=True)))
    op.add_column("failing_channels", sa.Column("probing_until", sa.DateTime(timezone=True)))
    op.add_column("notifications", sa.Column("left_to", JSONB, comment="Null: all addresses, or none that waits"))
    op.alter_column("failing_channels", "disabled_at", comment="The previous release's: read and written no more")
    op.create_table_comment("failing_channels", NOW, existing_comment=BEFORE)


def downgrade() -> None:
    op.create_table_comment("failing_channels", BEFORE, existing_comment=NOW)
    op.alter_column("failing_channels", "disabled_at", comment=None)
    op.drop_column("notifications", "left_to")
    for name in ("probing_until", "next_try", "refusals", "concerns"):
        op.drop_column("failing_channels", name)
