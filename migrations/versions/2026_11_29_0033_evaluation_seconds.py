"""How long each source's last evaluation took.

Why: `/metrics` is answered by the API, and evaluations run in workers: what one took has to be in the database. Both
columns are empty until a worker of this release evaluates. The previous release runs on this schema, and leaves them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    began = sa.Column("evaluation_began_at", sa.DateTime(timezone=True), comment="Real time, of the newest evaluation")
    seconds = sa.Column(
        "evaluation_seconds", sa.Double, comment="Real time from the beginning to the end of the last one that ended"
    )
    op.add_column("source_states", began)
    op.add_column("source_states", seconds)


def downgrade() -> None:
    op.drop_column("source_states", "evaluation_seconds")
    op.drop_column("source_states", "evaluation_began_at")
