"""What is remembered about rules: episodes, kept verdicts, feedback, defects.

Why: pending times, mutes and feedback have to outlive a restart. The previous release still runs on the new schema: it
knows neither the tables nor the new column, which may be null.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
USD = sa.Numeric(24, 12)


def upgrade() -> None:
    op.add_column("source_states", sa.Column("rules_assessed_at", INSTANT))
    op.create_table(
        "rule_episodes",
        sa.Column("rule_id", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("held_since", INSTANT),
        sa.Column("last_held", INSTANT),
        sa.PrimaryKeyConstraint("rule_id", "scope", name="pk_rule_episodes"),
    )
    op.create_table(
        "rule_verdicts",
        sa.Column("rule_id", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("rule_version", sa.Integer, nullable=False),
        sa.Column("first_at", INSTANT, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.Column("actual", USD, nullable=False),
        sa.Column("expected", USD, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("inputs", JSONB, nullable=False),
        sa.Column("gates", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("rule_id", "scope", "day", "outcome", name="pk_rule_verdicts"),
        comment="Every objection of a rule, whether it rang or was stopped",
    )
    op.create_index("ix_rule_verdicts_day", "rule_verdicts", ["day"])
    op.create_table(
        "feedback",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("rule_id", sa.Text, nullable=False),
        sa.Column("alert_id", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("given_at", INSTANT, nullable=False),
        sa.Column("given_by", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("withdrawn_at", INSTANT),
        sa.Column("withdrawn_by", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name="fk_feedback_alert_id_alerts"),
    )
    op.create_index("ix_feedback_rule_id", "feedback", ["rule_id"])
    op.create_index("ix_feedback_alert_id", "feedback", ["alert_id"])
    op.create_table(
        "rule_failures",
        sa.Column("rule_id", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("rule_id", "scope", name="pk_rule_failures"),
        comment="Series that a rule's detector could not judge for a defect",
    )


def downgrade() -> None:
    for table in ("rule_failures", "feedback", "rule_verdicts", "rule_episodes"):
        op.drop_table(table)
    op.drop_column("source_states", "rules_assessed_at")
