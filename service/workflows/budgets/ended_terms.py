"""The terms of budgets when their periods ended: a period is not assessed by what was configured later."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from service.domain.budgets.budget import Budget
from service.domain.budgets.known import EndedTerms, Known
from service.domain.values.errors import UnreadableDocument
from service.domain.values.periods import live_periods
from service.domain.values.resources import Resource
from service.workflows.ports.unit_of_work import UnitOfWork


async def with_ended_terms(uow: UnitOfWork, budgets: Iterable[Resource[Budget]], known: Known) -> Known:
    """`known` with each budget as it was at the ends before its newest version. One statement for each such end.

    Terms that cannot be read any more are left out: the newest ones count in their place.
    """
    return replace(known, ended_as=await ended_terms(uow, ((budget, known) for budget in budgets)))


async def ended_terms(uow: UnitOfWork, budgets: Iterable[tuple[Resource[Budget], Known]]) -> EndedTerms:
    """The same of budgets of several sources, each with what is known of its own."""
    wanted = {
        (budget.id, period.window.end)
        for budget, known in budgets
        for period in live_periods(budget.spec.period, known.now, known.closing_for)
        if period.window.end <= min(known.now, budget.updated_at)
    }
    ended: dict[tuple[str, datetime], Resource[Budget] | None] = {}
    for end in {end for _, end in wanted}:
        ids = {id for id, at in wanted if at == end}
        then = await uow.budgets.some_as_of(ids, end - timedelta.resolution)
        for id in ids:
            terms = then.get(id)
            if not isinstance(terms, UnreadableDocument):
                ended[id, end] = terms
    return ended
