"""What was found of an open alert since it told something.

Why: what rings again, and who looks, is to hear how things stand now, and not only in steps of a tenth. The previous
release still runs on the new schema: it leaves the column alone.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alerts", sa.Column("latest", postgresql.JSONB()))


def downgrade() -> None:
    op.drop_column("alerts", "latest")
