"""What rules would fire for nothing, by their own past.

Why: a rule reports each week how many false alerts it gives. The previous release runs on the new schema: it does not
know the table.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "calibrations",
        sa.Column("rule_id", sa.Text, nullable=False),
        sa.Column("rule_version", sa.Integer, nullable=False, comment="That was calibrated last, or is being"),
        sa.Column("due_at", INSTANT, nullable=False, comment="When it is done again"),
        sa.Column("calibration", postgresql.JSONB, comment="Null until one came to its end"),
        sa.PrimaryKeyConstraint("rule_id", name="pk_calibrations"),
        comment="What rules would fire for nothing, by their own past",
    )


def downgrade() -> None:
    op.drop_table("calibrations")
