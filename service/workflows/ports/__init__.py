"""What the workflows need from the world outside, as Protocols that the adapters implement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service.domain.budgets.budget import Budget
from service.domain.digests.digest import DigestPlan
from service.domain.notify.escalation import EscalationPolicy, PlannedStep
from service.domain.notify.receivers import Receiver
from service.domain.notify.rotas import Rota
from service.domain.notify.routing.routes import RouteTable
from service.domain.notify.routing.silences import Silence
from service.domain.rules.planned import PlannedActivity
from service.domain.rules.rule import Rule
from service.domain.slack.requests import SlackUsers
from service.domain.sources.pricing import PriceBook, PriceOverride
from service.domain.sources.source import Source
from service.workflows.ports.delivering import ChannelHealth, Heartbeat, HeartbeatError
from service.workflows.ports.digesting import DigestRuns
from service.workflows.ports.drawing import ChartError, ChartFailures, Charts, Signer
from service.workflows.ports.egress import AddressCheck, Egress, EgressRefused
from service.workflows.ports.gathering import Groups, Listing, Summary
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
from service.workflows.ports.ringing import Firing, LastTold, Rings
from service.workflows.ports.ruling import Backtests, Episodes, FeedbackStore, RuleFailure, RuleFailures, Verdicts
from service.workflows.ports.scheduling import Cron
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
    "ChannelHealth",
    "Channels",
    "ChartError",
    "ChartFailures",
    "Charts",
    "Claimed",
    "Clock",
    "CostSource",
    "Cron",
    "Crossings",
    "DayInputs",
    "DeliveryError",
    "DigestRuns",
    "Directory",
    "DirectoryStore",
    "Egress",
    "EgressRefused",
    "Episodes",
    "Facts",
    "FeedbackStore",
    "Feeds",
    "FenceLost",
    "Firing",
    "Groups",
    "Heartbeat",
    "HeartbeatError",
    "IdempotencyKeys",
    "Jobs",
    "LastTold",
    "Listing",
    "NotificationFilter",
    "Notifications",
    "Organization",
    "Polls",
    "Ports",
    "PriceBooks",
    "Resources",
    "Rings",
    "RuleFailure",
    "RuleFailures",
    "Seen",
    "Signer",
    "SourceConnector",
    "SourceError",
    "Stamp",
    "Storage",
    "StorageUnavailable",
    "Summary",
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

    async def wake(self, alert_id: str, at: datetime) -> None:
        """The end of a snooze; at most one waits per alert and instant."""
        ...

    async def step(self, planned: PlannedStep, at: datetime) -> None:
        """One step of an escalation."""
        ...

    async def digest(self, run_id: str, at: datetime) -> None:
        """At most one waits per run and instant."""
        ...


class UnitOfWork(Protocol):
    """One transaction. Leaving its block normally commits; any exception rolls back."""

    sources: Resources[Source]
    budgets: Resources[Budget]
    receivers: Resources[Receiver]
    routes: Resources[RouteTable]
    silences: Resources[Silence]
    prices: Resources[PriceOverride]
    rules: Resources[Rule[object]]
    planned: Resources[PlannedActivity]
    slack_users: Resources[SlackUsers]
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
    policies: Resources[EscalationPolicy]
    rotas: Resources[Rota]
    digests: Resources[DigestPlan]
    digest_runs: DigestRuns
    notifications: Notifications
    groups: Groups
    rings: Rings
    channel_health: ChannelHealth
    chart_failures: ChartFailures
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
    cron: Cron
    charts: Charts
    signer: Signer
