"""Leases of digests by the database's clock.

Why: a run was left to its worker for five minutes of business time, which at a high TOCSIN_CLOCK speed is less than
sending takes: the same digest was sent four times. The previous release still runs on the new schema: it neither reads
nor writes the column, and `due_at`, which it goes by, is put off by this release, too.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "digest_runs",
        sa.Column(
            "leased_until", sa.TIMESTAMP(timezone=True), comment="Of the database's clock; until then a worker sends it"
        ),
    )


def downgrade() -> None:
    op.drop_column("digest_runs", "leased_until")
