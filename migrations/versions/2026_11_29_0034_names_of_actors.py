"""The name of who wrote, beside how the audit log calls them.

Why: people in Slack are known by an id there, which says nothing to whoever reads the audit log. Empty for others, and
for what the previous release records, which runs on this schema.
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit_events", sa.Column("actor_name", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("audit_events", "actor_name")
