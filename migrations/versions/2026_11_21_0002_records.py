"""Configuration, polling, alerts, notifications and access.

Why: what the service is told to do, what it found and whom it told.
The previous release still runs on the new schema: there is none.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = ("resource_versions", "alert_events", "audit_events", "revisions")


def upgrade() -> None:
    create_configuration()
    create_polling()
    create_alerts()
    create_notifications()
    create_access()
    create_clock()
    op.execute(
        """
        CREATE FUNCTION tocsin_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
                USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION tocsin_refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION tocsin_refuse_change()"
        )


def create_configuration() -> None:
    op.create_table(
        "resources",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("labels", JSONB, nullable=False),
        sa.Column("spec", JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_resources"),
        sa.UniqueConstraint("kind", "name", name="uq_resources_kind_name"),
    )
    op.create_table(
        "resource_versions",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("labels", JSONB, nullable=False),
        sa.Column("spec", JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name="pk_resource_versions"),
    )


def create_polling() -> None:
    op.create_table(
        "source_states",
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("next_poll_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.Text),
        sa.Column("organization_name", sa.Text),
        sa.Column("last_success_at", sa.DateTime(timezone=True)),
        sa.Column("cost_read_at", sa.DateTime(timezone=True)),
        sa.Column("usage_read_at", sa.DateTime(timezone=True)),
        sa.Column("minutes_read_at", sa.DateTime(timezone=True)),
        sa.Column("directory_read_at", sa.DateTime(timezone=True)),
        sa.Column("deep_read_at", sa.DateTime(timezone=True)),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True)),
        sa.Column("polling_since", sa.DateTime(timezone=True)),
        sa.Column("assessed_read_at", sa.DateTime(timezone=True)),
        sa.Column("last_error", sa.Text),
        sa.PrimaryKeyConstraint("source_id", name="pk_source_states"),
    )
    op.create_index("ix_source_states_next_poll_at", "source_states", ["next_poll_at"])
    op.create_table(
        "polls",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("window", JSONB),
        sa.Column("done_until", sa.DateTime(timezone=True)),
        sa.Column("reports", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_polls"),
    )
    op.create_index("ix_polls_source_id_id", "polls", ["source_id", "id"])


def create_alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evidence", JSONB, nullable=False),
        sa.Column("acknowledged_by", sa.Text),
        sa.Column("resolved_by", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_fingerprint", "alerts", ["fingerprint"])
    still_open = sa.text("state <> 'resolved'")
    op.create_index("uq_alerts_open_fingerprint", "alerts", ["fingerprint"], unique=True, postgresql_where=still_open)
    op.create_index("ix_alerts_open_source_id", "alerts", ["source_id"], postgresql_where=still_open)
    op.create_table(
        "alert_events",
        sa.Column("alert_id", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("alert", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("alert_id", "version", name="pk_alert_events"),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name="fk_alert_events_alert_id_alerts"),
    )
    op.create_table(
        "budget_crossings",
        sa.Column("budget_id", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("basis", sa.Text, nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("threshold", sa.Text, nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.Column("level", sa.Numeric(24, 12), nullable=False),
        sa.Column("spent", sa.Numeric(24, 12), nullable=False),
        sa.Column("crossed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("alert_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint(
            "budget_id", "scope", "basis", "period_start", "threshold", "terms", name="pk_budget_crossings"
        ),
    )


def create_notifications() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("alert_id", sa.Text, nullable=False),
        sa.Column("alert_version", sa.Integer, nullable=False),
        sa.Column("receiver_id", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("attempts", JSONB, nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("leased_until", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
        sa.UniqueConstraint(
            *("alert_id", "level", "channel", "action", "step", "round"),
            name="uq_notifications_alert_id_level_channel_action_step_round",
        ),
        sa.ForeignKeyConstraint(
            ["alert_id", "alert_version"],
            ["alert_events.alert_id", "alert_events.version"],
            name="fk_notifications_alert_id_alert_version_alert_events",
        ),
    )
    op.create_index(
        "ix_notifications_queued",
        "notifications",
        ["alert_id", "channel", "alert_version", "id"],
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_table(
        "posts",
        sa.Column("alert_id", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("post", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("alert_id", "channel", name="pk_posts"),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name="fk_posts_alert_id_alerts"),
    )


def create_access() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("hint", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
    )
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_events"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("token_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("request_digest", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("headers", JSONB, nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_id", "key", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_kept_at", "idempotency_keys", ["kept_at"])


def create_clock() -> None:
    op.create_table(
        "clock_anchors",
        sa.Column("setting", sa.Text, nullable=False),
        sa.Column("real", sa.DateTime(timezone=True), nullable=False),
        sa.Column("business", sa.DateTime(timezone=True), nullable=False),
        sa.Column("speed", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("setting", name="pk_clock_anchors"),
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION tocsin_refuse_change() CASCADE")
    for table in (
        *("clock_anchors", "idempotency_keys", "audit_events", "tokens", "posts", "notifications", "budget_crossings"),
        *("alert_events", "alerts", "polls", "source_states", "resource_versions", "resources"),
    ):
        op.drop_table(table)
