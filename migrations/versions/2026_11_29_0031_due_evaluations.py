"""When a source's next evaluation is due, and an index of the budgets and rules of each source.

Why: every minute all sources were evaluated, whether anything could have changed or not, and each evaluation read the
configuration of all others. The previous release runs on this schema: it evaluates every minute, and leaves the column
alone, which makes the source due at once.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    due = sa.Column(
        "evaluation_due_at",
        sa.DateTime(timezone=True),
        comment="When time alone may change the answer; null: at once",
    )
    op.add_column("source_states", due)
    op.create_index(
        "ix_resources_source",
        "resources",
        [sa.text("(spec ->> 'source_id')")],
        postgresql_where=sa.text("kind IN ('budget', 'rule')"),
    )


def downgrade() -> None:
    op.drop_index("ix_resources_source", "resources")
    op.drop_column("source_states", "evaluation_due_at")
