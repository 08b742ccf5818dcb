"""Polls: what was read from a source, when, and with what outcome."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.domain.sources.source import ReportName
from service.domain.values.periods import Window


class PollKind(StrEnum):
    SCHEDULED = "scheduled"
    REQUESTED = "requested"
    BACKFILL = "backfill"


class PollState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Notice:
    """A departure from the documented form that changed no meaning, and how many rows had it."""

    text: str
    rows: int


@dataclass(frozen=True, slots=True)
class ReportOutcome:
    """One report's result: rows added, changed and gone, or the error that refused it whole.

    `seconds` is the whole: the reading and the writing.
    """

    report: ReportName
    added: int = 0
    changed: int = 0
    gone: int = 0
    seconds: float = 0.0
    error: str | None = None
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Poll:
    """`window` is what a backfill reads; `done_until` how far it has come, for resuming."""

    id: str
    source_id: str
    kind: PollKind
    state: PollState
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    window: Window | None = None
    done_until: datetime | None = None
    reports: tuple[ReportOutcome, ...] = ()
