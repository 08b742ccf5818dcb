"""Open alerts that have come to their end without a person's word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from service.domain.alerts.alert import Reason
from service.domain.alerts.evidence import BudgetEvidence
from service.domain.alerts.findings import Finding, over
from service.domain.budgets.assessment import Known
from service.domain.budgets.budget import Budget
from service.domain.values.periods import PeriodKind
from service.domain.values.resources import Resource


def budget_endings(budgets: Mapping[str, Resource[Budget]], findings: Sequence[Finding], known: Known) -> list[Finding]:
    """An OVER finding for every open budget alert that `assess` no longer finds. Falling spend is never a reason."""
    found = {finding.fingerprint for finding in findings}
    return [
        over(alert, _reason(alert.evidence, budgets.get(alert.evidence.budget_id), known))
        for alert in known.open_alerts
        if isinstance(alert.evidence, BudgetEvidence) and alert.fingerprint not in found
    ]


def _reason(evidence: BudgetEvidence, budget: Resource[Budget] | None, known: Known) -> Reason:
    if budget is None:
        return Reason.BUDGET_GONE
    if not budget.spec.enabled:
        return Reason.BUDGET_DISABLED
    if budget.spec.period.kind is PeriodKind.ROLLING:
        return Reason.RECOVERED
    if evidence.period.end + known.closing_for <= known.now:
        return Reason.PERIOD_CLOSED
    return Reason.BUDGET_EDITED
