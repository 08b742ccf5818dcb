"""`/v1/notifications`: messages, their attempts and their outcomes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field, StringConstraints

from service.api.http.deps import Id, UowDep, operator, viewer
from service.api.http.idempotency import OnceDep
from service.api.http.listing import ANY_OF, DEFAULT_LIMIT, Cursor, Limit, Listing
from service.api.http.responses import respond
from service.domain.alerts.alert import Reason
from service.domain.notify.notification import Action, Notification, NotificationState
from service.workflows.alerts.attend import retry_notification
from service.workflows.ports.notify import NotificationFilter
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(prefix="/v1/notifications", tags=["Alerts"])

AlertId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
AlertIds = Annotated[
    list[AlertId],
    ANY_OF,
]
States = Annotated[list[NotificationState], ANY_OF]


class AttemptOut(BaseModel):
    at: datetime
    outcome: str = Field(examples=["sent"])
    detail: str


class NotificationOut(BaseModel):
    """One message to one channel: why it was sent, each attempt, and the outcome."""

    id: str
    alert_id: str
    alert_version: int
    receiver: str
    channel: str = Field(examples=["slack_bot:1f2e3d4c5b6a"])
    action: Action
    reason: Reason
    level: str
    state: NotificationState
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None
    sent_with: str | None = Field(description="the summary that reported it, or was updated by it")
    held_by: str = Field(description="the silences that held it back: name, id, end; empty where none did")
    attempts: list[AttemptOut]


async def show_notifications(uow: UnitOfWork, notifications: tuple[Notification, ...]) -> list[NotificationOut]:
    names = await uow.receivers.named()
    return [
        NotificationOut(
            id=one.id,
            alert_id=one.alert_id,
            alert_version=one.alert_version,
            receiver=names.get(one.receiver_id, one.receiver_id),
            channel=one.channel,
            action=one.action,
            reason=one.reason,
            level=one.level,
            state=one.state,
            created_at=one.created_at,
            due_at=one.due_at,
            sent_at=one.sent_at,
            sent_with=one.sent_with,
            held_by=one.held_by,
            attempts=[AttemptOut.model_validate(tried, from_attributes=True) for tried in one.attempts],
        )
        for one in notifications
    ]


@router.get(
    "",
    summary="List notifications, newest first",
    response_model=Listing[NotificationOut],
    dependencies=[viewer],
)
async def list_(
    uow: UowDep,
    alert: AlertIds,
    state: States,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    page = await uow.notifications.page(NotificationFilter(tuple(alert), tuple(state)), limit=limit, cursor=cursor)
    items = await show_notifications(uow, page.items)
    return respond(Listing[NotificationOut](items=items, next=page.next))


@router.post(
    "/{id}/retry",
    summary="Send a dead notification once more",
    status_code=202,
    response_model=NotificationOut,
    responses={404: {}, 409: {}},
    dependencies=[operator],
)
async def retry(id: Id, uow: UowDep, once: OnceDep) -> Response:
    again = await retry_notification(uow, id, once.author)
    return await once.answer((await show_notifications(uow, (again,)))[0], 202)
