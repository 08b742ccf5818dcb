"""Alerts in answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, Field

from service.api.alerts.evidence import AlertKind, EvidenceOut, show_evidence
from service.api.alerts.feedback_documents import FeedbackOut, show_feedback
from service.api.http.fields import Usd, rounded
from service.api.notify.notifications import NotificationOut, show_notifications
from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, Reason
from service.domain.alerts.evidence import Contribution, Evidence, OriginKind
from service.domain.messages.message import describe
from service.domain.messages.people import known_as
from service.domain.slack.requests import name_in
from service.domain.values.money import ZERO, Money
from service.domain.values.severity import Severity
from service.workflows.ports.notify import NotificationFilter
from service.workflows.ports.unit_of_work import UnitOfWork

MOST_NOTIFICATIONS = 500


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
    handed_to: str | None = Field(default=None, description="the receiver that a person handed it on to")
    snoozed_until: datetime | None = Field(description="when it fires again at the latest")
    snoozed_above: Usd | None = Field(description="the dollars at which it fires again")


class EventOut(BaseModel):
    """One recorded move of an alert."""

    version: int
    at: datetime
    command: Command
    actor: str
    actor_name: str = Field(description="as people know the actor", examples=["deploy"])
    reason: Reason
    note: str
    state: AlertState
    severity: Severity
    spent: Usd | None
    handed_to: str | None = None


class AlertDetailOut(AlertOut):
    evidence: EvidenceOut
    contributions: list[ContributionOut]
    feedback: list[FeedbackOut] = Field(description="what people answered, withdrawn answers too")
    events: list[EventOut]
    notifications: list[NotificationOut] = Field(description="the newest 500")


def show_alert(alert: Alert, sources: dict[str, str]) -> AlertOut:
    origin = alert.evidence.origin
    return AlertOut(
        id=alert.id,
        version=alert.version,
        kind=AlertKind(alert.kind),
        state=alert.state,
        severity=alert.severity,
        summary=describe(alert),
        source=sources.get(alert.source_id, alert.source_id),
        budget=origin.name if origin and origin.kind is OriginKind.BUDGET else None,
        rule=origin.name if origin and origin.kind is OriginKind.RULE else None,
        scope=str(alert.scope),
        opened_at=alert.opened_at,
        changed_at=alert.changed_at,
        acknowledged_by=alert.acknowledged_by,
        resolved_by=alert.resolved_by,
        handed_to=alert.handed_to.receiver_name if alert.handed_to else None,
        snoozed_until=alert.snoozed_until,
        snoozed_above=str(alert.snoozed_above) if alert.snoozed_above is not None else None,
    )


def show_contributions(evidence: Evidence) -> list[ContributionOut]:
    return show_parts(evidence.contributions, evidence.whole)


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
    measured = event.alert.evidence.measured
    return EventOut(
        version=event.alert.version,
        at=event.at,
        command=event.command,
        actor=event.actor,
        actor_name=known_as(event.actor, name_in(event.actor, event.note)),
        reason=event.reason,
        note=event.note,
        state=event.alert.state,
        severity=event.alert.severity,
        spent=str(measured) if measured is not None else None,
        handed_to=event.alert.handed_to.receiver_name if event.alert.handed_to else None,
    )


async def show_detail(uow: UnitOfWork, alert: Alert) -> AlertDetailOut:
    notifications = await uow.notifications.page(NotificationFilter((alert.id,)), limit=MOST_NOTIFICATIONS, cursor=None)
    return AlertDetailOut(
        **show_alert(alert, await source_names(uow)).model_dump(),
        evidence=show_evidence(alert.newest),
        contributions=show_contributions(alert.newest),
        feedback=await show_feedback(uow, await uow.feedback.of_alert(alert.id)),
        events=[show_event(event) for event in await uow.alerts.events(alert.id)],
        notifications=await show_notifications(uow, notifications.items),
    )


async def source_names(uow: UnitOfWork) -> dict[str, str]:
    return await uow.sources.named()
