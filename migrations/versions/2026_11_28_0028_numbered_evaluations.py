"""The number of each source's newest evaluation, which alone may store what it found.

Why: an evaluation that opens many alerts commits in slices, and lets go of its source in between. A newer one that has
begun meanwhile finds the rest by itself. The previous release evaluates in one transaction, and does not count.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0026"
branch_labels = None
depends_on = None

_COMMENT = "The number of the newest evaluation; only that one stores what it found"


def upgrade() -> None:
    number = sa.Column("evaluation", sa.BigInteger, nullable=False, server_default="0", comment=_COMMENT)
    op.add_column("source_states", number)


def downgrade() -> None:
    op.drop_column("source_states", "evaluation")
