"""Budgets against spend, each for every workspace."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from service.domain.alerts.findings import Finding
from service.domain.budgets.assessment import assess
from service.domain.budgets.budget import Budget, Threshold
from service.domain.budgets.known import Known, WindowSpend, live_windows
from service.domain.spend.best_known import Spend, SpendDay
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.resources import Resource
from service.domain.values.scopes import Cell, Dimension, Scope
from service.domain.values.severity import Severity
from service.workflows.ports.spend import Stamp
from service.workflows.ports.unit_of_work import UowFactory
from storing.table import DAY, NOW, Row, best_of

BUDGETS, WORKSPACES, MODELS = 200, 50, 4


async def measure(uow: UowFactory) -> list[Row]:
    """Half of the budgets are overrun in every workspace, the other half in none."""
    await store_month(uow)
    budgets = [budget(number, amount) for number, amount in enumerate(("10.00", "1000000.00") * (BUDGETS // 2))]
    known = Known(crossings=(), open_alerts=(), names={}, now=NOW)
    (window,) = live_windows(budgets, known)
    async with uow() as unit:
        reading, cells = await best_of(lambda: unit.facts.spend("src_budgets", window, NOW))
    first, findings = compared(budgets, {window: cells}, known)
    assert len(findings) == BUDGETS // 2 * WORKSPACES
    crossings = [crossing for finding in findings for crossing in finding.crossings]
    later, _ = compared(budgets, {window: cells}, replace(known, crossings=crossings))
    scopes = f"{BUDGETS} x {WORKSPACES} scopes"
    return [
        Row("month's spend read, once for all", f"{len(cells)} cells", reading, f"{1 / reading:,.0f} reads/s"),
        Row("budgets compared, by workspace", scopes, first, f"{BUDGETS / first:,.0f} budgets/s"),
        Row("again, with half of them crossed", scopes, later, f"{BUDGETS / later:,.0f} budgets/s"),
    ]


def compared(budgets: Sequence[Resource[Budget]], spend: WindowSpend, known: Known) -> tuple[float, list[Finding]]:
    began = time.perf_counter()
    findings = [finding for one in budgets for finding in assess(one, spend, known)]
    return time.perf_counter() - began, findings


def budget(number: int, amount: str) -> Resource[Budget]:
    spec = Budget(
        "src_budgets",
        Scope(),
        Money.of(amount),
        PeriodSpec(PeriodKind.MONTHLY),
        thresholds=(Threshold(Severity.WARNING, percent=Decimal(100)),),
        for_each=Dimension.WORKSPACE,
    )
    return Resource(f"bud_{number}", f"budget {number}", 1, NOW, NOW, {}, spec)


async def store_month(uow: UowFactory) -> None:
    cells = [Cell(f"wrkspc_{w}", f"claude-model-{m}", "") for w in range(WORKSPACES) for m in range(MODELS)]
    known = SpendDay(Spend(billed=Money.of("1.25")))
    days = {(NOW - number * DAY).date(): dict.fromkeys(cells, known) for number in range(1, 16)}
    async with uow() as unit:
        await unit.facts.store_days(Stamp("src_budgets", "poll_1", NOW), days)
