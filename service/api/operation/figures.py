"""The figures of `/metrics` that the database knows: counts for everybody, and money and names for viewers.

Each metric costs a statement at most, however many sources, budgets and alerts there are, and has at most `MOST_LINES`
lines of any label that a configuration can make many of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge

from service.domain.budgets.statuses import ScopeStatus
from service.domain.notify.channels.registry import KINDS
from service.domain.spend.lateness import is_stale
from service.domain.values.periods import Window
from service.domain.values.scopes import Dimension, Grain
from service.domain.values.utc import DAY, day_start
from service.workflows.budgets.statuses import all_statuses
from service.workflows.operation.lateness import LIMIT
from service.workflows.ports.operation import EnabledSource
from service.workflows.ports.unit_of_work import UnitOfWork

T = TypeVar("T")

MOST_LINES = 1000
RECENTLY = timedelta(minutes=10)
BY_WORKSPACE_AND_MODEL: Grain = frozenset({Dimension.WORKSPACE, Dimension.MODEL})


class Scrape:
    """Gauges of one scrape."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._left_out = self.gauge("tocsin_lines_left_out", "Lines beyond the thousandth, by metric", "metric")

    def gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def say(self, name: str, text: str, value: float) -> None:
        self.gauge(name, text).set(value)

    def bounded(self, metric: str, lines: Sequence[T]) -> Iterable[T]:
        if len(lines) > MOST_LINES:
            self._left_out.labels(metric).set(len(lines) - MOST_LINES)
        return islice(lines, MOST_LINES)


async def count_all(figures: Scrape, uow: UnitOfWork, now: datetime) -> None:
    """Adds what names nobody and no money."""
    _count_sources(figures, await uow.measures.enabled_sources(), now)
    await _count_polled(figures, uow)
    await _count_alerts(figures, uow)
    await _count_notifications(figures, uow, now)
    await _count_channels(figures, uow)
    await _count_jobs(figures, uow)
    await _count_failures(figures, uow)


async def name_all(figures: Scrape, uow: UnitOfWork, now: datetime) -> None:
    """Adds what only viewers may read."""
    _name_sources(figures, await uow.measures.enabled_sources(), now)
    await _name_rule_failures(figures, uow)
    await _name_budget_failures(figures, uow)
    await _name_budgets(figures, uow, now)
    await _name_spend(figures, uow, now)


def _count_sources(figures: Scrape, sources: Sequence[EnabledSource], now: datetime) -> None:
    states = [source.state for source in sources]
    figures.say("tocsin_sources", "Enabled sources", len(states))
    figures.say("tocsin_sources_stale", "Enabled sources that have gone blind", sum(is_stale(s, now) for s in states))
    late = sum(state.next_poll_at <= now - LIMIT for state in states)
    figures.say("tocsin_polls_late", "Enabled sources that were due five minutes ago, and that nobody polls", late)
    read = [state.last_success_at for state in states if state.last_success_at]
    figures.say("tocsin_poll_lag_seconds", "Longest time since a source's last good poll", _longest_since(read, now))
    evaluated = [state.evaluated_at for state in states if state.evaluated_at]
    age = _longest_since(evaluated, now)
    figures.say("tocsin_evaluation_age_seconds", "Longest time since an enabled source was evaluated", age)
    took = max((source.evaluation_took for source in sources if source.evaluation_took), default=timedelta())
    text = "Longest of the sources' last evaluations, in real time"
    figures.say("tocsin_evaluation_seconds", text, took.total_seconds())


def _longest_since(instants: Iterable[datetime], now: datetime) -> float:
    return max(((now - at).total_seconds() for at in instants), default=0)


async def _count_polled(figures: Scrape, uow: UnitOfWork) -> None:
    notices = figures.gauge("tocsin_report_notices", "Notices of the sources' newest polls")
    rows = figures.gauge("tocsin_poll_rows", "Rows that the sources' newest polls changed", "report", "change")
    seconds = figures.gauge("tocsin_poll_report_seconds", "Longest of the sources' newest reports", "report")
    longest: dict[str, float] = {}
    for outcome in [outcome for reports in await uow.measures.newest_polls() for outcome in reports]:
        notices.inc(len(outcome.notices))
        for change in ("added", "changed", "gone"):
            rows.labels(outcome.report.value, change).inc(getattr(outcome, change))
        longest[outcome.report.value] = max(outcome.seconds, longest.get(outcome.report.value, 0))
    for report, took in longest.items():
        seconds.labels(report).set(took)


async def _count_alerts(figures: Scrape, uow: UnitOfWork) -> None:
    gauge = figures.gauge("tocsin_alerts_open", "Open alerts", "severity", "state")
    for (severity, state), count in (await uow.measures.open_alerts()).items():
        gauge.labels(severity.value, state.value).set(count)


async def _count_notifications(figures: Scrape, uow: UnitOfWork, now: datetime) -> None:
    dead, oldest = await uow.channel_health.dead_and_oldest()
    figures.say("tocsin_notifications_dead", "Messages that were given up", dead)
    waits = _longest_since([oldest] if oldest else [], now)
    text = "How long the oldest waiting message waits"
    figures.say("tocsin_notifications_unsent_oldest_seconds", text, max(waits, 0))
    due = await uow.notifications.next_due()
    lag = _longest_since([due] if due else [], now)
    text = "How long the oldest message that may leave has been due"
    figures.say("tocsin_delivery_lag_seconds", text, max(lag, 0))
    sent = await uow.measures.waits_to_send(now - RECENTLY)
    text = "Time from due to sent of what was sent in the last ten minutes"
    took = figures.gauge("tocsin_delivery_seconds", text, "quantile")
    if sent is not None:
        for quantile, wait in (("0.5", sent.half), ("0.99", sent.most), ("1", sent.longest)):
            took.labels(quantile).set(wait.total_seconds())


async def _count_channels(figures: Scrape, uow: UnitOfWork) -> None:
    gauge = figures.gauge("tocsin_circuits_open", "Channels that rest because they refuse messages", "channel")
    rest = await uow.measures.open_circuits()
    for kind in KINDS:
        gauge.labels(kind).set(rest.get(kind, 0))


async def _count_jobs(figures: Scrape, uow: UnitOfWork) -> None:
    due = figures.gauge("tocsin_jobs_due", "Jobs that wait though their time has come", "kind")
    oldest = figures.gauge("tocsin_jobs_due_oldest_seconds", "How long the oldest of them waits", "kind")
    for jobs in await uow.jobs.due():
        due.labels(jobs.kind).set(jobs.count)
        oldest.labels(jobs.kind).set(max(jobs.oldest.total_seconds(), 0))


async def _count_failures(figures: Scrape, uow: UnitOfWork) -> None:
    text = "Series that a rule could not judge for a defect"
    rules = Counter("tocsin_rule_failures", text, registry=figures.registry)
    rules.inc(sum(failure.count for failure in await uow.rule_failures.all()))
    text = "Assessments of a budget's scope that failed for a defect"
    budgets = Counter("tocsin_budget_failures", text, registry=figures.registry)
    budgets.inc(sum(failure.count for failure in await uow.budget_failures.all()))
    charts = Counter("tocsin_chart_failures", "Charts that could not be drawn", registry=figures.registry)
    charts.inc(await uow.chart_failures.count())


def _name_sources(figures: Scrape, sources: Sequence[EnabledSource], now: datetime) -> None:
    metric = "tocsin_source_poll_lag_seconds"
    gauge = figures.gauge(metric, "Time since the last good poll", "source")
    for source in figures.bounded(metric, [source for source in sources if source.state.last_success_at]):
        gauge.labels(source.name).set(_longest_since([source.state.last_success_at or now], now))


async def _name_rule_failures(figures: Scrape, uow: UnitOfWork) -> None:
    metric = "tocsin_rule_scope_failures"
    names = await uow.rules.named()
    counter = Counter(metric, "The same by rule and scope", ("rule", "scope"), registry=figures.registry)
    for failure in figures.bounded(metric, await uow.rule_failures.all()):
        counter.labels(names.get(failure.rule_id, failure.rule_id), str(failure.scope)).inc(failure.count)


async def _name_budget_failures(figures: Scrape, uow: UnitOfWork) -> None:
    metric = "tocsin_budget_scope_failures"
    names = await uow.budgets.named()
    counter = Counter(metric, "The same by budget and scope", ("budget", "scope"), registry=figures.registry)
    for failure in figures.bounded(metric, await uow.budget_failures.all()):
        counter.labels(names.get(failure.budget_id, failure.budget_id), str(failure.scope)).inc(failure.count)


async def _name_budgets(figures: Scrape, uow: UnitOfWork, now: datetime) -> None:
    labels = ("budget", "scope", "period_start")
    spent = figures.gauge("tocsin_budget_spent_dollars", "Best-known spend", *labels)
    estimated = figures.gauge("tocsin_budget_estimated_dollars", "The part not billed yet", *labels)
    amount = figures.gauge("tocsin_budget_amount_dollars", "The budget", *labels)
    lines = [(budget.name, status) for budget, statuses in await all_statuses(uow, now) for status in statuses]
    lines.sort(key=_share, reverse=True)
    for name, status in figures.bounded("tocsin_budget_spent_dollars", lines):
        place = (name, str(status.scope), status.period.window.start.isoformat())
        # Prometheus knows floats only; these copies are for graphs, no decision is made from them.
        spent.labels(*place).set(float(status.spent.total.usd))
        estimated.labels(*place).set(float(status.spent.estimated.usd))
        amount.labels(*place).set(float(status.terms.amount.usd))


async def _name_spend(figures: Scrape, uow: UnitOfWork, now: datetime) -> None:
    metric = "tocsin_spend_month_dollars"
    gauge = figures.gauge(metric, "Best-known spend of the UTC month so far", "source", "workspace", "model")
    sources = await uow.sources.named()
    window = Window(day_start(now).replace(day=1), day_start(now) + DAY)
    spent = await uow.facts.spend_of(sources, window, now, BY_WORKSPACE_AND_MODEL)
    names = await uow.measures.workspace_names()
    lines = [(source, cell, one.total) for source, cells in spent.items() for cell, one in cells.items() if one.total]
    lines.sort(key=lambda line: line[2], reverse=True)
    for source, cell, total in figures.bounded(metric, lines):
        workspace = names.get((source, cell.workspace), cell.workspace)
        gauge.labels(sources[source], workspace, cell.model).set(float(total.usd))


def _share(line: tuple[str, ScopeStatus]) -> tuple[bool, float]:
    """Orders what is most used up first; budgets of $0 before all."""
    _, status = line
    return status.percent is None, float(status.percent or 0)
