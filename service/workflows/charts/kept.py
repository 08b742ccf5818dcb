"""The content of pictures, kept with the findings that people are told of: later bills and edits redraw none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

import structlog

from service.domain.alerts.alert import Alert
from service.domain.alerts.evidence import BudgetEvidence
from service.domain.alerts.findings import Finding
from service.domain.alerts.reconcile import tells
from service.domain.budgets.known import CountedScope
from service.domain.charts.alert import spend_so_far
from service.domain.charts.sums import is_short
from service.domain.rules.evaluation import view_for
from service.domain.rules.feedback import Feedback
from service.domain.rules.rule import Rule
from service.domain.rules.shown import with_buckets
from service.domain.rules.view import SpendView
from service.domain.spend.questions import Figure, SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Dimension, Scope, ScopeKey, tells_spenders
from service.domain.values.utc import HOUR
from service.workflows.ports.unit_of_work import UnitOfWork

log = structlog.get_logger(__name__)

T = TypeVar("T")

MOST_FIGURES = 10_000
"""Read at once."""
FiguresByBucket = Mapping[datetime, Mapping[ScopeKey, Figure]]


async def with_judged_buckets(
    uow: UnitOfWork,
    findings: Sequence[Finding],
    open_alerts: Sequence[Alert],
    rule: Rule[object],
    view: SpendView,
    feedback: Sequence[Feedback],
) -> Sequence[Finding]:
    """One rule's findings with the days or hours that it judged."""

    def judged() -> Sequence[Finding]:
        return with_buckets(findings, open_alerts, rule, view_for(rule, view), feedback)

    return await _unless_it_fails(uow, "rule", judged, findings, view.as_of)


async def _unless_it_fails(uow: UnitOfWork, about: str, make: Callable[[], T], plain: T, at: datetime) -> T:
    """Returns what is made, or `plain`: a defect in a picture must not keep an alert from firing. Nothing is read."""
    try:
        return make()
    except Exception as error:
        log.exception("chart_failed", about=about)
        await uow.chart_failures.note(about, f"{type(error).__name__}: {error}", at)
        return plain


async def with_spend_so_far(
    uow: UnitOfWork,
    findings: Sequence[Finding],
    open_alerts: Sequence[Alert],
    counts: CountedScope,
    now: datetime,
) -> list[Finding]:
    """Budgets' findings with the spend of their period by day or hour. It is asked for once a budget and period."""
    alerts = {one.fingerprint: one for one in open_alerts}
    answers: dict[SpendQuestion, FiguresByBucket] = {}
    return [
        await _with_line(uow, one, counts, answers, now) if tells(one, alerts.get(one.fingerprint)) else one
        for one in findings
    ]


async def _with_line(
    uow: UnitOfWork,
    finding: Finding,
    counts: CountedScope,
    answers: dict[SpendQuestion, FiguresByBucket],
    now: datetime,
) -> Finding:
    evidence = finding.evidence
    assert isinstance(evidence, BudgetEvidence)
    scope = counts(evidence.budget_id, evidence.period)
    question = line_question(finding.source_id, evidence, scope, finding.scope.dimension, now)
    if question not in answers:
        answers[question] = await figures_of(uow, question)

    def drawn() -> Finding:
        line = spend_so_far(evidence, amounts_of(finding.scope, answers[question]))
        return replace(finding, evidence=replace(evidence, buckets=line))

    return await _unless_it_fails(uow, evidence.kind, drawn, finding, now)


def line_question(
    source_id: str, evidence: BudgetEvidence, scope: Scope, dimension: Dimension, at: datetime
) -> SpendQuestion:
    """The question for a budget's line up to an instant: spend by UTC day, of a short period by hour."""
    return line_of_period(source_id, evidence.period, scope, dimension, at)


def line_of_period(source_id: str, period: Window, scope: Scope, dimension: Dimension, at: datetime) -> SpendQuestion:
    """The same of any period."""
    window = Window(period.start, max(min(at, period.end), period.start + HOUR))
    by_hour = is_short(period) and not tells_spenders(scope.grain | {dimension})
    return SpendQuestion(source_id, window, Width.HOUR if by_hour else Width.DAY, scope, dimension)


async def figures_of(uow: UnitOfWork, question: SpendQuestion) -> FiguresByBucket:
    """All figures by bucket and group, read in parts."""
    found: dict[datetime, Mapping[ScopeKey, Figure]] = {}
    end, until = question.window.end, question.window.start
    while until < end:
        part = await uow.facts.figures_by_bucket(replace(question, window=Window(until, end)), MOST_FIGURES)
        found |= part.figures
        until = part.until
    return found


def amounts_of(about: ScopeKey, figures: FiguresByBucket) -> dict[datetime, Money]:
    return {start: members[about].spend.total for start, members in figures.items() if about in members}
