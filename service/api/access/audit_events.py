"""`/v1/audit-events`: every write, who did it and when."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.http.deps import UowDep, admin
from service.api.http.listing import DEFAULT_LIMIT, Cursor, Limit, Listing
from service.api.http.responses import respond

router = APIRouter(prefix="/v1/audit-events", tags=["Access"])


class AuditEventOut(BaseModel):
    id: str
    at: datetime
    actor: str = Field(examples=["token:deploy"])
    action: str = Field(examples=["budget.create"])
    subject: str = Field(description="the id of what was written")
    detail: str


@router.get("", summary="List writes, newest first", response_model=Listing[AuditEventOut], dependencies=[admin])
async def list_(uow: UowDep, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    page = await uow.audit.page(limit=limit, cursor=cursor)
    items = [AuditEventOut.model_validate(event, from_attributes=True) for event in page.items]
    return respond(Listing[AuditEventOut](items=items, next=page.next))
