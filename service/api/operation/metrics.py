"""`/metrics` for Prometheus. Money and names need a viewer's token."""

from __future__ import annotations

from collections import Counter as Tally
from datetime import datetime, timedelta
from time import perf_counter
from typing import cast

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.http.deps import NowDep, PortsDep, VisitorDep, in_one_transaction
from service.api.operation.recent import Recent
from service.domain.notify.undelivered import NO_SOURCE
from service.domain.spend.lateness import is_stale
from service.workflows.budgets import budget_statuses
from service.workflows.ports.unit_of_work import UnitOfWork

KEPT = timedelta(seconds=5)
"""Real time for which a scrape's figures are kept: asking all the time costs the database no more."""

router = APIRouter(tags=["Operations"])


class RequestMetrics:
    """ASGI middleware that counts and times requests. A route is its template, never a path with ids."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self.app = app
        labels = ("method", "route", "status")
        self.requests = Counter("tocsin_http_requests", "Answered requests", labels, registry=registry)
        self.seconds = Histogram("tocsin_http_request_seconds", "Time to answer", labels[:2], registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, begun = 500, perf_counter()

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, note_status)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in METHODS else "other"
            self.requests.labels(method, route, str(status)).inc()
            self.seconds.labels(method, route).observe(perf_counter() - begun)


POLLS_LOOKED_AT = 10
"""For one that has finished."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
async def metrics(request: Request, ports: PortsDep, now: NowDep, visitor: VisitorDep) -> Response:
    scrapes = cast("Scrapes", request.app.state.scrapes)
    kept, read = (scrapes.counts, _counts) if visitor is None else (scrapes.figures, _figures)
    stored = await kept.get(lambda: in_one_transaction(ports, lambda uow: read(uow, now)))
    process = cast("CollectorRegistry", request.app.state.registry)
    return Response(generate_latest(process) + stored, media_type=CONTENT_TYPE_LATEST)


class Scrapes:
    """The figures from the database as they were read last: without names for strangers, with them for viewers."""

    def __init__(self, keep: timedelta) -> None:
        self.counts, self.figures = Recent[bytes](keep), Recent[bytes](keep)


async def _counts(uow: UnitOfWork, now: datetime) -> bytes:
    return generate_latest(await _counted(uow, now))


async def _figures(uow: UnitOfWork, now: datetime) -> bytes:
    registry = await _counted(uow, now)
    await _name_rule_failures(registry, uow)
    await _name_sources(registry, uow, now)
    await _name_budgets(registry, uow, now)
    return generate_latest(registry)


async def _counted(uow: UnitOfWork, now: datetime) -> CollectorRegistry:
    registry = CollectorRegistry()
    await _count_sources(registry, uow, now)
    await _count_notices(registry, uow)
    await _count_alerts(registry, uow)
    await _count_notifications(registry, uow, now)
    await _count_jobs(registry, uow)
    await _count_rule_failures(registry, uow)
    await _count_chart_failures(registry, uow)
    return registry


async def _count_sources(registry: CollectorRegistry, uow: UnitOfWork, now: datetime) -> None:
    sources = await uow.sources.all()
    states = [await uow.polling_states.get(source.id) for source in sources if source.spec.enabled]
    Gauge("tocsin_sources", "Enabled sources", registry=registry).set(len(states))
    stale = sum(1 for state in states if is_stale(state, now))
    Gauge("tocsin_sources_stale", "Enabled sources that have gone blind", registry=registry).set(stale)
    lags = [(now - state.last_success_at).total_seconds() for state in states if state.last_success_at]
    Gauge("tocsin_poll_lag_seconds", "Longest time since a source's last good poll", registry=registry).set(
        max(lags, default=0)
    )


async def _count_notices(registry: CollectorRegistry, uow: UnitOfWork) -> None:
    gauge = Gauge("tocsin_report_notices", "Notices of the sources' newest polls", registry=registry)
    for source in await uow.sources.all():
        newest = (await uow.polls.page(source.id, limit=POLLS_LOOKED_AT, cursor=None)).items
        finished = next((poll for poll in newest if poll.finished_at is not None), None)
        gauge.inc(sum(len(outcome.notices) for outcome in finished.reports) if finished else 0)


async def _count_alerts(registry: CollectorRegistry, uow: UnitOfWork) -> None:
    gauge = Gauge("tocsin_alerts_open", "Open alerts", ("severity", "state"), registry=registry)
    tally: Tally[tuple[str, str]] = Tally()
    for source_id in [*await uow.polling_states.all_ids(), NO_SOURCE]:
        alerts = await uow.alerts.open(source_id)
        tally.update((alert.severity.value, alert.state.value) for alert in alerts)
    for (severity, state), count in tally.items():
        gauge.labels(severity, state).set(count)


async def _count_notifications(registry: CollectorRegistry, uow: UnitOfWork, now: datetime) -> None:
    dead, oldest = await uow.channel_health.dead_and_oldest()
    Gauge("tocsin_notifications_dead", "Messages that were given up", registry=registry).set(dead)
    waited = (now - oldest).total_seconds() if oldest else 0
    Gauge(
        "tocsin_notifications_unsent_oldest_seconds", "How long the oldest waiting message waits", registry=registry
    ).set(max(waited, 0))


async def _count_jobs(registry: CollectorRegistry, uow: UnitOfWork) -> None:
    due = Gauge("tocsin_jobs_due", "Jobs that wait though their time has come", ("kind",), registry=registry)
    oldest = Gauge("tocsin_jobs_due_oldest_seconds", "How long the oldest of them waits", ("kind",), registry=registry)
    for jobs in await uow.jobs.due():
        due.labels(jobs.kind).set(jobs.count)
        oldest.labels(jobs.kind).set(max(jobs.oldest.total_seconds(), 0))


async def _count_rule_failures(registry: CollectorRegistry, uow: UnitOfWork) -> None:
    failures = Counter("tocsin_rule_failures", "Series that a rule could not judge for a defect", registry=registry)
    failures.inc(sum(failure.count for failure in await uow.rule_failures.all()))


async def _count_chart_failures(registry: CollectorRegistry, uow: UnitOfWork) -> None:
    failures = Counter("tocsin_chart_failures", "Charts that could not be drawn", registry=registry)
    failures.inc(await uow.chart_failures.count())


async def _name_rule_failures(registry: CollectorRegistry, uow: UnitOfWork) -> None:
    names = {rule.id: rule.name for rule in await uow.rules.all()}
    counter = Counter("tocsin_rule_scope_failures", "The same by rule and scope", ("rule", "scope"), registry=registry)
    for failure in await uow.rule_failures.all():
        counter.labels(names.get(failure.rule_id, failure.rule_id), str(failure.scope)).inc(failure.count)


async def _name_sources(registry: CollectorRegistry, uow: UnitOfWork, now: datetime) -> None:
    gauge = Gauge("tocsin_source_poll_lag_seconds", "Time since the last good poll", ("source",), registry=registry)
    for source in await uow.sources.all():
        last = (await uow.polling_states.get(source.id)).last_success_at
        if last is not None:
            gauge.labels(source.name).set((now - last).total_seconds())


async def _name_budgets(registry: CollectorRegistry, uow: UnitOfWork, now: datetime) -> None:
    labels = ("budget", "scope", "period_start")
    spent = Gauge("tocsin_budget_spent_dollars", "Best-known spend", labels, registry=registry)
    estimated = Gauge("tocsin_budget_estimated_dollars", "The part not billed yet", labels, registry=registry)
    amount = Gauge("tocsin_budget_amount_dollars", "The budget", labels, registry=registry)
    for budget in await uow.budgets.all():
        for status in await budget_statuses(uow, budget, now):
            place = (budget.name, str(status.scope), status.period.window.start.isoformat())
            # Prometheus knows floats only; these copies are for graphs, no decision is made from them.
            spent.labels(*place).set(float(status.spent.total.usd))
            estimated.labels(*place).set(float(status.spent.estimated.usd))
            amount.labels(*place).set(float(status.terms.amount.usd))
