"""Late crossings, with the days whose late bill they are due to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from service.domain.alerts.alert import Reason
from service.domain.alerts.evidence import BudgetEvidence
from service.domain.alerts.findings import Finding
from service.domain.budgets.known import CountedScope
from service.domain.budgets.late_bills import days_to_look_at, newest_late_bill
from service.domain.values.scopes import ORGANISATION, Cell, Scope, ScopeKey, tells_spenders
from service.workflows.budgets.defects import BudgetDefect, FailedScopes, attempt
from service.workflows.ports.unit_of_work import UnitOfWork


async def with_late_bills(
    uow: UnitOfWork,
    findings: Sequence[Finding],
    counts: CountedScope,
    now: datetime,
    failed: FailedScopes,
) -> list[Finding]:
    """The same findings. Those that fire late, which is seldom, name the days; where a defect hides them they fire all
    the same.
    """
    return [await _named(uow, one, counts, now, failed) if one.reason is Reason.LATE else one for one in findings]


async def _named(
    uow: UnitOfWork, finding: Finding, counts: CountedScope, now: datetime, failed: FailedScopes
) -> Finding:
    evidence = finding.evidence
    assert isinstance(evidence, BudgetEvidence)
    scope, days = counts(evidence.budget_id, evidence.period), days_to_look_at(evidence.period, now)
    by_spender = tells_spenders(scope.grain | {finding.scope.dimension})
    read = uow.facts.spender_versions if by_spender else uow.facts.day_versions
    versions = await read(finding.source_id, *days)
    own = _counted(scope, finding.scope)
    bill = attempt(partial(newest_late_bill, versions, evidence.period.end.date(), own))
    if isinstance(bill, BudgetDefect):
        failed.log(evidence.budget_id, bill, scope=str(finding.scope))
        return finding
    if bill is None:
        return finding
    return replace(finding, evidence=replace(evidence, billed_days=bill.days, billed_on=bill.read_on))


def _counted(scope: Scope, key: ScopeKey) -> Callable[[Cell], bool]:
    return lambda cell: scope.holds(cell) and (key == ORGANISATION or cell.along(key.dimension) == key.id)
