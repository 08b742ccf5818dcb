"""Polls: what was read from a source, when, and with what outcome."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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
    """The backfills that failed, and whose rest no other has read since, or has still to read.

    All are of one source, oldest first.
    """
    failed = [poll for poll in backfills if poll.state is PollState.FAILED]
    return [
        poll
        for poll in failed
        if not any(_has_read_rest(other, poll) or _comes_to_rest(other, poll) for other in backfills)
    ]


def merged(failed: Iterable[Poll]) -> list[Poll]:
    """The fewest of the backfills that read the rests of all: one whose rest begins in another's prolongs that one."""
    kept: list[Poll] = []
    for poll in sorted(failed, key=lambda poll: _rest(poll).start):
        last = _rest(kept[-1]) if kept else None
        if last is None or _rest(poll).start > last.end:
            kept.append(poll)
        elif _rest(poll).end > last.end:
            kept[-1] = _until(kept[-1], _rest(poll).end)
    return kept


def _rest(poll: Poll) -> Window:
    assert poll.window is not None
    return Window(poll.done_until or poll.window.start, poll.window.end)


def _until(poll: Poll, end: datetime) -> Poll:
    assert poll.window is not None
    return replace(poll, window=Window(poll.window.start, end))


def _has_read_rest(other: Poll, failed: Poll) -> bool:
    if other.state is not PollState.DONE or other.window is None:
        return False
    ended, given_up = other.finished_at, failed.finished_at
    is_later = other.created_at >= failed.created_at or (ended and given_up and ended > given_up)
    rest = _rest(failed)
    return bool(is_later) and other.window.start <= rest.start and other.window.end >= rest.end


def _comes_to_rest(other: Poll, failed: Poll) -> bool:
    if other.state not in (PollState.QUEUED, PollState.RUNNING) or other.window is None:
        return False
    rest, coming = _rest(failed), _rest(other)
    return coming.start <= rest.start and coming.end >= rest.end


def waits_for(unfinished: Sequence[Poll]) -> WaitsFor | None:
    """Says what a source's queued poll waits for, by what is queued and running; None where none is queued."""
    polls = [poll.state for poll in unfinished if poll.kind is not PollKind.BACKFILL]
    if PollState.QUEUED not in polls:
        return None
    if PollState.RUNNING in polls:
        return WaitsFor.POLL
    running = any(poll.state is PollState.RUNNING for poll in unfinished)
    return WaitsFor.BACKFILL if running else WaitsFor.WORKER
