"""The REST API as one ASGI application."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry

from service.api import (
    access,
    alerts,
    backtest,
    budgets,
    charts,
    configuration,
    dashboard,
    digests,
    explain,
    notify,
    operation,
    rules,
    slack,
    sources,
    spend,
)
from service.api.alerts import page
from service.api.dashboard.documents.refused import answer_with_forms
from service.api.dashboard.session import answer_with_pages
from service.api.digests import page as digest_page
from service.api.http.abandoned import Abandoned
from service.api.http.bodies import DEADLINE, WholeBodies
from service.api.http.deps import known_query, sound_json
from service.api.http.documentation import document
from service.api.http.headers import SafeHeaders
from service.api.http.idempotency import Replayed, answer_again
from service.api.http.paths import RawPath
from service.api.http.problems import answer_with_problems
from service.api.http.refusals import Refusals
from service.api.notify import tested
from service.api.operation.metrics import KEPT, RequestMetrics, Scrapes
from service.api.operation.probes import LateFound, Readiness
from service.api.operation.recent import Recent
from service.api.operation.spans import RequestSpans
from service.api.slack.interactions import NotFromSlack, answer_not_from_slack
from service.workflows.ports.unit_of_work import Ports
from service.workflows.slack.requests import SlackAccess

ROUTERS: tuple[APIRouter, ...] = (
    *sources.ROUTERS,
    *spend.ROUTERS,
    *budgets.ROUTERS,
    *rules.ROUTERS,
    *alerts.ROUTERS,
    charts.router,
    explain.router,
    *backtest.ROUTERS,
    *notify.ROUTERS,
    *digests.ROUTERS,
    *slack.ROUTERS,
    *access.ROUTERS,
    *configuration.ROUTERS,
    *operation.ROUTERS,
)
"""The routes of each room."""


def combine(routers: Iterable[APIRouter]) -> APIRouter:
    """Returns one router of many, which refuses queries and bodies that could be read otherwise than they are meant."""
    combined = APIRouter()
    for router in routers:
        combined.include_router(router, dependencies=[known_query, sound_json])
    return combined


_API = combine(ROUTERS)
for pages in (page.router, digest_page.router, tested.router, *dashboard.ROUTERS):
    _API.include_router(pages)  # mail programs add queries of their own to a link
"""FastAPI prepares an included route at its first request, in ten milliseconds each: once for all apps."""


def create_app(
    ports: Ports,
    *,
    ready: Readiness,
    registry: CollectorRegistry | None = None,
    slack: SlackAccess | None = None,
    api: APIRouter = _API,
    body_deadline: timedelta = DEADLINE,
    metrics_kept: timedelta = KEPT,
) -> FastAPI:
    """Returns the API over `ports`. `registry` takes the requests' metrics, and `/metrics` shows all that is in it.

    `slack` lets in what people in Slack press and type; None refuses it. A body has `body_deadline` to arrive.
    What `/metrics` and `/readyz` read from the database is kept for `metrics_kept`.
    """
    registry = registry or CollectorRegistry()
    app = FastAPI(routes=api.routes, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.ports, app.state.ready, app.state.registry, app.state.slack = ports, ready, registry, slack
    app.state.scrapes = Scrapes(metrics_kept)
    late: LateFound = Recent(metrics_kept)
    app.state.late = late
    answer_with_problems(app)
    answer_with_pages(app)
    answer_with_forms(app)
    app.add_exception_handler(Replayed, answer_again)
    app.add_exception_handler(NotFromSlack, answer_not_from_slack)
    app.add_middleware(Abandoned)
    app.add_middleware(WholeBodies, deadline=body_deadline)
    app.add_middleware(RawPath)
    app.add_middleware(SafeHeaders)
    app.add_middleware(Refusals, registry=registry)
    app.add_middleware(RequestMetrics, registry=registry)
    app.add_middleware(RequestSpans)
    document(app)
    return app
