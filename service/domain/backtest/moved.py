"""The scopes of a budget that a step has to look at: of all others it would find what stands already."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from service.domain.alerts.evidence import BudgetEvidence
from service.domain.budgets.budget import Budget
from service.domain.budgets.known import Known, WindowSpend, by_scope
from service.domain.spend.best_known import Spend
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import PeriodKind, Window
from service.domain.values.resources import Resource
from service.domain.values.scopes import ScopeKey


def moved(budget: Resource[Budget], spend: WindowSpend, known: Known) -> tuple[WindowSpend, Known]:
    """The spend, and what is known, of the scopes of which something may be found that was not found before.

    A scope stands as it stood where its spend reaches those thresholds that have fired: none is new, and no bill
    contradicts one. Thresholds of a rolling budget fire again as time passes: all its scopes are looked at.
    """
    if budget.spec.period.kind is PeriodKind.ROLLING:
        return spend, known
    parts = {window: by_scope(budget, cells, known) for window, cells in spend.items()}
    levels = sorted(threshold.level(budget.spec.amount) for threshold in budget.spec.thresholds)
    scopes = _of_ended_periods(spend, known)
    for window, own in parts.items():
        fired = _fired(window, known)
        scopes.update(scope for scope, cells in own if _reached(levels, cells.values()) != fired.get(scope, []))
    left = {
        window: {cell: part for scope, cells in own if scope in scopes for cell, part in cells.items()}
        for window, own in parts.items()
    }
    return left, replace(
        known,
        crossings=[one for one in known.crossings if one.scope in scopes],
        open_alerts=[one for one in known.open_alerts if one.scope in scopes],
    )


def _of_ended_periods(spend: WindowSpend, known: Known) -> set[ScopeKey]:
    evidences = ((alert.scope, alert.evidence) for alert in known.open_alerts)
    return {scope for scope, of in evidences if isinstance(of, BudgetEvidence) and of.period not in spend}


def _fired(window: Window, known: Known) -> Mapping[ScopeKey, Sequence[Money]]:
    """The levels that have fired in a period, by scope, lowest first."""
    levels = defaultdict(list)
    for crossing in known.crossings:
        if crossing.period_start == window.start:
            levels[crossing.scope].append(crossing.level)
    return {scope: sorted(own) for scope, own in levels.items()}


def _reached(levels: Sequence[Money], parts: Iterable[Spend]) -> Sequence[Money]:
    spent = Spend.dollars(parts)
    return levels[: bisect_right(levels, spent)] if spent > ZERO else []
