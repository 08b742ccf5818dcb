"""The tables of notifications, of the groups that they are collected in, and of the channels' health."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Index, Integer, Table, Text, UniqueConstraint, text

from service.adapters.postgres.column_types import Encoded, Instant, Word
from service.adapters.postgres.metadata import metadata
from service.domain.alerts.alert import Reason
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import Action, Attempt, NotificationCause, NotificationState

notifications = Table(
    "notifications",
    metadata,
    Column("id", Text, primary_key=True),
    Column("alert_id", Text, nullable=False),
    Column("alert_version", Integer, nullable=False),
    Column("receiver_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("action", Word(Action), nullable=False),
    Column("reason", Word(Reason), nullable=False),
    Column("exact_reason", Word(Reason), comment="Null: `reason` says it all"),
    Column("level", Text, nullable=False),
    Column("state", Word(NotificationState), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("cause", Word(NotificationCause), comment="Null: written by the previous release"),
    Column("step", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("attempts", Encoded(tuple[Attempt, ...]), nullable=False),
    Column("sent_at", Instant),
    Column("fallback_for", Text),
    Column("leased_until", Instant),
    Column("group_key", Text),
    Column("sent_with", Text),
    Column("held_by", Text, nullable=False, server_default=""),
    Column("left_to", Encoded(tuple[str, ...]), comment="Null: all addresses, or none that waits"),
    UniqueConstraint("alert_id", "level", "channel", "action", "step", "round"),
    ForeignKeyConstraint(["alert_id", "alert_version"], ["alert_events.alert_id", "alert_events.version"]),
)
Index(
    "ix_notifications_queued",
    notifications.c.alert_id,
    notifications.c.channel,
    notifications.c.alert_version,
    notifications.c.id,
    postgresql_where=text("state = 'queued'"),
)
Index(
    "ix_notifications_due",
    notifications.c.due_at,
    notifications.c.id,
    postgresql_where=text("state = 'queued'"),
)
Index(
    "ix_notifications_dead",
    notifications.c.id,
    postgresql_where=text("state = 'dead'"),
)
Index(
    "ix_notifications_suppressed",
    notifications.c.alert_id,
    postgresql_where=text("state = 'suppressed'"),
)
Index(
    "ix_notifications_collected",
    notifications.c.group_key,
    notifications.c.channel,
    postgresql_where=text("state = 'queued' AND group_key IS NOT NULL"),
)
Index(
    "ix_notifications_sent_with",
    notifications.c.sent_with,
    postgresql_where=text("sent_with IS NOT NULL"),
)

posts = Table(
    "posts",
    metadata,
    Column("alert_id", Text, ForeignKey("alerts.id"), primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("post", Text, nullable=False),
)

failing_channels = Table(
    "failing_channels",
    metadata,
    Column("receiver_id", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("failing_since", Instant, nullable=False),
    Column("error", Text, nullable=False),
    Column("dead", Integer, nullable=False),
    Column("disabled_at", Instant, comment="The previous release's: read and written no more"),
    Column("concerns", Word(Concern)),
    Column("refusals", Integer, nullable=False, server_default="0"),
    Column("next_try", Instant),
    Column("probing_until", Instant),
    comment="Channels that refuse messages, or whose last one was given up",
)

channel_turns = Table(
    "channel_turns",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("ends_at", Instant, nullable=False),
    Column("sent", Integer, nullable=False),
    Column("held_until", Instant),
    comment="How much of its rate a channel has used, shared by all workers",
)

alert_groups = Table(
    "alert_groups",
    metadata,
    Column("key", Text, primary_key=True),
    Column("due_at", Instant, nullable=False),
    comment="When the last or next message of each group leaves",
)

summaries = Table(
    "summaries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("post", Text, nullable=False),
    comment="What a channel answered to a message about several alerts",
)
