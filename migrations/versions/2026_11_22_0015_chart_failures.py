"""Charts that could not be drawn, counted.

Why: workers draw them and serve no metrics, and a message goes out without its picture. The previous release still
runs on the new schema: it does not know the table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chart_failures",
        sa.Column("about", sa.Text, nullable=False, comment="An alert's kind, or digest"),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.Text, nullable=False, comment="The last one"),
        sa.PrimaryKeyConstraint("about", name="pk_chart_failures"),
        comment="How often no picture could be drawn, by what it was to show",
    )


def downgrade() -> None:
    op.drop_table("chart_failures")
