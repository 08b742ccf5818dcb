"""Days whose reports succeed and lack something.

Why: a report that is empty where it should not be closes no day, and fires if it lasts; so do groups that do not add up
to their total. The previous release runs on the new schema: it does not know the table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
USD = sa.Numeric(24, 12)


def upgrade() -> None:
    op.create_table(
        "report_flaws",
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("known", USD, comment="US dollars that are stored of the day"),
        sa.Column("total", USD, comment="US dollars of the report without groups"),
        sa.PrimaryKeyConstraint("source_id", "kind", "day", name="pk_report_flaws"),
        comment="UTC days whose reports succeed and lack something, since when every poll has found it so",
    )


def downgrade() -> None:
    op.drop_table("report_flaws")
