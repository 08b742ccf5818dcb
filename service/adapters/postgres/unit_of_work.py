"""One transaction and every store that works in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.adapters.postgres.access import PostgresAuditLog, PostgresIdempotencyKeys, PostgresTokens
from service.adapters.postgres.alerts.alerts import PostgresAlerts
from service.adapters.postgres.alerts.budget_failures import PostgresBudgetFailures
from service.adapters.postgres.alerts.crossings import PostgresCrossings
from service.adapters.postgres.alerts.watches import PostgresWatches
from service.adapters.postgres.backtest import PostgresBacktests
from service.adapters.postgres.charts import PostgresChartFailures
from service.adapters.postgres.configuration import PostgresResources, RememberedResources, read_snapshot
from service.adapters.postgres.digests import PostgresDigestRuns
from service.adapters.postgres.engine import transactions
from service.adapters.postgres.notify.channel_health import PostgresChannelHealth
from service.adapters.postgres.notify.groups import PostgresGroups
from service.adapters.postgres.notify.notifications import PostgresNotifications
from service.adapters.postgres.notify.notified_channels import PostgresNotifiedChannels
from service.adapters.postgres.operation.diagnostics import PostgresDiagnostics
from service.adapters.postgres.operation.measures import PostgresMeasures
from service.adapters.postgres.operation.punctuality import PostgresPunctuality
from service.adapters.postgres.queue.jobs import PostgresJobs, ToReal
from service.adapters.postgres.queue.traces import Carried
from service.adapters.postgres.rules.calibrations import PostgresCalibrations
from service.adapters.postgres.rules.episodes import PostgresEpisodes, PostgresRuleFailures
from service.adapters.postgres.rules.feedback import PostgresFeedback
from service.adapters.postgres.rules.verdicts import PostgresVerdicts
from service.adapters.postgres.sources.completeness import PostgresCompleteness
from service.adapters.postgres.sources.directory import PostgresDirectory
from service.adapters.postgres.sources.polling_states import PostgresPollingStates
from service.adapters.postgres.sources.polls import PostgresPolls
from service.adapters.postgres.spend.facts import PostgresFacts
from service.adapters.postgres.spend.fingerprints import PostgresBucketFingerprints
from service.adapters.postgres.spend.memory.day_columns import FigureMemory
from service.adapters.postgres.spend.spenders.claude_code import PostgresClaudeCode
from service.domain.notify.routing.situation import ConfigurationSnapshot
from service.workflows.ports.access import AuditLog, IdempotencyKeys, Tokens
from service.workflows.ports.alerts import Alerts, BudgetFailures, Crossings, Watches
from service.workflows.ports.configuration import Resources
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
from service.workflows.ports.rules import Backtests, Calibrations, Episodes, FeedbackStore, RuleFailures, Verdicts
from service.workflows.ports.sources import (
    BucketFingerprints,
    ClaudeCodeStore,
    Completeness,
    DirectoryStore,
    PollingStates,
    Polls,
)
from service.workflows.ports.spans import NoSpans, Spans
from service.workflows.ports.spend import Facts
from service.workflows.ports.unit_of_work import Jobs, UnitOfWork, UowFactory

Spec = TypeVar("Spec")

_WRITERS_TURN = 0x70C5_0003
"""The advisory lock of the configuration's writers."""


class PostgresUnitOfWork(UnitOfWork):
    """The stores of one open transaction."""

    def __init__(self, connection: AsyncConnection, to_real: ToReal, memory: FigureMemory, carried: Carried) -> None:
        self.polling_states: PollingStates = PostgresPollingStates(connection)
        self.facts: Facts = PostgresFacts(connection, memory)
        self.fingerprints: BucketFingerprints = PostgresBucketFingerprints(connection)
        self.completeness: Completeness = PostgresCompleteness(connection)
        self.directory: DirectoryStore = PostgresDirectory(connection)
        self.claude_code: ClaudeCodeStore = PostgresClaudeCode(connection)
        self.polls: Polls = PostgresPolls(connection)
        self.crossings: Crossings = PostgresCrossings(connection)
        self.budget_failures: BudgetFailures = PostgresBudgetFailures(connection)
        self.watches: Watches = PostgresWatches(connection)
        self.episodes: Episodes = PostgresEpisodes(connection)
        self.verdicts: Verdicts = PostgresVerdicts(connection)
        self.feedback: FeedbackStore = PostgresFeedback(connection)
        self.rule_failures: RuleFailures = PostgresRuleFailures(connection)
        self.backtests: Backtests = PostgresBacktests(connection)
        self.calibrations: Calibrations = PostgresCalibrations(connection)
        self.alerts: Alerts = PostgresAlerts(connection)
        self.digest_runs: DigestRuns = PostgresDigestRuns(connection)
        self.notifications: Notifications = PostgresNotifications(connection)
        self.groups: Groups = PostgresGroups(connection)
        self.channel_health: ChannelHealth = PostgresChannelHealth(connection)
        self.notified: NotifiedChannels = PostgresNotifiedChannels(connection)
        self.chart_failures: ChartFailures = PostgresChartFailures(connection)
        self.tokens: Tokens = PostgresTokens(connection)
        self.audit: AuditLog = PostgresAuditLog(connection)
        self.idempotency: IdempotencyKeys = PostgresIdempotencyKeys(connection)
        self.jobs: Jobs = PostgresJobs(connection, to_real, carried)
        self.punctuality: Punctuality = PostgresPunctuality(connection)
        self.measures: Measures = PostgresMeasures(connection)
        self.diagnostics: Diagnostics = PostgresDiagnostics(connection)
        self._connection = connection
        self._is_only_writer = False
        self._remembered: dict[str, Any] = {}

    def resources(self, kind: str, spec: type[Spec]) -> Resources[Spec]:
        if not self._is_only_writer:
            return PostgresResources(self._connection, kind, spec)
        if kind not in self._remembered:
            self._remembered[kind] = RememberedResources(self._connection, kind, spec)
        remembered: Resources[Spec] = self._remembered[kind]
        return remembered

    async def snapshot(self, source_id: str, now: datetime) -> ConfigurationSnapshot:
        return await read_snapshot(self._connection, source_id, now)

    async def become_only_writer(self) -> None:
        if not self._is_only_writer:
            await self._connection.execute(select(func.pg_advisory_xact_lock(_WRITERS_TURN)))
            self._is_only_writer = True


def uow_factory(
    engine: AsyncEngine, to_real: ToReal, outages: Outages | None = None, spans: Spans | None = None
) -> UowFactory:
    """Returns how workflows open transactions.

    `to_real` turns business time into the real time at which jobs are due. `outages` are this process's, and `spans`
    are those whose trace the queued jobs continue.
    """
    memory, known, carried = FigureMemory(), outages or Outages(), (spans or NoSpans()).carried
    return transactions(engine, lambda connection: PostgresUnitOfWork(connection, to_real, memory, carried), known)
