"""The trace that a queued job continues: stored beside the job where traces are collected, else nothing is."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import BigInteger, Column, String, Table, text

from service.adapters.postgres.metadata import metadata

Carried = Callable[[], str | None]
"""Returns the W3C `traceparent` of whoever queues a job, None where no trace goes on."""
LONGEST = 55
"""Characters of a `traceparent` of version 00."""

job_traces = Table(
    "job_traces",
    metadata,
    Column("job_id", BigInteger, primary_key=True, autoincrement=False),
    Column("traceparent", String(LONGEST), nullable=False),
    comment="The W3C trace that a queued job continues; empty where no traces are collected",
)
KEEP = text("INSERT INTO job_traces (job_id, traceparent) SELECT unnest(CAST(:jobs AS bigint[])), :carried")
FORGET = text("DELETE FROM job_traces WHERE NOT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE id = job_id)")
