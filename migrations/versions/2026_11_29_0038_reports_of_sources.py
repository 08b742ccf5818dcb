"""Which reports a source's bill is read from, up to when these are complete, and a remark.

Why: the analytics reports are refreshed every four hours and say up to when they are complete; what is older than that
must not take back what was read. The previous release runs on the new schema: it knows none of the columns, all of
which may be null.
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0036"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column(
        "source_states",
        sa.Column(
            "reports_read", sa.Text, comment="Which reports the bill was last read from; null: the Admin reports"
        ),
    )
    op.add_column(
        "source_states",
        sa.Column("refreshed_at", INSTANT, comment="Up to when the analytics reports of cost are complete"),
    )
    op.add_column(
        "source_states",
        sa.Column(
            "usage_refreshed_at", INSTANT, comment="Up to when the analytics reports of usage by hour are complete"
        ),
    )
    op.add_column(
        "source_states",
        sa.Column("remark", sa.Text, comment="What an operator should know of how the bill was last read"),
    )


def downgrade() -> None:
    for name in ("remark", "usage_refreshed_at", "refreshed_at", "reports_read"):
        op.drop_column("source_states", name)
