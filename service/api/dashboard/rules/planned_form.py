"""Announcing spend beforehand, and changing what was announced, by forms."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from service.api.dashboard.documents.controls import Control, ControlKind, Document, Parts
from service.api.dashboard.documents.pages import ResourcePages, editing_router
from service.api.dashboard.rules.pages import PLANNED
from service.api.dashboard.scope_controls import LABELS, SCOPE, source_controls
from service.api.rules.planned_activities import PlannedActivityShape
from service.domain.alerts.alert import Alert
from service.domain.alerts.evidence import RuleEvidence
from service.domain.rules.registry import KINDS
from service.domain.values.scopes import ORGANISATION
from service.workflows.configuration.rules import PlannedActivities
from service.workflows.ports.unit_of_work import UnitOfWork

_MEMBERS = ("workspaces", "models", "api_keys", "actors", "products")


def begun(alert: Alert, source: str) -> str:
    """Returns the address of a form that announces spend where an open alert is; empty where its rule would not expect
    it. `source` is the organisation's name.
    """
    evidence = alert.evidence
    if not (alert.is_open and isinstance(evidence, RuleEvidence) and KINDS[evidence.rule_kind].expects_planned):
        return ""
    scope = {f"{alert.scope.dimension}s": alert.scope.id} if alert.scope != ORGANISATION else {}
    return f"{PLANNED}/new?{urlencode({'source': source, **scope})}"


async def _parts(uow: UnitOfWork, document: Document) -> Parts:
    return (
        Control("/name", "Name", hint="Why, in a few words: evaluation run.", is_required=True),
        Control("/extra_amount", "Extra spend in US dollars", hint="In all, above what is usual.", is_required=True),
        Control("/starts_at", "From, UTC", ControlKind.INSTANT, "A time, or a day for its midnight.", is_required=True),
        Control("/ends_at", "Until, UTC", ControlKind.INSTANT, "At most 90 days later.", is_required=True),
        *await source_controls(uow, document),
        *SCOPE,
        Control("/comment", "Comment", ControlKind.TEXT),
        LABELS,
    )


def _fresh(given: Mapping[str, str]) -> Document:
    """Returns a new activity's document; the page of an alert begins it with what the alert is about."""
    scope: Document = {name: [given[name]] for name in _MEMBERS if given.get(name)}
    return {"scope": dict(scope), **{name: given[name] for name in ("source",) if given.get(name)}}


editing = editing_router(
    ResourcePages(
        path=PLANNED,
        place="Rules",
        kind=PlannedActivities(),
        shape=PlannedActivityShape(),
        parts=_parts,
        fresh=_fresh,
        leads_to=lambda activity: f"{PLANNED}/{activity.id}",
        advice="Rules expect so much more in this time, spread evenly over it. Budgets count what is spent, as ever.",
    )
)
