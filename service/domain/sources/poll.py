"""Polls: what was read from a source, when, and with what outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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


class WaitsFor(StrEnum):
    """The thing a queued poll waits for: another poll or a backfill of its source that runs, or a free worker."""

    POLL = "poll"
    BACKFILL = "backfill"
    WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Notice:
    """A departure from the documented form that changed no meaning, and how many rows had it."""

    text: str
    rows: int


@dataclass(frozen=True, slots=True)
class ReportOutcome:
    """One report's result: rows added, changed and gone, or the error that refused it whole.

    `seconds` is the whole: the reading and the writing. `wait` is how long a refusal asks to be left alone.
    """

    report: ReportName
    added: int = 0
    changed: int = 0
    gone: int = 0
    seconds: float = 0.0
    error: str | None = None
    notices: tuple[Notice, ...] = ()
    wait: timedelta | None = None


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


def left_over(backfills: Sequence[Poll]) -> list[Poll]:
    """The backfills that failed, and whose rest no later one has read. All are of one source, oldest first."""
    return [
        poll
        for place, poll in enumerate(backfills)
        if poll.state is PollState.FAILED and not any(_reads_rest(later, poll) for later in backfills[place + 1 :])
    ]


def _reads_rest(later: Poll, failed: Poll) -> bool:
    assert later.window is not None
    assert failed.window is not None
    return later.state is PollState.DONE and later.window.start <= (failed.done_until or failed.window.start)


def waits_for(unfinished: Sequence[Poll]) -> WaitsFor | None:
    """Says what a source's queued poll waits for, by what is queued and running; None where none is queued."""
    polls = [poll.state for poll in unfinished if poll.kind is not PollKind.BACKFILL]
    if PollState.QUEUED not in polls:
        return None
    if PollState.RUNNING in polls:
        return WaitsFor.POLL
    running = any(poll.state is PollState.RUNNING for poll in unfinished)
    return WaitsFor.BACKFILL if running else WaitsFor.WORKER
