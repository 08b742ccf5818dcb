"""What rules read: tokens by day, estimated dollars by hour of the day, and what each day was known to be.

Why: rules look at tokens, at hours, and at past instants as they were known. The statements that fill the new
columns and tables read the hours that are stored. What days looked like before is not known any more: their versions
are assumed to have been known a day after they ended. The previous release still runs on the new schema: every new
column has a default or may be null, and it does not know the new tables.
"""

from datetime import date

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

USD = sa.Numeric(24, 12)
INSTANT = sa.DateTime(timezone=True)
TOKENS = ("input_tokens", "cache_read_tokens", "output_tokens")
CELL = ("workspace", "model", "api_key")
AMOUNTS = ("billed", "estimated", "usage_cost", "priority")


def upgrade() -> None:
    for name in TOKENS:
        op.add_column("spend_days", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("known_buckets", sa.Column("known_at", INSTANT))
    op.add_column(
        "known_buckets", sa.Column("complete_at", INSTANT, comment="When it was first read since it is complete")
    )
    create_profiles()
    create_versions()
    for fill in (TOKENS_OF_DAYS, PROFILES_OF_DAYS, INSTANTS_OF_BUCKETS, VERSIONS_OF_DAYS, VERSIONS_OF_CELLS):
        op.execute(fill)


def downgrade() -> None:
    for table in ("spend_day_versions", "day_versions", "usage_day_profiles"):
        op.drop_table(table)
    for name in ("known_at", "complete_at"):
        op.drop_column("known_buckets", name)
    for name in TOKENS:
        op.drop_column("spend_days", name)


def create_profiles() -> None:
    op.create_table(
        "usage_day_profiles",
        *place(),
        sa.Column("hours", ARRAY(sa.Double), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "day", *CELL, name="pk_usage_day_profiles"),
        comment="Estimated US dollars by hour of the UTC day, 24 of them; copies, not money; no Priority Tier",
    )


def create_versions() -> None:
    op.create_table(
        "day_versions",
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("known_on", sa.Date, nullable=False),
        sa.Column("assumed", sa.Boolean, nullable=False),
        sa.Column("settled", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("source_id", "day", "known_on", name="pk_day_versions"),
        comment="The UTC days at whose end something else was known of a day than before, its rows or its being settled",
    )
    op.create_table(
        "spend_day_versions",
        *place(),
        sa.Column("known_on", sa.Date, nullable=False),
        *(sa.Column(name, USD, nullable=False) for name in AMOUNTS),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("unpriced_tokens", *TOKENS)),
        sa.PrimaryKeyConstraint("source_id", "day", *CELL, "known_on", name="pk_spend_day_versions"),
        comment="What a cell's day was known to be at the end of known_on, where that had changed; zeros: it was gone",
    )


def place() -> tuple[sa.Column[str] | sa.Column[date], ...]:
    return (
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in CELL),
    )


TOKENS_OF_DAYS = """
    UPDATE spend_days SET input_tokens = used.input_tokens, cache_read_tokens = used.cache_read_tokens,
        output_tokens = used.output_tokens
    FROM (
        SELECT h.source_id, (h.bucket AT TIME ZONE 'UTC')::date AS day, s.workspace, s.model, s.api_key,
            coalesce(sum(h.quantity) FILTER (WHERE s.token_type LIKE '%input_tokens'), 0) AS input_tokens,
            coalesce(sum(h.quantity) FILTER (WHERE s.token_type = 'cache_read_input_tokens'), 0) AS cache_read_tokens,
            coalesce(sum(h.quantity) FILTER (WHERE s.token_type = 'output_tokens'), 0) AS output_tokens
        FROM usage_hours h JOIN series s ON s.id = h.series_id
        WHERE s.service_tier <> 'priority'
        GROUP BY 1, 2, 3, 4, 5
    ) used
    WHERE (spend_days.source_id, spend_days.day, spend_days.workspace, spend_days.model, spend_days.api_key)
        = (used.source_id, used.day, used.workspace, used.model, used.api_key)
"""

PROFILES_OF_DAYS = f"""
    INSERT INTO usage_day_profiles (source_id, day, workspace, model, api_key, hours)
    SELECT source_id, day, workspace, model, api_key,
        ARRAY[{", ".join(f"coalesce(sum(cost) FILTER (WHERE hour = {hour}), 0)::float8" for hour in range(24))}]
    FROM (
        SELECT h.source_id, (h.bucket AT TIME ZONE 'UTC')::date AS day, s.workspace, s.model, s.api_key,
            extract(hour FROM h.bucket AT TIME ZONE 'UTC') AS hour, sum(h.cost) AS cost
        FROM usage_hours h JOIN series s ON s.id = h.series_id
        WHERE s.service_tier <> 'priority' AND s.token_type <> 'web_search_requests'
        GROUP BY 1, 2, 3, 4, 5, 6
    ) hours
    GROUP BY 1, 2, 3, 4, 5
"""  # noqa: S608 - nothing but the numbers of hours is put in

INSTANTS_OF_BUCKETS = """
    WITH told AS (SELECT source_id, width, bucket, min(known_at) AS at FROM revisions GROUP BY 1, 2, 3),
    read AS (
        SELECT b.source_id, b.width, b.bucket, coalesce(t.at, CASE WHEN b.complete AND b.width = '1d'
            THEN b.bucket + interval '1 day' WHEN b.complete THEN b.bucket + interval '1 hour' ELSE b.bucket END) AS at
        FROM known_buckets b LEFT JOIN told t USING (source_id, width, bucket)
    )
    UPDATE known_buckets k SET known_at = r.at, complete_at = CASE WHEN k.complete THEN greatest(r.at,
        k.bucket + CASE k.width WHEN '1d' THEN interval '2 days' ELSE interval '1 hour' END) END
    FROM read r WHERE (k.source_id, k.width, k.bucket) = (r.source_id, r.width, r.bucket)
"""

VERSIONS_OF_DAYS = """
    WITH newest AS (
        SELECT source_id, (max(bucket) AT TIME ZONE 'UTC')::date AS today FROM known_buckets GROUP BY 1
    ),
    billed AS (
        SELECT source_id, (bucket AT TIME ZONE 'UTC')::date AS day, complete FROM known_buckets WHERE width = '1d'
    ),
    stored AS (SELECT source_id, day FROM spend_days UNION SELECT source_id, day FROM billed)
    INSERT INTO day_versions (source_id, day, known_on, assumed, settled)
    SELECT source_id, day, greatest(day, least(day + 1, today)), true, coalesce(billed.complete, false)
    FROM stored LEFT JOIN billed USING (source_id, day) LEFT JOIN newest USING (source_id)
"""

VERSIONS_OF_CELLS = """
    INSERT INTO spend_day_versions (source_id, day, known_on, workspace, model, api_key, billed, estimated, usage_cost,
        priority, unpriced_tokens, input_tokens, cache_read_tokens, output_tokens)
    SELECT source_id, day, known_on, workspace, model, api_key, billed, estimated, usage_cost,
        priority, unpriced_tokens, input_tokens, cache_read_tokens, output_tokens
    FROM spend_days JOIN day_versions USING (source_id, day)
"""
