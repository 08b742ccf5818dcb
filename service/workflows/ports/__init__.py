"""What the workflows need from the world outside, as Protocols that the adapters implement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service.domain.budgets import Budget
from service.domain.pricing import PriceBook, PriceOverride
from service.domain.receivers import Receiver, RouteTable
from service.domain.rules.planned import PlannedActivity
from service.domain.rules.rule import Rule
from service.domain.sources import Source
from service.workflows.ports.egress import AddressCheck, Egress, EgressRefused
from service.workflows.ports.keeping import (
    AlertFilter,
    Alerts,
    AuditLog,
    Claimed,
    Crossings,
    Feeds,
    FenceLost,
    IdempotencyKeys,
    NotificationFilter,
    Notifications,
    Polls,
    Resources,
    StorageUnavailable,
    Tokens,
    Watches,
)
from service.workflows.ports.knowing import Changes, DayInputs, DirectoryStore, Facts, Seen, Stamp, Storage
from service.workflows.ports.reading import (
    ApiKeyName,
    CostSource,
    Directory,
    Organization,
    SourceConnector,
    SourceError,
    WorkspaceName,
)
from service.workflows.ports.ruling import Backtests, Episodes, FeedbackStore, RuleFailure, RuleFailures, Verdicts
from service.workflows.ports.telling import Channel, Channels, DeliveryError, Vault, VaultError

__all__ = [
    "AddressCheck",
    "AlertFilter",
    "Alerts",
    "ApiKeyName",
    "AuditLog",
    "Backtests",
    "Changes",
    "Channel",
    "Channels",
    "Claimed",
    "Clock",
    "CostSource",
    "Crossings",
    "DayInputs",
    "DeliveryError",
    "Directory",
    "DirectoryStore",
    "Egress",
    "EgressRefused",
    "Episodes",
    "Facts",
    "FeedbackStore",
    "Feeds",
    "FenceLost",
    "IdempotencyKeys",
    "Jobs",
    "NotificationFilter",
    "Notifications",
    "Organization",
    "Polls",
    "Ports",
    "PriceBooks",
    "Resources",
    "RuleFailure",
    "RuleFailures",
    "Seen",
    "SourceConnector",
    "SourceError",
    "Stamp",
    "Storage",
    "StorageUnavailable",
    "Tokens",
    "UnitOfWork",
    "UowFactory",
    "Vault",
    "VaultError",
    "Verdicts",
    "Watches",
    "WorkspaceName",
]

Clock = Callable[[], datetime]
"""The business time: aware UTC."""


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

    async def backtest(self, backtest_id: str) -> None:
        """One runs at a time, when nothing else waits."""
        ...


class UnitOfWork(Protocol):
    """One transaction. Leaving its block normally commits; any exception rolls back."""

    sources: Resources[Source]
    budgets: Resources[Budget]
    receivers: Resources[Receiver]
    routes: Resources[RouteTable]
    prices: Resources[PriceOverride]
    rules: Resources[Rule[object]]
    planned: Resources[PlannedActivity]
    feeds: Feeds
    facts: Facts
    directory: DirectoryStore
    polls: Polls
    crossings: Crossings
    watches: Watches
    episodes: Episodes
    verdicts: Verdicts
    feedback: FeedbackStore
    rule_failures: RuleFailures
    backtests: Backtests
    alerts: Alerts
    notifications: Notifications
    tokens: Tokens
    audit: AuditLog
    idempotency: IdempotencyKeys
    jobs: Jobs

    async def become_only_writer(self) -> None:
        """Waits for other writers of the configuration to finish, and holds later ones back until the end."""
        ...


UowFactory = Callable[[], AbstractAsyncContextManager[UnitOfWork]]
PriceBooks = Callable[[Sequence[PriceOverride]], PriceBook]


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything a workflow may reach."""

    uow: UowFactory
    storage: Storage
    sources: SourceConnector
    channels: Channels
    egress: Egress
    vault: Vault
    price_book: PriceBooks
    clock: Clock
    public_url: str
