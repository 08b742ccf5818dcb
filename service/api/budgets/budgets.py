"""`/v1/budgets`: an amount per period, its thresholds, and where it stands."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from service.api.http.configured import Document, ReadOnly, Shape, Shown, Written, configured_router, identity
from service.api.http.fields import Dollars, Percent, Reference, Strict, Usd
from service.api.spend.periods import PeriodIn, read_period, show_period_spec
from service.api.spend.scopes import ForEach, ScopeIn, read_scope, show_scope
from service.domain.alerts.crossings import ThresholdBasis
from service.domain.budgets.budget import Budget, Threshold
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension
from service.domain.values.severity import Severity
from service.workflows.configuration.spend import Budgets, source_named
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


class ThresholdIn(Strict):
    """A level that fires once per period: either `percent` of the budget or an `amount`.

    On `forecast` it fires when the spend at the period's end is forecast to reach it on two days in a row.
    """

    basis: ThresholdBasis = ThresholdBasis.ACTUAL
    percent: Percent | None = None
    amount: Dollars | None = None
    severity: Severity = Severity.WARNING


DEFAULT_THRESHOLDS = [
    ThresholdIn(percent=Decimal(80), severity=Severity.WARNING),
    ThresholdIn(percent=Decimal(100), severity=Severity.CRITICAL),
]


class BudgetIn(Written):
    source: Reference | None = Field(
        default=None, description="a source's id or name; may be left out while there is one"
    )
    scope: ScopeIn = ScopeIn()
    for_each: ForEach | None = Field(default=None, description="one such budget for every member, also later ones")
    amount: Dollars
    period: PeriodIn = PeriodIn()
    thresholds: list[ThresholdIn] = Field(default=DEFAULT_THRESHOLDS, max_length=50)
    enabled: bool = Field(default=True, strict=True)
    status: ReadOnly = None


class ThresholdOut(BaseModel):
    """`percent` or `amount`, whichever the threshold was given."""

    basis: ThresholdBasis
    percent: float | int | None
    amount: Usd | None
    severity: Severity


class BudgetOut(Shown):
    source: str
    scope: ScopeIn
    for_each: ForEach | None
    amount: Usd
    period: dict[str, Any]
    thresholds: list[ThresholdOut]
    enabled: bool


class BudgetShape(Shape[Budget, BudgetIn, BudgetOut]):
    written, shown = BudgetIn, BudgetOut
    example: ClassVar[Document] = {
        "name": "eng monthly",
        "scope": {"workspaces": ["wrkspc_01FAKE"], "models": [], "api_keys": [], "actors": [], "products": []},
        "for_each": None,
        "amount": "5000.00",
        "period": {"kind": "monthly", "timezone": "UTC", "anchor_day": 1},
        "thresholds": [
            {"basis": "actual", "percent": 80, "severity": "warning"},
            {"basis": "actual", "percent": 100, "severity": "critical"},
            {"basis": "forecast", "percent": 100, "severity": "warning"},
        ],
        "labels": {"team": "eng"},
    }
    patch_example: ClassVar[Document] = {"amount": "6000.00"}

    async def read(self, ports: Ports, uow: UnitOfWork, document: BudgetIn, stored: Budget | None) -> Budget:
        name = document.source or (stored.source_id if stored else None)
        source = await source_named(uow, name, "/source")
        return Budget(
            source_id=source.id,
            scope=await read_scope(uow, source.id, document.scope, stored.scope if stored else None),
            amount=document.amount,
            period=read_period(document.period),
            thresholds=tuple(
                Threshold(severity=one.severity, basis=one.basis, percent=one.percent, amount=one.amount)
                for one in document.thresholds
            ),
            for_each=Dimension(document.for_each) if document.for_each else None,
            enabled=document.enabled,
        )

    async def show(self, uow: UnitOfWork, resource: Resource[Budget], now: datetime) -> BudgetOut:
        spec = resource.spec
        return BudgetOut(
            **identity(resource),
            source=(await uow.sources.named())[spec.source_id],
            scope=await show_scope(uow, spec.source_id, spec.scope),
            for_each=ForEach(spec.for_each) if spec.for_each else None,
            amount=str(spec.amount),
            period=show_period_spec(spec.period),
            thresholds=[ThresholdOut(**show_threshold(threshold)) for threshold in spec.thresholds],
            enabled=spec.enabled,
        )


def show_threshold(threshold: Threshold) -> dict[str, Any]:
    percent = threshold.percent
    exact = None if percent is None else int(percent) if percent == int(percent) else float(percent)
    return {
        "basis": threshold.basis,
        "percent": exact,
        "amount": None if threshold.amount is None else str(threshold.amount),
        "severity": threshold.severity,
    }


router = configured_router("/budgets", Budgets(), BudgetShape(), "Budgets")
