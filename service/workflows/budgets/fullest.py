"""Every budget at once: the one with the largest part of its amount spent comes first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from service.domain.budgets.budget import Budget
from service.domain.budgets.statuses import ScopeStatus
from service.domain.values.names import describe_scope
from service.domain.values.periods import Phase
from service.domain.values.resources import Resource
from service.workflows.budgets.statuses import all_statuses
from service.workflows.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One scope of a budget in its open period."""

    budget: Resource[Budget]
    status: ScopeStatus


@dataclass(frozen=True, slots=True)
class FullestBudgets:
    """A part of all lines; `more` come after it."""

    lines: tuple[BudgetLine, ...]
    more: int


async def fullest(uow: UnitOfWork, now: datetime, limit: int, skipped: int = 0) -> FullestBudgets:
    """Returns scopes of all enabled budgets in their open periods, without forecasts; only a part of them is named."""
    statuses = await all_statuses(uow, now)
    enabled = [(budget, own) for budget, own in statuses if budget.spec.enabled]
    lines = [BudgetLine(budget, one) for budget, own in enabled for one in own if one.phase is Phase.OPEN]
    lines.sort(key=_fullness, reverse=True)
    end = skipped + limit
    return FullestBudgets(await _named(uow, lines[skipped:end]), max(0, len(lines) - end))


@dataclass(frozen=True, slots=True)
class BudgetSummary:
    """A budget by its fullest scope in the open period: None where it has none. `scopes` counts them all."""

    budget: Resource[Budget]
    fullest: ScopeStatus | None
    scopes: int


async def summaries(uow: UnitOfWork, now: datetime, limit: int, skipped: int = 0) -> tuple[list[BudgetSummary], int]:
    """Returns a part of all budgets, the fullest first and disabled ones last, and how many come after it."""
    told = dict((budget.id, own) for budget, own in await all_statuses(uow, now))
    lines = [_summary(budget, told.get(budget.id, ())) for budget in await uow.budgets.readable()]
    lines.sort(key=lambda one: (not one.budget.spec.enabled, -_summary_fullness(one), one.budget.name))
    end = skipped + limit
    part = [one for one in lines[skipped:end] if one.fullest is not None]
    named = await _named(uow, [BudgetLine(one.budget, one.fullest) for one in part if one.fullest])
    by_budget = {one.budget.id: one.status for one in named}
    return [replace(one, fullest=by_budget.get(one.budget.id)) for one in lines[skipped:end]], max(0, len(lines) - end)


def _summary(budget: Resource[Budget], statuses: Iterable[ScopeStatus]) -> BudgetSummary:
    scopes = [BudgetLine(budget, one) for one in statuses if one.phase is Phase.OPEN]
    fullest = max(scopes, key=_fullness, default=None)
    return BudgetSummary(budget, fullest.status if fullest else None, len(scopes))


def _summary_fullness(one: BudgetSummary) -> Decimal:
    return _fullness(BudgetLine(one.budget, one.fullest)) if one.fullest else Decimal(-1)


def _fullness(line: BudgetLine) -> Decimal:
    percent = line.status.percent
    return percent if percent is not None else Decimal("Infinity" if line.status.spent.total else 0)


async def _named(uow: UnitOfWork, lines: Iterable[BudgetLine]) -> tuple[BudgetLine, ...]:
    named = []
    for line in lines:
        scope = line.budget.spec.scope
        names = await uow.directory.names(line.budget.spec.source_id, {line.status.scope, *scope.members})
        status = replace(line.status, scope_name=describe_scope(scope, line.status.scope, names))
        named.append(BudgetLine(line.budget, status))
    return tuple(named)
