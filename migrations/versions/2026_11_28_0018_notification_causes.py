"""Why each notification is sent, as a word.

Why: negative numbers in `step` stood for what is no step of an escalation policy. The previous release still runs on the
new schema: it neither reads nor writes the column, and its rows have none. This release reads such a row by its step,
and goes on writing the numbers, on which the unique key of notifications counts in both. A later release drops them,
fills the column where it is still null, and puts it into the key.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notifications", sa.Column("cause", sa.Text, comment="Null: written by the previous release"))
    op.execute(
        """
        UPDATE notifications SET cause = CASE
            WHEN step = -1 THEN 'held_back'
            WHEN step = -2 THEN 'repeat'
            WHEN step = -3 THEN 'summary'
            WHEN step > 0 OR round > 0 THEN 'escalation'
            ELSE 'event'
        END
        """
    )


def downgrade() -> None:
    op.drop_column("notifications", "cause")
