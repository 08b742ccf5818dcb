"""The labels of an alert, from what is stored about its source and its budget or rule."""

from __future__ import annotations

from dataclasses import replace

from service.domain.alerts.alert import Alert
from service.domain.alerts.evidence import BudgetEvidence, RuleEvidence
from service.domain.notify.routing.labels import Labels, Origin, labels_of
from service.domain.values.errors import NotFound
from service.domain.values.names import Names
from service.domain.values.scopes import Dimension, Scope, ScopeKey
from service.workflows.ports.unit_of_work import UnitOfWork


async def label(uow: UnitOfWork, alert: Alert) -> Labels:
    """What routes and silences are matched with. What has been deleted is left out."""
    keys = await uow.directory.api_keys(alert.source_id)
    workspaces = await uow.directory.workspaces(alert.source_id)
    names: Names = {
        **{ScopeKey(Dimension.WORKSPACE, one.id): one.name for one in workspaces},
        **{ScopeKey(Dimension.API_KEY, one.id): one.name for one in keys},
    }
    sources = {one.id: one for one in await uow.sources.all()}
    source = sources.get(alert.source_id)
    origin = await _origin(uow, alert) or Origin(labels=source.labels if source else None)
    home = [one.workspace for one in keys if alert.scope == ScopeKey(Dimension.API_KEY, one.id) and one.workspace]
    if home:
        origin = replace(origin, scope=replace(origin.scope, workspaces=tuple(home)))
    return labels_of(alert, source.name if source else "", origin, names)


async def _origin(uow: UnitOfWork, alert: Alert) -> Origin | None:
    evidence = alert.evidence
    try:
        if isinstance(evidence, BudgetEvidence):
            budget = await uow.budgets.get(evidence.budget_id)
            return Origin(budget.name, budget.labels, budget.spec.scope)
        if isinstance(evidence, RuleEvidence):
            rule = await uow.rules.get(evidence.rule_id)
            return Origin(rule.name, rule.labels, rule.spec.scope)
    except NotFound:
        return Origin(scope=Scope())
    return None
