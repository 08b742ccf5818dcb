"""The evidence of kinds of alert that the previous release does not know, beside evidence that it reads instead.

Why: an alert may be about a silence that ends soon. The previous release refuses a row of a kind that it does not
know, and would stop to deliver until it is replaced. `kind` and `evidence` are a rule's that says the same;
`exact_evidence` is null where they say it all. A later release puts the exact one into `evidence`, and drops the column.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_SAYS_IT_ALL = {"alerts": "Null: `kind` and `evidence` say it all", "alert_events": "Null: `alert` says it all"}


def upgrade() -> None:
    for table, comment in _SAYS_IT_ALL.items():
        op.add_column(table, sa.Column("exact_evidence", JSONB, comment=comment))


def downgrade() -> None:
    for table in _SAYS_IT_ALL:
        op.drop_column(table, "exact_evidence")
