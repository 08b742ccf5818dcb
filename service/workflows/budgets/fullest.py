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
