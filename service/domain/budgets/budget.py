"""Budgets: an amount a period, and the thresholds that fire."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal

from service.domain.alerts.crossings import ThresholdBasis
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.resources import Resource
from service.domain.values.scopes import FINEST, Dimension, Grain, Scope
from service.domain.values.severity import Severity


@dataclass(frozen=True, slots=True)
class Threshold:
    """A level that fires once per period: a percentage of the budget or an amount, exactly one of them."""

    severity: Severity
    basis: ThresholdBasis = ThresholdBasis.ACTUAL
    percent: Decimal | None = None
    amount: Money | None = None

    @property
    def key(self) -> str:
        """The identity of a threshold within its budget: basis and level, not severity."""
        level = f"{self.percent.normalize():f}%" if self.percent is not None else str(self.amount)
        return f"{self.basis}:{level}"

    def level(self, budget_amount: Money) -> Money:
        """The spend at which this threshold is crossed, US dollars."""
        if self.amount is not None:
            return self.amount
        assert self.percent is not None
        return budget_amount * (self.percent / 100)


@dataclass(frozen=True, slots=True)
class Budget:
    """An amount of US dollars per period, for a scope of one source's spend.

    With `for_each` it is one budget of that amount for every member of the dimension, also later ones.
    """

    source_id: str
    scope: Scope
    amount: Money
    period: PeriodSpec
    thresholds: tuple[Threshold, ...]
    for_each: Dimension | None = None
    enabled: bool = True

    @property
    def grain(self) -> Grain:
        """The dimensions by which it tells cells apart."""
        return self.scope.grain | ({self.for_each} if self.for_each is not None else frozenset())


def finest_of(budgets: Iterable[Resource[Budget]]) -> Grain:
    """The finest cells, and the dimensions beyond them by which these budgets tell spend apart."""
    return FINEST.union(*(budget.spec.grain for budget in budgets))


def terms(budget: Budget) -> str:
    """A budget's amount, period and scope in one line; a change of it starts new crossings."""
    spec = budget.period
    bounds = {
        PeriodKind.WEEKLY: spec.week_start.value,
        PeriodKind.CUSTOM: "..".join(at.astimezone(UTC).isoformat() for at in (spec.start, spec.end) if at),
        PeriodKind.ROLLING: f"{spec.days}d",
        PeriodKind.DAILY: "",
    }
    bound = bounds.get(spec.kind, str(spec.anchor_day))
    filters = {"workspaces": budget.scope.workspaces, "models": budget.scope.models, "keys": budget.scope.api_keys}
    filters |= {"actors": budget.scope.actors, "products": budget.scope.products}
    scope = [f"{name}={','.join(sorted(ids))}" for name, ids in filters.items() if ids]
    return "/".join([str(budget.amount), spec.kind, spec.timezone, bound, *scope])
