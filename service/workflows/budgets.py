"""Where budgets stand: every scope in every live period. Nothing here writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from service.domain.budgets.budget import Budget
from service.domain.budgets.forecasting import forecast_budgets
from service.domain.budgets.known import Known, WindowSpend, live_windows
from service.domain.budgets.statuses import ScopeStatus, budget_status
from service.domain.sources.source import SourceKind
from service.domain.values.resources import Resource
from service.workflows.alerts.ended_terms import with_ended_terms
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.sources.naming import names_of


async def budget_statuses(uow: UnitOfWork, budget: Resource[Budget], now: datetime) -> tuple[ScopeStatus, ...]:
    """Every scope of a budget in every live period, without a forecast."""
    known = await _known(uow, budget, now)
    return budget_status(budget, await _live_spend(uow, budget, known), known)


async def forecast_statuses(uow: UnitOfWork, budget: Resource[Budget], now: datetime) -> tuple[ScopeStatus, ...]:
    """The same with the forecasts of the open period."""
    known = await _known(uow, budget, now)
    spend = await _live_spend(uow, budget, known)
    recent = await uow.facts.recent(budget.spec.source_id, now)
    return budget_status(budget, spend, replace(known, forecasts=forecast_budgets([budget], spend, recent, known)))


async def _known(uow: UnitOfWork, budget: Resource[Budget], now: datetime) -> Known:
    state = await uow.polling_states.get(budget.spec.source_id)
    source = await uow.sources.get(budget.spec.source_id)
    known = Known(
        crossings=await uow.crossings.of([budget.id]),
        open_alerts=(),
        names=await names_of(uow, state),
        now=now,
        read_at=state.cost_read_at,
        simulated=source.spec.kind is SourceKind.SIMULATOR,
    )
    return await with_ended_terms(uow, [budget], known)


async def _live_spend(uow: UnitOfWork, budget: Resource[Budget], known: Known) -> WindowSpend:
    source_id = budget.spec.source_id
    return {window: await uow.facts.spend(source_id, window, known.now) for window in live_windows([budget], known)}
