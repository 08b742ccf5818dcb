"""What the workflows need from the world outside, as Protocols that the adapters implement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol, TypeVar

from service.domain.access import AuditEvent, KeptAnswer, Token
from service.domain.alerts import Alert, AlertEvent, AlertState, Severity
from service.domain.budgets import Budget
from service.domain.crossings import Crossing
from service.domain.notifications import Delivery, Notification, NotificationState, Receipt
from service.domain.periods import Window
from service.domain.polls import Poll, ReportOutcome
from service.domain.pricing import PriceBook, PriceOverride
from service.domain.receivers import ChannelConfig, Receiver, RouteTable
from service.domain.resources import Page, Resource, Sealed
from service.domain.scopes import Cell
from service.domain.sources import Source, SourceState
from service.domain.spend import (
    BilledDay,
    Bucket,
    CostRow,
    EstimatedDay,
    Spend,
    SpendDay,
    UsageFact,
    UsageRow,
    Width,
)

Clock = Callable[[], datetime]
"""The business time: aware UTC."""

Spec = TypeVar("Spec")


# ------------------------------------------------------------------------------------------- sources of cost


class SourceError(Exception):
    """A report could not be read. `retryable` says whether asking again can help. The text is for people."""

    def __init__(self, detail: str, *, retryable: bool) -> None:
        super().__init__(detail)
        self.retryable = retryable


@dataclass(frozen=True, slots=True)
class Organization:
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


class CostSource(Protocol):
    """One organisation's reports. Each call reads a whole report, all pages, or raises SourceError."""

    async def organization(self) -> Organization: ...

    async def cost(self, window: Window) -> tuple[Bucket[CostRow], ...]:
        """Cost by UTC day. `window` starts and ends at midnight UTC; days the answer lacks are unknown."""
        ...

    async def usage(self, window: Window, width: Width) -> tuple[Bucket[UsageRow], ...]:
        """Usage by hour or minute."""
        ...

    async def directory(self) -> Directory: ...


class SourceConnector(Protocol):
    def connect(self, source: Source) -> AbstractAsyncContextManager[CostSource]: ...


# ------------------------------------------------------------------------------------------- channels


class DeliveryError(Exception):
    """A channel did not take a message. `permanent`: trying again cannot help. No secret is in the text."""

    def __init__(self, reason: str, *, permanent: bool, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.retry_after = retry_after


class Channel(Protocol):
    async def send(self, delivery: Delivery) -> Receipt:
        """Say it once. Raises DeliveryError; never retries by itself longer than a few seconds."""
        ...


class Channels(Protocol):
    def open(self, config: ChannelConfig) -> Channel: ...


class VaultError(Exception):
    """A sealed secret cannot be opened. The text says what to do, and holds no secret."""


class Vault(Protocol):
    """Seals secrets for storage and opens them for their use."""

    def seal(self, secret: str) -> Sealed: ...

    def open(self, sealed: Sealed) -> str:
        """Raises VaultError."""
        ...


# ------------------------------------------------------------------------------------------- storage


class StorageUnavailable(Exception):
    """The database cannot be reached, or not just now. Nothing of the unit of work was kept."""


class Resources(Protocol[Spec]):
    """The stored resources of one kind. Every write keeps the version it replaces."""

    async def get(self, id_or_name: str) -> Resource[Spec]:
        """Raises NotFound."""
        ...

    async def all(self) -> list[Resource[Spec]]: ...

    async def page(self, *, limit: int, cursor: str | None) -> Page[Resource[Spec]]:
        """By id, oldest first."""
        ...

    async def add(self, resource: Resource[Spec]) -> None:
        """Raises Conflict where the name is taken."""
        ...

    async def replace(self, resource: Resource[Spec]) -> None:
        """Stores version n over version n-1. Raises StaleVersion, Conflict, NotFound."""
        ...

    async def delete(self, id: str, *, version: int, now: datetime) -> None:
        """Raises StaleVersion, NotFound. The versions stay."""
        ...

    async def as_of(self, id: str, at: datetime) -> Resource[Spec] | None:
        """The version that was valid at an instant, None where there was none."""
        ...


@dataclass(frozen=True, slots=True)
class Changes:
    """What a report's rows did to the stored facts, and the UTC days whose rollups must follow."""

    added: int = 0
    changed: int = 0
    gone: int = 0
    days: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class DayInputs:
    bill: Mapping[tuple[str, str], BilledDay]
    usage: Mapping[Cell, EstimatedDay]
    settled: bool


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who learned it when: the poll and the instant it is known from."""

    source_id: str
    poll_id: str
    known_at: datetime


class Facts(Protocol):
    """Cost and usage by bucket, and the daily rollup that everything else reads."""

    async def replace_cost(self, stamp: Stamp, buckets: Sequence[Bucket[CostRow]]) -> Changes:
        """Replaces exactly these days' rows; vanished rows become $0. One revision per amount new, changed or gone.

        `days` also holds the days that became settled by being read.
        """
        ...

    async def replace_usage(self, stamp: Stamp, width: Width, buckets: Sequence[Bucket[UsageFact]]) -> Changes:
        """The same for hours (with revisions once the hour is over) or minutes (without); `days` for hours only."""
        ...

    async def day_inputs(self, source_id: str, days: Iterable[date]) -> dict[date, DayInputs]: ...

    async def store_days(self, source_id: str, days: Mapping[date, Mapping[Cell, SpendDay]]) -> None: ...

    async def spend(self, source_id: str, window: Window, now: datetime) -> dict[Cell, Spend]:
        """Best-known spend by cell in a window; boundary days not at midnight UTC are split by their hours."""
        ...

    async def days(self, source_id: str, window: Window) -> list[tuple[date, Cell, SpendDay]]: ...

    async def hours(self, source_id: str, window: Window) -> list[tuple[datetime, Cell, EstimatedDay]]: ...

    async def billed_until(self, source_id: str) -> datetime | None:
        """The end of the last settled UTC day."""
        ...

    async def estimated_until(self, source_id: str) -> datetime | None:
        """The end of the newest usage hour that is known."""
        ...


class Storage(Protocol):
    """Upkeep of the fact tables, in short transactions of its own."""

    async def make_room(self, window: Window) -> None:
        """Makes the month partitions that a write of this range needs."""
        ...

    async def forget(self, *, facts_before: date, minutes_before: datetime) -> None:
        """Retention: drops whole months, and old minutes."""
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

    async def workspaces(self, source_id: str) -> list[Seen]: ...

    async def models(self, source_id: str) -> list[Seen]: ...

    async def api_keys(self, source_id: str) -> list[Seen]: ...


class FenceLost(Exception):
    """Another poll of the same source has begun since: this one may not write any more."""


class Feeds(Protocol):
    """The polling state of each source."""

    async def get(self, source_id: str) -> SourceState: ...

    async def add(self, state: SourceState) -> None: ...

    async def all_ids(self) -> list[str]:
        """Every source that was ever polled, deleted ones too: their alerts still have to end."""
        ...

    async def save(self, state: SourceState) -> None: ...

    async def take_fence(self, source_id: str) -> int:
        """A new fence, larger than all before."""
        ...

    async def hold_fence(self, source_id: str, fence: int) -> None:
        """Locks the source's state until the transaction ends. Raises FenceLost."""
        ...

    async def claim_due(self, now: datetime) -> list[str]:
        """Ids of enabled sources that are due, each moved on to its next poll; skips what others hold."""
        ...


class Polls(Protocol):
    async def add(self, poll: Poll) -> None: ...

    async def get(self, poll_id: str) -> Poll: ...

    async def save(self, poll: Poll) -> None: ...

    async def record(self, poll_id: str, outcome: ReportOutcome) -> None: ...

    async def page(self, source_id: str, *, limit: int, cursor: str | None) -> Page[Poll]:
        """Newest first."""
        ...


class Crossings(Protocol):
    async def of(self, budget_ids: Iterable[str]) -> list[Crossing]: ...

    async def add(self, crossing: Crossing) -> bool:
        """False where this crossing was on record already."""
        ...


@dataclass(frozen=True, slots=True)
class AlertFilter:
    state: AlertState | None = None
    severity: Severity | None = None
    source_id: str | None = None
    budget_id: str | None = None
    workspace: str | None = None
    since: datetime | None = None


class Alerts(Protocol):
    async def open(self, source_id: str) -> list[Alert]: ...

    async def known(self, fingerprints: Sequence[str]) -> frozenset[str]:
        """Which of these have ever had an alert, open or resolved."""
        ...

    async def get(self, alert_id: str) -> Alert: ...

    async def save(self, event: AlertEvent) -> None:
        """Appends the event and stores its alert over version n-1. Raises Conflict where somebody moved first."""
        ...

    async def events(self, alert_id: str) -> list[AlertEvent]: ...

    async def page(self, where: AlertFilter, *, limit: int, cursor: str | None) -> Page[Alert]:
        """Newest first."""
        ...


@dataclass(frozen=True, slots=True)
class Claimed:
    """A notification taken for delivery, with the event it tells of and the channel's earlier post."""

    notification: Notification
    event: AlertEvent
    post: str | None


@dataclass(frozen=True, slots=True)
class NotificationFilter:
    alert_id: str | None = None
    state: NotificationState | None = None


class Notifications(Protocol):
    async def add(self, notification: Notification) -> bool:
        """False where the same (alert, level, channel, action, step, round) is on record already."""
        ...

    async def claim(self, *, now: datetime, limit: int, lease: timedelta) -> list[Claimed]:
        """Takes due notifications for `lease` of real time, oldest first and only the oldest of (alert, channel)."""
        ...

    async def save(self, notification: Notification, *, post: str | None) -> None:
        """Records an attempt's outcome, gives up the lease, and keeps the channel's reference."""
        ...

    async def get(self, notification_id: str) -> Notification: ...

    async def next_due(self) -> datetime | None: ...

    async def page(self, where: NotificationFilter, *, limit: int, cursor: str | None) -> Page[Notification]:
        """Newest first."""
        ...


class Tokens(Protocol):
    async def add(self, token: Token) -> None: ...

    async def find(self, digest: str) -> Token | None:
        """The live token of a SHA-256 digest."""
        ...

    async def page(self, *, limit: int, cursor: str | None) -> Page[Token]: ...

    async def revoke(self, token_id: str, now: datetime) -> None: ...


class AuditLog(Protocol):
    async def add(self, event: AuditEvent) -> None: ...

    async def page(self, *, limit: int, cursor: str | None) -> Page[AuditEvent]:
        """Newest first."""
        ...


class IdempotencyKeys(Protocol):
    """What a POST answered, kept for a day under (token, key). Never holds secrets."""

    async def find(self, token_id: str, key: str, now: datetime) -> KeptAnswer | None:
        """Locks the key until the transaction ends, so that two equal requests run one after the other."""
        ...

    async def keep(self, token_id: str, key: str, answer: KeptAnswer, now: datetime) -> None: ...


class Jobs(Protocol):
    """The queue. A job deferred here exists exactly when the transaction commits."""

    async def poll(self, source_id: str, poll_id: str) -> None: ...

    async def backfill(self, source_id: str, poll_id: str) -> None: ...

    async def evaluate(self, source_id: str) -> None:
        """At most one waits per source."""
        ...

    async def deliver(self, at: datetime) -> None:
        """At most one waits per instant."""
        ...


class UnitOfWork(Protocol):
    """One transaction. Leaving its block normally commits; any exception rolls back."""

    sources: Resources[Source]
    budgets: Resources[Budget]
    receivers: Resources[Receiver]
    routes: Resources[RouteTable]
    prices: Resources[PriceOverride]
    feeds: Feeds
    facts: Facts
    directory: DirectoryStore
    polls: Polls
    crossings: Crossings
    alerts: Alerts
    notifications: Notifications
    tokens: Tokens
    audit: AuditLog
    idempotency: IdempotencyKeys
    jobs: Jobs


UowFactory = Callable[[], AbstractAsyncContextManager[UnitOfWork]]
PriceBooks = Callable[[Sequence[PriceOverride]], PriceBook]


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything a workflow may reach."""

    uow: UowFactory
    storage: Storage
    sources: SourceConnector
    channels: Channels
    vault: Vault
    price_book: PriceBooks
    clock: Clock
    public_url: str
