"""The tables of collected alerts. What is collected are notifications."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from service.adapters.postgres.column_types import Instant
from service.adapters.postgres.metadata import metadata

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
