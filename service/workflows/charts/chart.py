"""Charts of alerts: gathering what they show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta

from service.domain.alerts.alert import Alert, AlertEvent
from service.domain.alerts.evidence import BudgetEvidence, OriginKind, OriginRef, RuleEvidence
from service.domain.charts.alert import anomaly_chart, budget_chart, rule_chart
from service.domain.charts.chart import SHORT, Chart
from service.domain.values.errors import NotFound
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window
from service.domain.values.scopes import ORGANISATION, Cell, Scope
from service.workflows.charts.judged_band import band_of, judged_at
from service.workflows.ports.unit_of_work import UnitOfWork

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
HISTORY = 28
"""Days before the judged ones that a rule's chart shows."""


async def chart_of(uow: UnitOfWork, event: AlertEvent) -> Chart | None:
    """An alert's chart as of one event; None for one that is not about spend.

    An anomaly's days or hours are as they were known when it was judged, others as they are known now.
    """
    draw = CHARTS.get(event.alert.kind)
    return await draw(uow, event) if draw else None


async def _chart_of_budget(uow: UnitOfWork, event: AlertEvent) -> Chart:
    evidence = event.alert.evidence
    assert isinstance(evidence, BudgetEvidence)
    scope = await _scope(uow, evidence.origin)
    return budget_chart(evidence, await _by_end(uow, event, scope, evidence.period), event.at)


async def _chart_of_rule(uow: UnitOfWork, event: AlertEvent) -> Chart | None:
    evidence = event.alert.evidence
    assert isinstance(evidence, RuleEvidence)
    if not evidence.days:
        return None
    at = await judged_at(uow, event)
    judged = await band_of(uow, event, evidence)
    if any(one.has_limits for one in judged) or (judged and evidence.hour is not None):
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


async def _by_end(uow: UnitOfWork, event: AlertEvent, scope: Scope, period: Window) -> Mapping[datetime, Money]:
    """Spend by the end of each UTC day up to the event; of a short period, by hours as usage tells them."""
    window = Window(period.start, max(min(event.at, period.end), period.start + DAY))
    if period.end - period.start > SHORT:
        days = await _by_day(uow, event.alert, scope, window)
        return {_midnight(day + DAY): amount for day, amount in days.items()}
    hours: dict[datetime, Money] = defaultdict(lambda: ZERO)
    for start, cell, known in await uow.facts.hours(event.alert.source_id, window):
        if _is_about(event.alert, scope, cell):
            hours[start + HOUR] += known.cost
    return hours


async def _by_day(uow: UnitOfWork, alert: Alert, scope: Scope, window: Window) -> Mapping[date, Money]:
    """Spend by UTC day of what the alert is about."""
    days: dict[date, Money] = defaultdict(lambda: ZERO)
    for day, cell, known in await uow.facts.days(alert.source_id, window):
        if _is_about(alert, scope, cell):
            days[day] += known.spend.total
    return days


def _is_about(alert: Alert, scope: Scope, cell: Cell) -> bool:
    return scope.holds(cell) and (alert.scope == ORGANISATION or cell.along(alert.scope.dimension) == alert.scope.id)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
