"""Digests whose times cannot be told.

Why: such a digest is never sent, and only a log said so, once a minute. The previous release runs on the new schema: it
does not know the table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "digest_failures",
        sa.Column("digest_id", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("digest_id", name="pk_digest_failures"),
        comment="Digests whose times could not be told when they were last looked at",
    )


def downgrade() -> None:
    op.drop_table("digest_failures")
