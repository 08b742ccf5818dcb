"""Charts of alerts: gathering what they show."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from service.domain.alerts.alert import Alert, AlertEvent
from service.domain.alerts.evidence import BudgetEvidence, KeptBucket, OriginKind, OriginRef, RuleEvidence
from service.domain.charts.alert import anomaly_chart, buckets_chart, budget_chart, rule_chart, spend_so_far
from service.domain.charts.chart import Chart
from service.domain.rules.registry import KINDS
from service.domain.spend.questions import SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.errors import NotFound
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Scope
from service.workflows.charts.judged_band import band_of, judged_at
from service.workflows.charts.kept import amounts_of, figures_of, line_question
from service.workflows.ports.unit_of_work import UnitOfWork

DAY = timedelta(days=1)
HISTORY = 28
"""Days before the judged ones that a rule's chart shows."""


async def chart_of(uow: UnitOfWork, event: AlertEvent) -> Chart | None:
    """An alert's chart as of one event; None for one that is not about spend.

    It shows what people were told last by then, as it was known just then. Alerts of releases that did not keep it are
    drawn by what is known now: an anomaly's judges are asked again.
    """
    draw = CHARTS.get(event.alert.kind)
    return await draw(uow, await _told(uow, event)) if draw else None


async def _told(uow: UnitOfWork, event: AlertEvent) -> AlertEvent:
    """The newest event up to this one that keeps what its picture shows; else the event itself."""
    events = reversed(await uow.alerts.events(event.alert.id))
    upto = (one for one in events if one.alert.version <= event.alert.version)
    return next((one for one in upto if one.alert.evidence.buckets), event)


async def _chart_of_budget(uow: UnitOfWork, event: AlertEvent) -> Chart:
    evidence = event.alert.evidence
    assert isinstance(evidence, BudgetEvidence)
    return budget_chart(evidence, evidence.buckets or await _spend_so_far(uow, event, evidence), event.at)


async def _spend_so_far(uow: UnitOfWork, event: AlertEvent, evidence: BudgetEvidence) -> Sequence[KeptBucket]:
    scope, about = await _scope(uow, evidence.origin), event.alert.scope
    question = line_question(event.alert.source_id, evidence, scope, about.dimension, event.at)
    return spend_so_far(evidence, amounts_of(about, await figures_of(uow, question)))


async def _chart_of_rule(uow: UnitOfWork, event: AlertEvent) -> Chart | None:
    evidence = event.alert.evidence
    assert isinstance(evidence, RuleEvidence)
    kind = KINDS.get(evidence.rule_kind)
    if not evidence.days or (kind is not None and not kind.judges_bill):
        return None
    if evidence.buckets:
        return buckets_chart(evidence, evidence.buckets, event.at)
    at = await judged_at(uow, event)
    judged = await band_of(uow, event, evidence)
    if any(one.high is not None for one in judged) or (judged and evidence.hour is not None):
        return anomaly_chart(evidence, judged, at)
    scope = await _scope(uow, evidence.origin)
    window = Window(_midnight(min(evidence.days) - HISTORY * DAY), _midnight(max(evidence.days) + DAY))
    return rule_chart(evidence, await _by_day(uow, event.alert, scope, window), at)


CHARTS: Mapping[str, Callable[[UnitOfWork, AlertEvent], Awaitable[Chart | None]]] = {
    "budget": _chart_of_budget,
    "rule": _chart_of_rule,
}
"""The kinds of alert that have a chart."""


async def _scope(uow: UnitOfWork, origin: OriginRef) -> Scope:
    """The spend that the budget or rule counts; everything where it has been deleted."""
    store = uow.budgets if origin.kind is OriginKind.BUDGET else uow.rules
    try:
        return (await store.get(origin.id)).spec.scope
    except NotFound:
        return Scope()


async def _by_day(uow: UnitOfWork, alert: Alert, scope: Scope, window: Window) -> Mapping[date, Money]:
    """Spend by UTC day of what the alert is about."""
    question = SpendQuestion(alert.source_id, window, Width.DAY, scope, alert.scope.dimension)
    found = amounts_of(alert.scope, await figures_of(uow, question))
    return {start.date(): amount for start, amount in found.items()}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
