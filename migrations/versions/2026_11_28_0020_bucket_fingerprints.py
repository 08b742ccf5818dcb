"""Fingerprints of stored buckets, by which a report that is read again is recognised.

The previous release still runs on the new schema. It keeps no fingerprints: `fingerprint_fences` shows that it has polled.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "known_buckets",
        sa.Column(
            "fingerprint",
            sa.LargeBinary(),
            comment="Of its bytes in the stored report; null where unknown",
        ),
    )
    op.create_table(
        "fingerprint_fences",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_id"),
        comment="The fence of the last poll that kept fingerprints; a poll with a later one has kept none",
    )


def downgrade() -> None:
    op.drop_table("fingerprint_fences")
    op.drop_column("known_buckets", "fingerprint")
