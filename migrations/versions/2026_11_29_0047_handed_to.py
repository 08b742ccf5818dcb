"""Alerts that were handed on.

Why: from then on an alert belongs to another receiver than to the owner of what it is about. The previous release runs
on the new schema: it leaves the column as it is.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "alerts",
        sa.Column("handed_to", JSONB, comment="The receiver that a person handed it on to; null: nobody did"),
    )


def downgrade() -> None:
    op.drop_column("alerts", "handed_to")
