"""How thresholds on forecast stand, without a foreign key to their budget.

Why: an evaluation writes them while a budget may be deleted; each waits for a row that the other holds. Orphans are
dropped by retention. The previous release still runs on the new schema, and leaves them there.
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KEY = "fk_forecast_watches_budget_id_resources"


def upgrade() -> None:
    op.drop_constraint(KEY, "forecast_watches", type_="foreignkey")


def downgrade() -> None:
    op.execute("DELETE FROM forecast_watches WHERE budget_id NOT IN (SELECT id FROM resources)")
    op.create_foreign_key(KEY, "forecast_watches", "resources", ["budget_id"], ["id"], ondelete="CASCADE")
