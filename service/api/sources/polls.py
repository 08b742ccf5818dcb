"""Operations on a source: poll, backfill, check; and its polls."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Body
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.http.deps import Id, IdOrName, PortsDep, UowDep, admin, viewer
from service.api.http.fields import InstantOrDate, Strict
from service.api.http.idempotency import OnceDep, OnceOutsideDep
from service.api.http.listing import DEFAULT_LIMIT, Cursor, Limit, Listing
from service.api.http.responses import respond
from service.domain.sources.poll import Poll, PollKind, PollState, ReportOutcome
from service.domain.sources.source import ReportFamily, ReportName
from service.domain.values.errors import NotFound
from service.workflows.configuration.asking import ask_for_backfill, ask_for_poll
from service.workflows.configuration.probe import run_check_source

router = APIRouter(prefix="/v1/sources/{id}", tags=["Sources"])


class BackfillIn(Strict):
    since: InstantOrDate = Field(description="the first UTC day to read")


class NoticeOut(BaseModel):
    text: str = Field(examples=["amount has more than ten decimals of a cent and was rounded"])
    rows: int = Field(description="how many rows had it")


class ReportOut(BaseModel):
    """One report of a poll: rows added, changed and gone, or the error that refused it whole.

    Notices say what was not as documented in its form, and changed no meaning.
    """

    report: ReportName
    added: int
    changed: int
    gone: int
    duration_seconds: float = Field(description="the whole: reading and writing")
    error: str | None
    notices: list[NoticeOut]


class WindowOut(BaseModel):
    start: datetime
    end: datetime


class PollOut(BaseModel):
    """`window` is what a backfill reads, and `done_until` how far it has come."""

    id: str
    source_id: str
    kind: PollKind
    state: PollState
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    window: WindowOut | None
    done_until: datetime | None
    reports: list[ReportOut]


class ReportsCheckOut(BaseModel):
    """Whether the key may read one of the two families of reports."""

    reports: ReportFamily
    refusal: str | None = Field(description="why not; null: it may")


class CheckOut(BaseModel):
    """Whether the organisation and the bill that the source prefers can be read with the stored key."""

    ok: bool
    organization_id: str | None
    organization_name: str | None
    error: str | None
    reports: list[ReportsCheckOut] = Field(description="empty where nothing could be read")


def show_report(outcome: ReportOutcome) -> ReportOut:
    return ReportOut(
        report=outcome.report,
        added=outcome.added,
        changed=outcome.changed,
        gone=outcome.gone,
        duration_seconds=outcome.seconds,
        error=outcome.error,
        notices=[NoticeOut(text=notice.text, rows=notice.rows) for notice in outcome.notices],
    )


def show_poll(poll: Poll) -> PollOut:
    return PollOut(
        id=poll.id,
        source_id=poll.source_id,
        kind=poll.kind,
        state=poll.state,
        created_at=poll.created_at,
        started_at=poll.started_at,
        finished_at=poll.finished_at,
        window=WindowOut(start=poll.window.start, end=poll.window.end) if poll.window else None,
        done_until=poll.done_until,
        reports=[show_report(outcome) for outcome in poll.reports],
    )


@router.post(
    "/poll",
    summary="Poll now, also during back-off",
    status_code=202,
    response_model=PollOut,
    responses={404: {}, 409: {}},
    dependencies=[admin],
)
async def poll(id: IdOrName, uow: UowDep, once: OnceDep) -> Response:
    source = await uow.sources.get(id)
    queued = await ask_for_poll(uow, source, once.author)
    location = f"/v1/sources/{source.id}/polls/{queued.id}"
    return await once.answer(show_poll(queued), 202, {"Location": location})


@router.post(
    "/backfill",
    summary="Read the past",
    status_code=202,
    response_model=PollOut,
    responses={404: {}, 409: {}},
    dependencies=[admin],
)
async def backfill(
    id: IdOrName,
    uow: UowDep,
    once: OnceDep,
    document: BackfillIn = Body(openapi_examples={"example": {"value": {"since": "2026-01-01"}}}),
) -> Response:
    source = await uow.sources.get(id)
    queued = await ask_for_backfill(uow, source, document.since, once.author)
    location = f"/v1/sources/{source.id}/polls/{queued.id}"
    return await once.answer(show_poll(queued), 202, {"Location": location})


@router.post(
    "/check",
    summary="Try the stored key now",
    response_model=CheckOut,
    responses={404: {}},
    dependencies=[admin],
)
async def check(id: IdOrName, ports: PortsDep, once: OnceOutsideDep) -> Response:
    found = await run_check_source(ports, id, once.author)
    return await once.answer(
        CheckOut(
            ok=found.error is None,
            organization_id=found.organization.id if found.organization else None,
            organization_name=found.organization.name if found.organization else None,
            error=found.error,
            reports=[ReportsCheckOut(reports=one.reports, refusal=one.refusal) for one in found.reports],
        )
    )


@router.get(
    "/polls",
    summary="List polls, newest first",
    response_model=Listing[PollOut],
    responses={404: {}},
    dependencies=[viewer],
)
async def polls(id: IdOrName, uow: UowDep, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    source = await uow.sources.get(id)
    page = await uow.polls.page(source.id, limit=limit, cursor=cursor)
    return respond(Listing[PollOut](items=[show_poll(poll) for poll in page.items], next=page.next))


@router.get(
    "/polls/{poll_id}",
    summary="Read a poll",
    response_model=PollOut,
    responses={404: {}},
    dependencies=[viewer],
)
async def one_poll(id: IdOrName, poll_id: Id, uow: UowDep) -> Response:
    source = await uow.sources.get(id)
    found = await uow.polls.get(poll_id)
    if found.source_id != source.id:
        raise NotFound("This source has no such poll")
    return respond(show_poll(found))
