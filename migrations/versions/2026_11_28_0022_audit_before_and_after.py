"""Columns of audit events for what a write changed, for the actor's id and for the address it came from.

Why: an operator silenced everything for 74 years and deleted the silence, and the audit log said "named x". The
previous release still runs on the new schema: it writes events without the new columns, and reads none of them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit_events", sa.Column("actor_id", sa.Text(), nullable=False, server_default=""))
    op.add_column("audit_events", sa.Column("address", sa.Text(), nullable=False, server_default=""))
    op.add_column("audit_events", sa.Column("before", postgresql.JSONB()))
    op.add_column("audit_events", sa.Column("after", postgresql.JSONB()))


def downgrade() -> None:
    for column in ("after", "before", "address", "actor_id"):
        op.drop_column("audit_events", column)
