"""Where budgets stand: every scope in every live period. Nothing here writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from service.domain.budgets.budget import Budget
from service.domain.budgets.forecasting import forecast_budgets
from service.domain.budgets.known import EndedTerms, Known, WindowSpend, live_windows
from service.domain.budgets.statuses import ScopeStatus, budget_status
from service.domain.sources.source import SourceKind, SourceState
from service.domain.spend.best_known import Spend
from service.domain.values.periods import Window
from service.domain.values.resources import Resource
from service.domain.values.scopes import Cell, Grain, ScopeKey
from service.workflows.alerts.ended_terms import ended_terms, with_ended_terms
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.sources.naming import names_of, with_organisation

T = TypeVar("T")


async def all_statuses(uow: UnitOfWork, now: datetime) -> list[tuple[Resource[Budget], tuple[ScopeStatus, ...]]]:
    """Every scope of every budget in every live period, without forecasts, names and unpriced tokens.

    A statement for each window of any budget, and for each end of terms, however many sources there are; those of a
    source by itself where a window cuts its days.
    """
    budgets = await uow.budgets.all()
    sources = {budget.spec.source_id for budget in budgets}
    read_at = await uow.polling_states.cost_read_at(sources)
    crossings = await uow.crossings.of([budget.id for budget in budgets])
    known = {id: Known(crossings, (), {}, now, read_at=at) for id, at in read_at.items()}
    budgets = [budget for budget in budgets if budget.spec.source_id in known]
    wanted: dict[Window, set[str]] = defaultdict(set)
    for budget in budgets:
        for window in live_windows([budget], known[budget.spec.source_id]):
            wanted[window].add(budget.spec.source_id)
    ended = await ended_terms(uow, [(budget, known[budget.spec.source_id]) for budget in budgets])
    grain = _grain(budgets, ended)
    spend = {window: await uow.facts.spend_of(ids, window, now, grain) for window, ids in wanted.items()}
    return [
        (budget, budget_status(budget, _of_source(spend, id), replace(known[id], ended_as=ended)))
        for budget in budgets
        for id in [budget.spec.source_id]
    ]


def _of_source(spend: Mapping[Window, Mapping[str, Mapping[Cell, Spend]]], source_id: str) -> WindowSpend:
    return {window: by_source[source_id] for window, by_source in spend.items() if source_id in by_source}


async def forecast_statuses(uow: UnitOfWork, budget: Resource[Budget], now: datetime) -> tuple[ScopeStatus, ...]:
    """Every scope of a budget in every live period, with the forecasts of the open one."""
    state = await uow.polling_states.get(budget.spec.source_id)
    known = replace(await _known(uow, budget, state, now), names=await names_of(uow, state))
    grain = _grain([budget], known.ended_as)
    spend = await _live_spend(uow, budget, known, grain)
    recent = await uow.facts.recent(budget.spec.source_id, now, grain)
    return budget_status(budget, spend, replace(known, forecasts=forecast_budgets([budget], spend, recent, known)))


async def status_part(
    uow: UnitOfWork, budget: Resource[Budget], now: datetime, skipped: int, limit: int
) -> tuple[ScopeStatus, ...]:
    """The same, without the first `skipped` and at most `limit`: only these are forecast, and only their names read."""
    state = await uow.polling_states.get(budget.spec.source_id)
    known = await _known(uow, budget, state, now)
    grain = _grain([budget], known.ended_as)
    spend = await _live_spend(uow, budget, known, grain)
    part = budget_status(budget, spend, known)[skipped : skipped + limit]
    own = {window: _of(part, budget, cells) for window, cells in spend.items()}
    recent = await uow.facts.recent(budget.spec.source_id, now, grain)
    forecasts = forecast_budgets([budget], own, replace(recent, spend=_of(part, budget, recent.spend)), known)
    shown = {(status.scope, status.period) for status in part}
    names = with_organisation(await uow.directory.names(state.source_id, _named(part)), state)
    statuses = budget_status(budget, own, replace(known, forecasts=forecasts, names=names))
    return tuple(status for status in statuses if (status.scope, status.period) in shown)


def _named(part: Iterable[ScopeStatus]) -> set[ScopeKey]:
    """Returns the members whose names describe these scopes."""
    return {key for status in part for key in (status.scope, *status.terms.scope.members)}


def _of(part: tuple[ScopeStatus, ...], budget: Resource[Budget], cells: Mapping[Cell, T]) -> Mapping[Cell, T]:
    """Returns the cells that belong to these scopes of a budget."""
    dimension = budget.spec.for_each
    if dimension is None:
        return cells
    ids = {status.scope.id for status in part}
    return {cell: value for cell, value in cells.items() if cell.along(dimension) in ids}


async def _known(uow: UnitOfWork, budget: Resource[Budget], state: SourceState, now: datetime) -> Known:
    """The state of knowledge but for names."""
    source = await uow.sources.get(budget.spec.source_id)
    known = Known(
        crossings=await uow.crossings.of([budget.id]),
        open_alerts=(),
        names={},
        now=now,
        read_at=state.cost_read_at,
        simulated=source.spec.kind is SourceKind.SIMULATOR,
    )
    return await with_ended_terms(uow, [budget], known)


def _grain(budgets: Iterable[Resource[Budget]], ended: EndedTerms) -> Grain:
    """The dimensions by which budgets tell cells apart, as they are and as they were when live periods ended."""
    earlier = [then for then in ended.values() if then is not None]
    return frozenset().union(*(budget.spec.grain for budget in (*budgets, *earlier)))


async def _live_spend(uow: UnitOfWork, budget: Resource[Budget], known: Known, grain: Grain) -> WindowSpend:
    source_id, windows = budget.spec.source_id, live_windows([budget], known)
    return {window: await uow.facts.spend(source_id, window, known.now, grain) for window in windows}
