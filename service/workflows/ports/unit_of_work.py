"""The unit of work, which is one transaction, and the ports of the workflows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from service.domain.backtest.stretches import ONE_BY_ONE, Hands
from service.domain.notify.escalation import PlannedStep
from service.domain.sources.pricing import PriceBook, PriceOverride
from service.workflows.ports.access import AuditLog, IdempotencyKeys, Tokens
from service.workflows.ports.alerts import Alerts, BudgetFailures, Crossings, Watches
from service.workflows.ports.channels import Channels
from service.workflows.ports.configuration import Configuration
from service.workflows.ports.identity import PeopleAccess
from service.workflows.ports.notify import (
    ChannelHealth,
    ChartFailures,
    DigestRuns,
    Groups,
    Notifications,
    NotifiedChannels,
)
from service.workflows.ports.operation import Diagnostics, Measures, Punctuality
from service.workflows.ports.outages import Outages
from service.workflows.ports.platform import Charts, Clock, Cron, Egress, Signer, Vault
from service.workflows.ports.rules import Backtests, Calibrations, Episodes, FeedbackStore, RuleFailures, Verdicts
from service.workflows.ports.sources import (
    BucketFingerprints,
    ClaudeCodeStore,
    Completeness,
    DirectoryStore,
    PollingStates,
    Polls,
    SourceConnector,
)
from service.workflows.ports.spans import NoSpans, Spans
from service.workflows.ports.spend import Facts, Storage


@dataclass(frozen=True, slots=True)
class DueJobs:
    """The jobs of one kind that wait though their time has come; `oldest` is how long the first has, in real time."""

    kind: str
    count: int
    oldest: timedelta


class Jobs(Protocol):
    """The queue. A job deferred here exists exactly when the transaction commits."""

    async def due(self) -> list[DueJobs]:
        """Returns every kind, those of which none waits too."""
        ...

    async def poll(self, source_id: str, poll_id: str) -> None: ...

    async def backfill(self, source_id: str, poll_id: str) -> None: ...

    async def has_poll(self, poll_id: str) -> bool:
        """Whether a poll's job waits or runs."""
        ...

    async def evaluate(self, *source_ids: str) -> None:
        """At most one waits per source."""
        ...

    async def deliver(self, at: datetime | None = None) -> None:
        """At most one waits per instant, and one that is to run at once: `at` is None."""
        ...

    async def backtest(self, backtest_id: str) -> None:
        """One runs at a time, when nothing else waits."""
        ...

    async def wake(self, alert_id: str, at: datetime | None = None) -> None:
        """The end of a snooze; at most one waits per alert and instant. None: at once."""
        ...

    async def steps(self, planned: Iterable[tuple[PlannedStep, datetime]]) -> None:
        """Steps of escalations, each at its own time."""
        ...

    async def steps_before(self, planned: PlannedStep) -> set[tuple[int, int]]:
        """The round and step of each earlier step of the same chain and policy that waits or runs, but for those that
        have failed."""
        ...

    async def digest(self, run_id: str, at: datetime | None = None) -> None:
        """At most one waits per run and instant. None: at once."""
        ...

    async def forget_traces(self) -> None:
        """Drops the traces of jobs that nobody continued: workers without OpenTelemetry ran them."""
        ...


class UnitOfWork(Configuration, Protocol):
    """One transaction. Leaving its block normally commits; any exception rolls back."""

    polling_states: PollingStates
    facts: Facts
    fingerprints: BucketFingerprints
    completeness: Completeness
    directory: DirectoryStore
    claude_code: ClaudeCodeStore
    polls: Polls
    crossings: Crossings
    budget_failures: BudgetFailures
    watches: Watches
    episodes: Episodes
    verdicts: Verdicts
    feedback: FeedbackStore
    rule_failures: RuleFailures
    backtests: Backtests
    calibrations: Calibrations
    alerts: Alerts
    digest_runs: DigestRuns
    notifications: Notifications
    groups: Groups
    notified: NotifiedChannels
    channel_health: ChannelHealth
    chart_failures: ChartFailures
    tokens: Tokens
    audit: AuditLog
    idempotency: IdempotencyKeys
    jobs: Jobs
    punctuality: Punctuality
    measures: Measures
    diagnostics: Diagnostics

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
    outages: Outages = field(default_factory=Outages)
    spans: Spans = field(default_factory=NoSpans)
    people: PeopleAccess | None = None
    hands: Hands = ONE_BY_ONE
