"""The REST API as one ASGI application."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry

from service.api import (
    alerts,
    audit_events,
    backtests,
    budget_status,
    budgets,
    calendars,
    charts,
    digests,
    directory,
    escalation_policies,
    explanations,
    feedback,
    forecasts,
    metrics,
    notifications,
    planned_activities,
    polls,
    prices,
    probes,
    receivers,
    rotas,
    routes,
    rule_kinds,
    rule_preview,
    rules,
    silences,
    slack_interactions,
    slack_users,
    sources,
    spend,
    tokens,
)
from service.api.bodies import BodyLimit
from service.api.deps import known_query
from service.api.documentation import document
from service.api.metrics import RequestMetrics
from service.api.once import Replay, answer_again
from service.api.probes import Readiness
from service.api.problems import answer_with_problems
from service.api.slack_interactions import NotFromSlack, answer_not_from_slack
from service.workflows.ports import Ports
from service.workflows.slack_door import SlackDoor

ROUTERS: tuple[APIRouter, ...] = (
    sources.router,
    polls.router,
    directory.router,
    calendars.router,
    charts.router,
    digests.router,
    spend.router,
    forecasts.router,
    budgets.router,
    budget_status.router,
    rule_preview.router,
    rules.router,
    rule_kinds.router,
    planned_activities.router,
    alerts.router,
    feedback.router,
    explanations.router,
    backtests.router,
    notifications.router,
    receivers.router,
    escalation_policies.router,
    rotas.router,
    routes.router,
    silences.router,
    slack_users.router,
    slack_interactions.router,
    prices.router,
    tokens.router,
    audit_events.router,
    probes.router,
    metrics.router,
)


_API = APIRouter()
"""All of them. FastAPI makes an included route ready at its first request, ten milliseconds each: once for all apps."""
for _router in ROUTERS:
    _API.include_router(_router, dependencies=[known_query])


def create_app(
    ports: Ports, *, ready: Readiness, registry: CollectorRegistry | None = None, slack: SlackDoor | None = None
) -> FastAPI:
    """The API over `ports`. `registry` takes the requests' metrics, and `/metrics` shows what else is in it.

    `slack` is how people in Slack come in; without it they do not.
    """
    registry = registry or CollectorRegistry()
    app = FastAPI(routes=_API.routes, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.ports, app.state.ready, app.state.registry, app.state.slack = ports, ready, registry, slack
    answer_with_problems(app)
    app.add_exception_handler(Replay, answer_again)
    app.add_exception_handler(NotFromSlack, answer_not_from_slack)
    app.add_middleware(BodyLimit)
    app.add_middleware(RequestMetrics, registry=registry)
    document(app)
    return app
