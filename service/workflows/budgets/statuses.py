"""Where budgets stand: every scope in every live period. Nothing here writes."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from service.domain.budgets.budget import Budget
from service.domain.budgets.known import EndedTerms, Known, WindowSpend, with_earlier
from service.domain.budgets.places import BudgetScope
from service.domain.budgets.statuses import (
    ScopeStatus,
    StatusPlace,
    budget_status,
    forecast_places,
    status_places,
    statuses_of,
)
from service.domain.forecasts.recent import RecentSpend
from service.domain.sources.source import SourceKind, SourceState
from service.domain.spend.best_known import Spend
from service.domain.values.periods import Window
from service.domain.values.resources import Resource
from service.domain.values.scopes import EVERYTHING, Cell, Grain, Scope, ScopeKey, scope_of
from service.workflows.budgets.defects import BudgetDefect, FailedScopes, attempt, shown_windows, windows_by_budget
from service.workflows.budgets.ended_terms import ended_terms, with_ended_terms
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.sources.naming import with_organisation

T = TypeVar("T")

MOST_AT_ONCE = 2
"""Statuses that are computed at once in a process: more would only take turns."""
_THREADS = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="statuses")


async def beside_the_loop(make: Callable[[], T]) -> T | BudgetDefect:
    """Returns what is made in one of few threads, so that whoever asks for less does not wait for it."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, attempt, make)


async def all_statuses(uow: UnitOfWork, now: datetime) -> list[tuple[Resource[Budget], tuple[ScopeStatus, ...]]]:
    """Every scope of every budget in every live period, without forecasts, names and unpriced tokens.

    A statement for each window of any budget, and for each end of terms, however many sources there are; those of a
    source by itself where a window cuts its days. A budget that a defect keeps from being told has none.
    """
    budgets = await uow.budgets.readable()
    sources = {budget.spec.source_id for budget in budgets}
    read_at = await uow.polling_states.cost_read_at(sources)
    crossings = await uow.crossings.of([budget.id for budget in budgets])
    known = {id: Known(crossings, (), {}, now, read_at=at) for id, at in read_at.items()}
    budgets = [budget for budget in budgets if budget.spec.source_id in known]
    failed = FailedScopes()
    windows: dict[str, frozenset[Window]] = {}
    for budget in budgets:
        windows |= windows_by_budget([budget], known[budget.spec.source_id], failed, shown_windows)
    budgets = [budget for budget in budgets if budget.id in windows]
    wanted: dict[Window, set[str]] = defaultdict(set)
    for budget in budgets:
        for window in windows[budget.id]:
            wanted[window].add(budget.spec.source_id)
    ended = await ended_terms(uow, [(budget, known[budget.spec.source_id]) for budget in budgets])
    grain = _grain(budgets, ended)
    spend = {window: await uow.facts.spend_of(ids, window, now, grain) for window, ids in wanted.items()}
    return [
        (budget, status_of(budget, _of_source(spend, id), replace(known[id], ended_as=ended), failed))
        for budget in budgets
        for id in [budget.spec.source_id]
    ]


def _of_source(spend: Mapping[Window, Mapping[str, Mapping[Cell, Spend]]], source_id: str) -> WindowSpend:
    return {window: by_source[source_id] for window, by_source in spend.items() if source_id in by_source}


def status_of(
    budget: Resource[Budget], spend: WindowSpend, known: Known, failed: FailedScopes
) -> tuple[ScopeStatus, ...]:
    made = attempt(partial(budget_status, budget, spend, known))
    if isinstance(made, BudgetDefect):
        failed.note(BudgetScope(budget.id), made)
        return ()
    return made


async def forecast_statuses(uow: UnitOfWork, budget: Resource[Budget], now: datetime) -> tuple[ScopeStatus, ...]:
    """Every scope of a budget in every live period, with the forecasts of the open one.

    None where a defect keeps the budget from being told: what lists several budgets says all that is known.
    """
    part = await status_part(uow, budget, now, 0, None)
    return part.statuses


@dataclass(frozen=True, slots=True)
class StatusPart:
    """A part of a budget's statuses. `error` says which defect kept it from being made: then there are none."""

    statuses: tuple[ScopeStatus, ...]
    error: str | None = None


async def status_part(
    uow: UnitOfWork, budget: Resource[Budget], now: datetime, skipped: int, limit: int | None
) -> StatusPart:
    """The same, without the first `skipped` and at most `limit`, or all the others.

    Only these are added up and forecast, and only their recent days and names are read; what is computed is computed
    beside the event loop.
    """
    failed = FailedScopes()
    state = await uow.polling_states.get(budget.spec.source_id)
    known = await _known(uow, budget, state, now)
    windows = windows_by_budget([budget], known, failed, shown_windows)
    if budget.id not in windows:
        return _not_told(failed)
    known = await with_ended_terms(uow, [budget], known)
    grain = _grain([budget], known.ended_as)
    spend = {window: await uow.facts.spend(state.source_id, window, now, grain) for window in windows[budget.id]}
    end = None if limit is None else skipped + limit
    places = await beside_the_loop(lambda: status_places(budget, spend, known)[skipped:end])
    if isinstance(places, BudgetDefect):
        failed.note(BudgetScope(budget.id), places)
        return _not_told(failed)
    if not places:
        return StatusPart(())
    recent = await uow.facts.recent(state.source_id, now, grain, _members(budget, places, limit))
    names = with_organisation(await uow.directory.names(state.source_id, _named(places)), state)
    made = await beside_the_loop(partial(_made, budget, places, recent, replace(known, names=names)))
    if isinstance(made, BudgetDefect):
        failed.note(BudgetScope(budget.id), made)
        return _not_told(failed)
    return StatusPart(made)


async def unseen_members(uow: UnitOfWork, budget: Resource[Budget]) -> list[ScopeKey]:
    """The members that the budget's scope names and nothing that was read has: of them it counts nothing."""
    named = budget.spec.scope.members
    known = await uow.directory.names(budget.spec.source_id, named) if named else {}
    return sorted(named - known.keys(), key=str)


def _not_told(failed: FailedScopes) -> StatusPart:
    return StatusPart((), next(iter(failed.met.values())))


def _made(
    budget: Resource[Budget], places: Sequence[StatusPlace], recent: RecentSpend, known: Known
) -> tuple[ScopeStatus, ...]:
    """A forecast that cannot be made is left out: what is spent is known all the same."""
    forecasts = attempt(partial(forecast_places, budget, places, recent, known))
    told = known if isinstance(forecasts, BudgetDefect) else replace(known, forecasts=forecasts)
    return statuses_of(budget, places, told)


def _named(places: Iterable[StatusPlace]) -> set[ScopeKey]:
    """Returns the members whose names describe these scopes."""
    return {key for place in places for key in (place.scope, *place.judge.spec.scope.members)}


def _members(budget: Resource[Budget], places: Iterable[StatusPlace], limit: int | None) -> Scope:
    """Returns the scope of the members that are asked for; of everything where all of them are."""
    if budget.spec.for_each is None or limit is None:
        return EVERYTHING
    return scope_of(budget.spec.for_each, {place.scope.id for place in places})


async def _known(uow: UnitOfWork, budget: Resource[Budget], state: SourceState, now: datetime) -> Known:
    """The state of knowledge but for names and ended terms."""
    source = await uow.sources.get(budget.spec.source_id)
    return Known(
        crossings=await uow.crossings.of([budget.id]),
        open_alerts=(),
        names={},
        now=now,
        read_at=state.cost_read_at,
        simulated=source.spec.kind is SourceKind.SIMULATOR,
        locality=source.spec.locality,
    )


def _grain(budgets: Iterable[Resource[Budget]], ended: EndedTerms) -> Grain:
    """The dimensions by which budgets tell cells apart, as they are and as they were when live periods ended."""
    return frozenset().union(*(budget.spec.grain for budget in with_earlier(budgets, ended)))
