"""Reading a source of cost, and the stores of its polls and its directory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Generic, Protocol, TypeVar, runtime_checkable

from service.domain.sources.concerns import SourceConcern
from service.domain.sources.poll import Notice, Poll, ReportOutcome
from service.domain.sources.source import ReportFamily, Source, SourceState
from service.domain.spend.claude_code import ClaudeCodeDay
from service.domain.spend.completeness import BucketKnowledge
from service.domain.spend.flaws import DayContent, Flaw, FlawKind
from service.domain.spend.rows import (
    Bucket,
    CostRow,
    UsageRow,
    Width,
)
from service.domain.values.money import Money
from service.domain.values.names import Names
from service.domain.values.periods import Window
from service.domain.values.resources import Page
from service.domain.values.scopes import Cell, Dimension, ScopeKey
from service.workflows.ports.spend import Changes


class SourceError(Exception):
    """A report could not be read. `retryable` says whether asking again can help. The text is for people.

    `wait`: how long the server asks to be left alone; None where it does not say. `concerns`: what is to be put right.
    """

    def __init__(
        self,
        detail: str,
        *,
        retryable: bool,
        wait: timedelta | None = None,
        concerns: SourceConcern = SourceConcern.MOMENT,
    ) -> None:
        super().__init__(detail)
        self.retryable = retryable
        self.wait = wait
        self.concerns = concerns


class OutOfReach(SourceError):
    """The reports that the source's key may read do not go back to the window; of other days they may be whole."""


@dataclass(frozen=True, slots=True)
class Organization:
    """`name` is "" where the key may not read it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class WorkspaceName:
    """A workspace as the directory knows it; the default workspace has the id "default"."""

    id: str
    name: str
    archived: bool = False
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ApiKeyName:
    id: str
    name: str
    workspace: str
    status: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    workspaces: tuple[WorkspaceName, ...]
    api_keys: tuple[ApiKeyName, ...]


ReportRow = TypeVar("ReportRow", CostRow, UsageRow)


@dataclass(frozen=True, slots=True)
class StoredBuckets:
    """Buckets as they were last read and stored: a fingerprint of each one's bytes in the report, by its window.

    `prices` identifies what usage was priced with: at other prices the same bytes make other facts, and no fingerprint
    fits.
    """

    prices: str = ""
    fingerprints: Mapping[Window, bytes] = field(default_factory=dict)


NOTHING_STORED = StoredBuckets()


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which reports were read, up to when they say that they are complete, and what an operator should know of that.

    `refreshed_at` is None where they fill up within minutes. `is_empty`: there is not one row in a report that has rows
    for what was spent only, so that nothing tells no spend from no answer.
    """

    reports: ReportFamily = ReportFamily.ADMIN
    refreshed_at: datetime | None = None
    remark: str = ""
    is_empty: bool = False


@dataclass(frozen=True, slots=True)
class ReadReport(Generic[ReportRow]):
    """A report that was read whole, oldest bucket first, and what in its form was not as documented.

    `unchanged` are the windows of buckets whose bytes are those of the stored ones: they are in no `buckets`.
    `fingerprints` are those of `buckets`; None for one with notices, which each poll that reads it has to show. `named`
    are actors and products of its rows, with what the report calls them.
    """

    buckets: tuple[Bucket[ReportRow], ...]
    notices: tuple[Notice, ...] = ()
    fingerprints: Mapping[Window, bytes | None] = field(default_factory=dict)
    unchanged: frozenset[Window] = frozenset()
    origin: Provenance = Provenance()
    named: Names = field(default_factory=dict)


class CostSource(Protocol):
    """One organisation's reports. Each call reads a whole report, all pages, or raises SourceError."""

    async def organization(self) -> Organization: ...

    async def cost(self, window: Window, stored: StoredBuckets = NOTHING_STORED) -> ReadReport[CostRow]:
        """Cost by UTC day. `window` starts and ends at midnight UTC; days the answer lacks are unknown."""
        ...

    async def usage(self, window: Window, width: Width, stored: StoredBuckets = NOTHING_STORED) -> ReadReport[UsageRow]:
        """Usage by hour or minute."""
        ...

    async def directory(self) -> Directory | None:
        """None where the key may not list workspaces and API keys: what reports name is all that is known."""
        ...


@runtime_checkable
class CostTotals(Protocol):
    """A source that can say what each UTC day cost in all, apart from its groups: by the Admin reports."""

    async def cost_totals(self, window: Window) -> Mapping[date, Money]:
        """Cost by UTC day, asked for without groups. Raises SourceError."""
        ...


@dataclass(frozen=True, slots=True)
class ReadClaudeCode:
    """One UTC day of people's use of Claude Code, and what the people are called."""

    day: ClaudeCodeDay
    named: Names


@runtime_checkable
class ReadsClaudeCode(Protocol):
    """A source that knows people's use of Claude Code."""

    async def claude_code(self, day: date) -> ReadClaudeCode:
        """Raises SourceError."""
        ...


class ClaudeCodeStore(Protocol):
    """People's use of Claude Code by UTC day."""

    async def replace(self, source_id: str, day: ClaudeCodeDay, now: datetime) -> None: ...

    async def days(self, source_id: str, window: Window) -> list[ClaudeCodeDay]:
        """The stored days that begin in the window, in order."""
        ...

    async def forget(self, source_id: str) -> None: ...


class SourceConnector(Protocol):
    def connect(self, source: Source) -> AbstractAsyncContextManager[CostSource]: ...


class BucketFingerprints(Protocol):
    """The fingerprints of stored buckets of the cost report and of usage by hour. Only complete buckets have one."""

    async def follow(self, source_id: str, fence: int) -> None:
        """Forgets the fingerprints unless whoever had the fence before this one kept them.

        A poll of the previous release writes amounts and keeps no fingerprints: what it wrote is not what they say.
        """
        ...

    async def stored(self, source_id: str, width: Width, window: Window) -> Mapping[Window, bytes]: ...

    async def keep(self, source_id: str, width: Width, fingerprints: Mapping[Window, bytes | None]) -> None:
        """Replaces the fingerprints of buckets that have just been stored."""
        ...


class Completeness(Protocol):
    """How much reports have said of each day and hour, and the flaws that were found in them."""

    async def flaws(self, source_id: str) -> list[Flaw]: ...

    async def note(self, source_id: str, kind: FlawKind, days: Collection[date], flaws: Sequence[Flaw]) -> None:
        """Replaces the flaws of one kind on these days, which a report has just been searched for."""
        ...

    async def totals(self, source_id: str, days: Window) -> dict[date, Money]:
        """The stored bill of each UTC day, all of its groups."""
        ...

    async def contents(self, source_id: str, kind: FlawKind, days: Window) -> dict[date, DayContent]:
        """The stored content of each UTC day, as far as a report that may be empty is doubted by it."""
        ...

    async def knowledge(self, source_id: str, window: Window, width: Width) -> dict[datetime, BucketKnowledge]:
        """The knowledge of each of the window's days or hours, by its start; without those nothing is known of."""
        ...


class FenceLost(Exception):
    """Another poll of the same source has begun since: this one may not write any more."""


class PollingStates(Protocol):
    """The polling state of each source."""

    async def get(self, source_id: str) -> SourceState: ...

    async def cost_read_at(self, source_ids: Collection[str]) -> dict[str, datetime | None]:
        """When each one's bill was last read; None: never. One that is gone is left out."""
        ...

    async def add(self, state: SourceState) -> None: ...

    async def all_ids(self) -> list[str]:
        """Every source that was ever polled, deleted ones too: their alerts still have to end."""
        ...

    async def save(self, state: SourceState) -> None: ...

    async def hold(self, source_id: str) -> SourceState:
        """The state, locked until the transaction ends: other assessments of it wait. Raises NotFound."""
        ...

    async def note_reports(self, state: SourceState) -> None:
        """Stores which reports were read, up to when they are complete, and the remark; `save` leaves them alone."""
        ...

    async def start_over(self, source_id: str, now: datetime) -> None:
        """Forgets failures and makes the source due: somebody has changed how it is read. Raises NotFound."""
        ...

    async def begin_evaluation(self, source_id: str) -> SourceState:
        """Takes the next number of an evaluation, and the state, locked as by `hold`. Raises NotFound."""
        ...

    async def holds_evaluation(self, state: SourceState) -> bool:
        """Locks the state until the transaction ends. False where a newer one has begun, or the source is gone."""
        ...

    async def end_evaluation(
        self, state: SourceState, *, rules_assessed_at: datetime | None, now: datetime, due_at: datetime
    ) -> None:
        """Notes that budgets and rules were gone through, with which reading of the bill, and when the rules were.

        `due_at`: when the next evaluation is due.
        """
        ...

    async def due_evaluations(self, now: datetime, *, after: str, limit: int) -> list[str]:
        """The first ids after `after`, in order, of the sources whose evaluation is due."""
        ...

    async def note_still_evaluated(self, now: datetime) -> None:
        """Notes of every source whose evaluation is not due that it is as good as new; passes over what others hold."""
        ...

    async def ahead(self, now: datetime) -> list[str]:
        """Ids of enabled sources that were read, or are due, later than a clock that shows `now` could have it."""
        ...

    async def take_fence(self, source_id: str) -> int:
        """A new fence, larger than all before."""
        ...

    async def hold_fence(self, source_id: str, fence: int) -> None:
        """Locks the source's state until the transaction ends. Raises FenceLost."""
        ...

    async def claim_due(self, now: datetime, besides: Collection[str] = ()) -> list[str]:
        """Ids of enabled sources that are due, each moved on to its next poll; skips what others hold.

        Those in `besides` keep their due time and are not returned.
        """
        ...


class Polls(Protocol):
    async def add(self, poll: Poll) -> None: ...

    async def get(self, poll_id: str) -> Poll: ...

    async def save(self, poll: Poll) -> None: ...

    async def record(self, poll_id: str, outcome: ReportOutcome) -> None: ...

    async def page(self, source_id: str, *, limit: int, cursor: str | None) -> Page[Poll]:
        """Newest first."""
        ...

    async def unfinished(self, source_id: str) -> list[Poll]:
        """Polls that are queued or running, backfills too, oldest first."""
        ...

    async def running_backfills(self) -> list[Poll]: ...

    async def backfills(self, source_id: str) -> list[Poll]:
        """Those of a source in every state, oldest first."""
        ...

    async def jobless(self) -> list[str]:
        """Ids of sources with a poll that is queued or running and has no job; a backfill is none."""
        ...

    async def waited_for(self, since: datetime, until: datetime) -> set[str]:
        """Ids of sources with a poll in the queue that was requested between these; a backfill is none."""
        ...

    async def forget(self, before: datetime) -> bool:
        """Retention: drops some of those that ended before that, the oldest. Whether there may be more of them."""
        ...

    async def newest_finished(self, source_id: str) -> str | None:
        """The id of the newest poll that has ended, a backfill too."""
        ...

    async def last_finished(self, source_id: str, until: datetime) -> datetime | None:
        """When the newest poll that had ended by an instant ended."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """A workspace, model or key, as the directory and the facts know it."""

    id: str
    name: str
    source_id: str
    first_seen_at: datetime
    last_seen_at: datetime
    workspace: str = ""
    status: str = ""
    unpriced_tokens: int = 0


class DirectoryStore(Protocol):
    async def replace(self, source_id: str, directory: Directory, now: datetime) -> Changes: ...

    async def note_cells(self, source_id: str, cells: Iterable[Cell], now: datetime) -> None:
        """Remembers workspaces, models and keys that facts name and the directory may not."""
        ...

    async def note_named(self, source_id: str, named: Names, now: datetime) -> None:
        """Remembers members that a report names, and what it calls them."""
        ...

    async def forget_names(self, source_id: str, dimension: Dimension) -> None:
        """Drops all that is remembered of a dimension's members."""
        ...

    async def names(self, source_id: str, keys: Collection[ScopeKey]) -> Names:
        """Names of these members, as far as they have any."""
        ...

    async def workspaces(self, source_id: str) -> list[Seen]: ...

    async def models(self, source_id: str) -> list[Seen]: ...

    async def api_keys(self, source_id: str) -> list[Seen]: ...

    async def spenders(self, source_id: str, dimension: Dimension) -> list[Seen]:
        """The actors or products that bills have named."""
        ...
