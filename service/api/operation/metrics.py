"""`/metrics` for Prometheus. Money and names need a viewer's token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from time import perf_counter
from typing import cast

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.http.deps import NowDep, PortsDep, VisitorDep, in_one_transaction
from service.api.operation.figures import Scrape, count_all, name_all
from service.api.operation.recent import Recent
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


def watch_pools(registry: CollectorRegistry, pools: Mapping[str, Callable[[], tuple[int, int]]]) -> None:
    """Shows how many connections of each pool are in use, and how many there may be, at each scrape."""
    in_use = Gauge("tocsin_database_connections_in_use", "Connections in use", ("pool",), registry=registry)
    most = Gauge("tocsin_database_connections_limit", "Connections there may be", ("pool",), registry=registry)
    for name, use in pools.items():
        in_use.labels(name).set_function(partial(lambda use: use()[0], use))
        most.labels(name).set(use()[1])


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
    figures = Scrape()
    await count_all(figures, uow, now)
    return generate_latest(figures.registry)


async def _figures(uow: UnitOfWork, now: datetime) -> bytes:
    figures = Scrape()
    await count_all(figures, uow, now)
    await name_all(figures, uow, now)
    return generate_latest(figures.registry)
