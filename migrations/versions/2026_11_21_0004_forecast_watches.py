"""How thresholds on forecast stand: a level must be reached on two days before it rings.

Why: the run of days has to outlive a restart. The previous release still runs on the new schema: it does not know the
table, and refuses budgets that would need it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "forecast_watches",
        sa.Column("budget_id", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("threshold", sa.Text, nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.Column("stand", sa.Text, nullable=False),
        sa.Column("since", sa.Date),
        sa.PrimaryKeyConstraint(
            *("budget_id", "scope", "threshold", "period_start", "terms"), name="pk_forecast_watches"
        ),
        sa.ForeignKeyConstraint(
            ["budget_id"], ["resources.id"], name="fk_forecast_watches_budget_id_resources", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    op.drop_table("forecast_watches")
