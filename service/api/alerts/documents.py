"""What an alert looks like in an answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, Field

from service.api.alerts.feedback_documents import FeedbackOut, show_feedback
from service.api.alerts.rule_evidence import RuleEvidenceOut, show_rule_evidence
from service.api.http.fields import Usd, rounded
from service.api.notify.notifications import NotificationOut, show_notifications
from service.domain.alerts.alert import Alert, AlertEvent, AlertKind, AlertState, Command, Reason
from service.domain.alerts.evidence import (
    BudgetEvidence,
    Contribution,
    Evidence,
    ForecastEvidence,
    RuleEvidence,
    StaleEvidence,
    UndeliveredEvidence,
)
from service.domain.forecasts.forecast import Method
from service.domain.messages.message import describe
from service.domain.spend.best_known import Basis
from service.domain.values.money import ZERO, Money
from service.domain.values.severity import Severity
from service.workflows.ports.notify import NotificationFilter
from service.workflows.ports.unit_of_work import UnitOfWork

MOST_NOTIFICATIONS = 500


class ForecastEvidenceOut(BaseModel):
    """What was forecast of the period's end. `released`: it has clearly left the threshold that it had crossed."""

    low: Usd
    mid: Usd
    high: Usd
    method: Method
    history_days: int
    exhausted_at: datetime | None = Field(description="when the budget is used up; null where it is not in the period")
    released: bool


class BudgetEvidenceOut(BaseModel):
    """What a budget alert knows."""

    budget_id: str
    budget: str
    amount: Usd
    spent: Usd
    basis: Basis
    unpriced_tokens: int = Field(description="not in `spent`: of models without a price, on days not settled yet")
    percent: float | None = Field(description="of the budget, two decimals; null for a budget of $0")
    threshold: str = Field(description="the highest crossed one", examples=["actual:100%"])
    level: Usd = Field(description="that threshold's dollars")
    period_start: datetime
    period_end: datetime
    period: str = Field(examples=["November 2026"])
    timezone: str
    late: bool = Field(description="first seen after the period's end")
    simulated: bool
    forecast: ForecastEvidenceOut | None


class StaleEvidenceOut(BaseModel):
    """What is known of a source that has gone blind."""

    source: str
    failures: int
    failing_since: datetime
    last_success_at: datetime | None
    error: str


class UndeliveredEvidenceOut(BaseModel):
    """A channel that takes no messages."""

    receiver: str
    channel: str = Field(examples=["slack_bot:1f2e3d4c5b6a"])
    channel_error: str
    count: int
    undelivered_since: datetime


class ContributionOut(BaseModel):
    """One of the largest parts. `share` is a percentage: of what was spent, or, of a rule's alert, of the excess."""

    scope: str = Field(examples=["workspace:wrkspc_01"])
    name: str
    amount: Usd
    share: float


class AlertOut(BaseModel):
    id: str
    version: int
    kind: AlertKind
    state: AlertState
    severity: Severity
    summary: str = Field(description="one sentence: who, the dollars, and the largest parts")
    source: str
    budget: str | None
    rule: str | None
    scope: str = Field(examples=["org", "workspace:wrkspc_01"])
    opened_at: datetime
    changed_at: datetime
    acknowledged_by: str | None
    resolved_by: str | None
    snoozed_until: datetime | None = Field(description="when it fires again at the latest")
    snoozed_above: Usd | None = Field(description="the dollars at which it fires again")


class EventOut(BaseModel):
    """One recorded move of an alert."""

    version: int
    at: datetime
    command: Command
    actor: str
    reason: Reason
    note: str
    state: AlertState
    severity: Severity
    spent: Usd | None


class AlertDetailOut(AlertOut):
    evidence: BudgetEvidenceOut | RuleEvidenceOut | StaleEvidenceOut | UndeliveredEvidenceOut
    contributions: list[ContributionOut]
    feedback: list[FeedbackOut] = Field(description="what people answered, withdrawn answers too")
    events: list[EventOut]
    notifications: list[NotificationOut] = Field(description="the newest 500")


def show_alert(alert: Alert, sources: dict[str, str]) -> AlertOut:
    budget = alert.evidence.budget_name if isinstance(alert.evidence, BudgetEvidence) else None
    return AlertOut(
        id=alert.id,
        version=alert.version,
        kind=alert.kind,
        state=alert.state,
        severity=alert.severity,
        summary=describe(alert),
        source=sources.get(alert.source_id, alert.source_id),
        budget=budget,
        rule=alert.evidence.rule_name if isinstance(alert.evidence, RuleEvidence) else None,
        scope=str(alert.scope),
        opened_at=alert.opened_at,
        changed_at=alert.changed_at,
        acknowledged_by=alert.acknowledged_by,
        resolved_by=alert.resolved_by,
        snoozed_until=alert.snoozed_until,
        snoozed_above=str(alert.snoozed_above) if alert.snoozed_above is not None else None,
    )


def show_evidence(
    evidence: Evidence,
) -> BudgetEvidenceOut | RuleEvidenceOut | StaleEvidenceOut | UndeliveredEvidenceOut:
    if isinstance(evidence, RuleEvidence):
        return show_rule_evidence(evidence)
    if isinstance(evidence, UndeliveredEvidence):
        return UndeliveredEvidenceOut(
            receiver=evidence.receiver_name,
            channel=evidence.channel,
            channel_error=evidence.channel_error,
            count=evidence.count,
            undelivered_since=evidence.undelivered_since,
        )
    if isinstance(evidence, StaleEvidence):
        return StaleEvidenceOut(
            source=evidence.source_name,
            failures=evidence.failures,
            failing_since=evidence.failing_since,
            last_success_at=evidence.last_success_at,
            error=evidence.error,
        )
    return BudgetEvidenceOut(
        budget_id=evidence.budget_id,
        budget=evidence.budget_name,
        amount=str(evidence.amount),
        spent=str(evidence.spent),
        basis=evidence.basis,
        unpriced_tokens=evidence.unpriced_tokens,
        percent=rounded(evidence.percent) if evidence.amount else None,
        threshold=evidence.threshold,
        level=str(evidence.level),
        period_start=evidence.period.start,
        period_end=evidence.period.end,
        period=evidence.period_label,
        timezone=evidence.timezone,
        late=evidence.late,
        simulated=evidence.simulated,
        forecast=show_forecast(evidence.forecast),
    )


def show_forecast(forecast: ForecastEvidence | None) -> ForecastEvidenceOut | None:
    if forecast is None:
        return None
    return ForecastEvidenceOut(
        low=str(forecast.low),
        mid=str(forecast.mid),
        high=str(forecast.high),
        method=forecast.method,
        history_days=forecast.history_days,
        exhausted_at=forecast.exhausted_at,
        released=forecast.released,
    )


def show_contributions(evidence: Evidence) -> list[ContributionOut]:
    if isinstance(evidence, StaleEvidence | UndeliveredEvidence):
        return []
    whole = evidence.excess if isinstance(evidence, RuleEvidence) else evidence.spent
    return show_parts(evidence.contributions, whole)


def show_parts(parts: Sequence[Contribution], whole: Money) -> list[ContributionOut]:
    return [
        ContributionOut(
            scope=str(part.scope),
            name=part.name,
            amount=str(part.amount),
            share=rounded(part.amount.ratio_to(whole) * 100 if whole > ZERO else Decimal(0)),
        )
        for part in parts
    ]


def show_event(event: AlertEvent) -> EventOut:
    return EventOut(
        version=event.alert.version,
        at=event.at,
        command=event.command,
        actor=event.actor,
        reason=event.reason,
        note=event.note,
        state=event.alert.state,
        severity=event.alert.severity,
        spent=_spent(event.alert.evidence),
    )


def _spent(evidence: Evidence) -> str | None:
    if isinstance(evidence, RuleEvidence):
        return str(evidence.actual)
    return str(evidence.spent) if isinstance(evidence, BudgetEvidence) else None


async def show_detail(uow: UnitOfWork, alert: Alert) -> AlertDetailOut:
    notifications = await uow.notifications.page(NotificationFilter(alert.id), limit=MOST_NOTIFICATIONS, cursor=None)
    return AlertDetailOut(
        **show_alert(alert, await source_names(uow)).model_dump(),
        evidence=show_evidence(alert.newest),
        contributions=show_contributions(alert.newest),
        feedback=await show_feedback(uow, await uow.feedback.of_alert(alert.id)),
        events=[show_event(event) for event in await uow.alerts.events(alert.id)],
        notifications=await show_notifications(uow, notifications.items),
    )


async def source_names(uow: UnitOfWork) -> dict[str, str]:
    return {source.id: source.name for source in await uow.sources.all()}
