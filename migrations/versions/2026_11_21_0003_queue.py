"""The job queue: procrastinate's own schema, as the installed release ships it.

Why: the queue lives in the same database, so that a job and the rows that cause it commit together.
The previous release still runs on the new schema: it does not know the queue.

The library's schema is not copied here. A release of it that changes the schema ships migrations of its own; a test
fails as soon as the installed ones are not these, and the revision that follows must run those which
`queue_schema` lacks: a database made later has them from the start.
"""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager

from service.adapters.postgres.queue.schema import shipped_migrations

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Several statements in one string: only an execution without parameters may send them.
    cursor = op.get_bind().connection.cursor()
    cursor.execute(SchemaManager.get_schema())
    cursor.close()
    queue_schema = op.create_table(
        "queue_schema",
        sa.Column("migration", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("migration", name="pk_queue_schema"),
    )
    op.bulk_insert(queue_schema, [{"migration": name} for name in shipped_migrations()])


def downgrade() -> None:
    op.drop_table("queue_schema")
    op.execute(
        """
        DO $$
        DECLARE item record;
        BEGIN
            FOR item IN SELECT oid::regclass AS name FROM pg_class
                WHERE relkind = 'r' AND relname LIKE 'procrastinate\\_%' AND relnamespace = current_schema()::regnamespace
            LOOP EXECUTE format('DROP TABLE %s CASCADE', item.name); END LOOP;
            FOR item IN SELECT oid::regprocedure AS name FROM pg_proc
                WHERE proname LIKE 'procrastinate\\_%' AND pronamespace = current_schema()::regnamespace
            LOOP EXECUTE format('DROP FUNCTION %s CASCADE', item.name); END LOOP;
            FOR item IN SELECT oid::regtype AS name FROM pg_type
                WHERE typname LIKE 'procrastinate\\_%' AND typtype IN ('c', 'e') AND typnamespace = current_schema()::regnamespace
            LOOP EXECUTE format('DROP TYPE %s CASCADE', item.name); END LOOP;
        END $$
        """
    )
