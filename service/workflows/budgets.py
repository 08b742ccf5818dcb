"""Where budgets stand: every scope in every live period. Nothing here writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from service.domain.budgets.budget import Budget
from service.domain.budgets.forecasting import forecast_budgets
from service.domain.budgets.known import Known, WindowSpend, live_windows
from service.domain.budgets.statuses import ScopeStatus, budget_status
from service.domain.sources.source import SourceKind
from service.domain.values.resources import Resource
from service.domain.values.scopes import Cell
from service.workflows.alerts.ended_terms import with_ended_terms
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.sources.naming import names_of

T = TypeVar("T")


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


async def status_part(
    uow: UnitOfWork, budget: Resource[Budget], now: datetime, skipped: int, limit: int
) -> tuple[ScopeStatus, ...]:
    """The same, without the first `skipped` and at most `limit`: only these are forecast."""
    known = await _known(uow, budget, now)
    spend = await _live_spend(uow, budget, known)
    part = budget_status(budget, spend, known)[skipped : skipped + limit]
    own = {window: _of(part, budget, cells) for window, cells in spend.items()}
    recent = await uow.facts.recent(budget.spec.source_id, now)
    forecasts = forecast_budgets([budget], own, replace(recent, spend=_of(part, budget, recent.spend)), known)
    shown = {(status.scope, status.period) for status in part}
    statuses = budget_status(budget, own, replace(known, forecasts=forecasts))
    return tuple(status for status in statuses if (status.scope, status.period) in shown)


def _of(part: tuple[ScopeStatus, ...], budget: Resource[Budget], cells: Mapping[Cell, T]) -> Mapping[Cell, T]:
    """Returns the cells that belong to these scopes of a budget."""
    dimension = budget.spec.for_each
    if dimension is None:
        return cells
    ids = {status.scope.id for status in part}
    return {cell: value for cell, value in cells.items() if cell.along(dimension) in ids}


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
