"""The reasons that the previous release does not know, beside the ones that it reads instead.

Why: an alert may be calm, may return, and may not be confirmed by its bill. The previous release refuses a row with a
word that it does not know, and would stop to notify until it is replaced. `reason` keeps a word that it knows;
`exact_reason` is null where that says it all. A later release puts the exact one into `reason`, and drops the column.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("alert_events", "notifications"):
        op.add_column(table, sa.Column("exact_reason", sa.Text, comment="Null: `reason` says it all"))


def downgrade() -> None:
    for table in ("alert_events", "notifications"):
        op.drop_column(table, "exact_reason")
