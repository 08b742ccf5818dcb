"""The REST API as one ASGI application."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry

from service.api import charts, digests
from service.api import explain as explanations
from service.api.access import audit_events, tokens
from service.api.alerts import alerts, feedback
from service.api.backtest import backtests
from service.api.budgets import budgets
from service.api.budgets import status as budget_status
from service.api.http.bodies import BodyLimit
from service.api.http.deps import known_query
from service.api.http.documentation import document
from service.api.http.idempotency import Replayed, answer_again
from service.api.http.problems import answer_with_problems
from service.api.notify import calendars, escalation_policies, notifications, receivers, rotas, routes, silences
from service.api.operation import metrics, probes
from service.api.operation.metrics import RequestMetrics
from service.api.operation.probes import Readiness
from service.api.rules import kinds as rule_kinds
from service.api.rules import planned_activities, rules
from service.api.rules import preview as rule_preview
from service.api.slack import interactions as slack_interactions
from service.api.slack import users as slack_users
from service.api.slack.interactions import NotFromSlack, answer_not_from_slack
from service.api.sources import directory, polls, prices, sources
from service.api.spend import forecasts, spend
from service.workflows.ports.unit_of_work import Ports
from service.workflows.slack.door import SlackDoor

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
    app.add_exception_handler(Replayed, answer_again)
    app.add_exception_handler(NotFromSlack, answer_not_from_slack)
    app.add_middleware(BodyLimit)
    app.add_middleware(RequestMetrics, registry=registry)
    document(app)
    return app
