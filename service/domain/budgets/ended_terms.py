"""A period that is over is judged by the budget as it was when the period ended, not by what was configured later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from service.domain.budgets.budget import Budget
from service.domain.values.periods import Period
from service.domain.values.resources import Resource

EndedTerms = Mapping[tuple[str, datetime], Resource[Budget] | None]
"""By budget and end: what the budget was when a period ended before its newest version; None: not there yet."""


def judged_by(budget: Resource[Budget], period: Period, ended: EndedTerms) -> Resource[Budget] | None:
    """The budget with the terms that count for a live period.

    None where nothing counts: the period ended before the budget was there, or while it was off or had other periods.
    """
    then = ended.get((budget.id, period.window.end), budget)
    if then is None or then is budget:
        return then
    counts = then.spec.enabled and then.spec.period == budget.spec.period
    return replace(budget, spec=then.spec) if counts else None


def judged_periods(
    budget: Resource[Budget], live: Iterable[Period], ended: EndedTerms
) -> list[tuple[Resource[Budget], Period]]:
    """The periods that are judged, each with the budget as it counts for it."""
    return [(judge, period) for period in live if (judge := judged_by(budget, period, ended)) is not None]
