"""`/v1/audit-events`: every write, who did it and when."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field, JsonValue

from service.api.http.deps import UowDep, admin
from service.api.http.listing import DEFAULT_LIMIT, Cursor, Limit, Listing
from service.api.http.responses import respond
from service.domain.access import AuditEvent
from service.domain.messages.people import known_as

router = APIRouter(prefix="/v1/audit-events", tags=["Access"])


class AuditEventOut(BaseModel):
    id: str
    at: datetime
    actor: str = Field(examples=["token:deploy"])
    actor_name: str = Field(description="as people know the actor", examples=["deploy", "Dana (Slack)"])
    actor_id: str = Field(description="the id of the token; empty for others", examples=["tok_..."])
    address: str = Field(description="where the request came from; empty for what no request caused")
    action: str = Field(examples=["budget.create"])
    subject: str = Field(description="the id of what was written")
    detail: str
    before: dict[str, JsonValue] | None = Field(description="what it was; null where it was created, or not kept")
    after: dict[str, JsonValue] | None = Field(description="what it is since; of a secret only its end")


def show_event(event: AuditEvent) -> AuditEventOut:
    return AuditEventOut(
        id=event.id,
        at=event.at,
        actor=event.actor,
        actor_name=known_as(event.actor, event.actor_name),
        actor_id=event.actor_id,
        address=event.address,
        action=event.action,
        subject=event.subject,
        detail=event.detail,
        before=cast("dict[str, JsonValue] | None", event.before),
        after=cast("dict[str, JsonValue] | None", event.after),
    )


@router.get("", summary="List writes, newest first", response_model=Listing[AuditEventOut], dependencies=[admin])
async def list_(uow: UowDep, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    page = await uow.audit.page(limit=limit, cursor=cursor)
    return respond(Listing[AuditEventOut](items=[show_event(event) for event in page.items], next=page.next))
