"""People's use of Claude Code by UTC day.

Why: sessions, lines, commits and pull requests are in no other report, and what they are estimated to cost is no spend.
The previous release runs on the new schema: it does not know the table.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "claude_code_days",
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("records", JSONB, nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "day", name="pk_claude_code_days"),
        comment="Use of Claude Code by UTC day; estimates that are on the bill already",
    )


def downgrade() -> None:
    op.drop_table("claude_code_days")
