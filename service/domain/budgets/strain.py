"""How an unusual spend strains the organisation's budgets: which is used up first if it goes on, and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from service.domain.alerts.evidence import RuleEvidence
from service.domain.alerts.findings import Condition, Finding
from service.domain.budgets.budget import Budget
from service.domain.budgets.known import WindowSpend
from service.domain.spend.best_known import Spend
from service.domain.values import calendars
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import PeriodKind, period_at
from service.domain.values.resources import Resource
from service.domain.values.scopes import EVERYTHING
from service.domain.values.utc import DAY


def with_budgets(finding: Finding, budgets: Sequence[Resource[Budget]], spend: WindowSpend, now: datetime) -> Finding:
    """The finding of a rule, saying which budget it would use up; an end as it is."""
    if not isinstance(finding.evidence, RuleEvidence) or finding.condition is Condition.OVER:
        return finding
    return replace(finding, evidence=strained(finding.evidence, budgets, spend, now))


def strained(
    evidence: RuleEvidence, budgets: Iterable[Resource[Budget]], spend: WindowSpend, now: datetime
) -> RuleEvidence:
    """The evidence with the budget of the whole organisation that is used up first, within its period, if it goes on.

    Each day then costs what the period's days did on average, and the excess besides.
    """
    if evidence.excess_a_day is None or evidence.falls:
        return evidence
    a_day = evidence.excess_a_day
    ends = [(on, budget.name) for budget in budgets if (on := _used_up_on(budget.spec, a_day, spend, now))]
    if not ends:
        return evidence
    on, name = min(ends)
    return replace(evidence, strained_budget=name, used_up_on=on)


def _used_up_on(budget: Budget, excess_a_day: Money, spend: WindowSpend, now: datetime) -> date | None:
    """The day in the budget's zone; None of a budget that is used up already, or not by the period's end."""
    if budget.scope != EVERYTHING or budget.for_each is not None or budget.period.kind is PeriodKind.ROLLING:
        return None
    period = period_at(budget.period, now)
    if period is None or period.window not in spend:
        return None
    spent = Spend.sum(spend[period.window].values()).total
    days = Decimal(max(now - period.window.start, DAY) / DAY)
    a_day = Money.rounded(spent.usd / days) + excess_a_day
    if spent >= budget.amount or a_day <= ZERO:
        return None
    at = now + timedelta(days=min(float((budget.amount - spent).ratio_to(a_day)), 10_000.0))
    return at.astimezone(calendars.zone_of(budget.period.timezone)).date() if at < period.window.end else None
