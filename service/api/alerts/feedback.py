"""`/v1/alerts/{id}/feedback` and `/v1/feedback`: what people answer to rules' alerts."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Body
from fastapi.responses import Response
from pydantic import Field, PlainValidator, WithJsonSchema

from service.api.alerts.feedback_documents import FeedbackOut, show_feedback
from service.api.http.deps import AuthorDep, Id, UowDep, operator, viewer
from service.api.http.fields import Note, Strict, calendar_day
from service.api.http.idempotency import OnceDep
from service.api.http.listing import DEFAULT_LIMIT, Cursor, Limit, Listing, References
from service.api.http.responses import respond
from service.domain.rules.feedback import FeedbackKind
from service.workflows.alerts.feedback import FeedbackAnswer, give_feedback, withdraw_feedback

router = APIRouter(prefix="/v1", tags=["Alerts"])

Day = Annotated[
    date,
    PlainValidator(calendar_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-11-01"]}),
]


class FeedbackIn(Strict):
    """`expected`: it is so from now on. `fixed`: it was real and is over. `noise`: nobody needed to hear this."""

    kind: FeedbackKind
    first_day: Day | None = Field(default=None, description="a UTC day; else the day on which the incident began")
    last_day: Day | None = Field(default=None, description="included; else the last day that was judged")
    note: Note = ""


@router.post(
    "/alerts/{id}/feedback",
    summary="Answer a rule's alert; an open one is settled by it",
    status_code=201,
    response_model=Listing[FeedbackOut],
    responses={404: {}, 409: {}},
    dependencies=[operator],
)
async def give(
    id: Id,
    uow: UowDep,
    once: OnceDep,
    document: Annotated[
        FeedbackIn, Body(openapi_examples={"example": {"value": {"kind": "expected", "note": "new product"}}})
    ],
) -> Response:
    answer = FeedbackAnswer(document.kind, document.first_day, document.last_day, document.note)
    given = await give_feedback(uow, id, answer, once.author)
    return await once.answer(Listing[FeedbackOut](items=await show_feedback(uow, given), next=None), 201)


@router.get(
    "/feedback", summary="List feedback, newest first", response_model=Listing[FeedbackOut], dependencies=[viewer]
)
async def list_(
    uow: UowDep,
    source: References,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    ids = {name: id for id, name in (await uow.sources.named()).items()}
    page = await uow.feedback.page([ids.get(one, one) for one in source], limit=limit, cursor=cursor)
    return respond(Listing[FeedbackOut](items=await show_feedback(uow, page.items), next=page.next))


@router.get(
    "/feedback/{id}",
    summary="Read one answer",
    response_model=FeedbackOut,
    responses={404: {}},
    dependencies=[viewer],
)
async def get(id: Id, uow: UowDep) -> Response:
    (shown,) = await show_feedback(uow, [await uow.feedback.get(id)])
    return respond(shown)


@router.delete(
    "/feedback/{id}",
    summary="Withdraw an answer; it stays visible",
    status_code=204,
    responses={404: {}, 409: {}},
    dependencies=[operator],
)
async def withdraw(id: Id, uow: UowDep, author: AuthorDep) -> Response:
    await withdraw_feedback(uow, id, author)
    return Response(status_code=204)
