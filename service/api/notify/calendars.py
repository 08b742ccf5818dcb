"""A rota's calendar: with a token, and behind a signed link for programs that send none."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from service.api.http.deps import AuthorDep, IdOrName, NowDep, PortsDep, UowDep, admin, viewer
from service.api.http.idempotency import OnceDep
from service.api.notify.rotas import LinkOut
from service.domain.notify.calendar_feeds import MEDIA, Entry, Revision, calendar_text, instant
from service.domain.notify.rotas import Rota, shifts
from service.domain.values.resources import Resource
from service.workflows.configuration.calendar_link import end_link, linked_rota, renew_link

router = APIRouter(tags=["Receivers"])

PAST, AHEAD = timedelta(weeks=4), timedelta(weeks=26)
"""The part of a rota that its calendar shows."""


class NewLinkOut(LinkOut):
    """`url` is shown this once; a repeated request with the same Idempotency-Key is answered without it."""

    url: str | None


@router.get(
    "/v1/rotas/{id}/calendar.ics",
    summary="A rota's shifts as a calendar: four weeks back, half a year ahead",
    response_class=Response,
    responses={200: {"content": {MEDIA: {"schema": {"type": "string"}}}}, 404: {}},
    dependencies=[viewer],
)
async def calendar(id: IdOrName, uow: UowDep, now: NowDep) -> Response:
    return Response(_calendar_text(await uow.rotas.get(id), now), media_type=MEDIA)


@router.post(
    "/v1/rotas/{id}/calendar-link",
    summary="A new link to a rota's calendar, for programs that send no token; the one before ends",
    status_code=201,
    response_model=NewLinkOut,
    responses={404: {}},
    dependencies=[admin],
)
async def renew_calendar_link(id: IdOrName, uow: UowDep, ports: PortsDep, once: OnceDep) -> Response:
    url = await renew_link(uow, ports, await uow.rotas.get(id), once.author)
    answer = NewLinkOut(since=once.author.at, url=url)
    return await once.answer(answer, 201, {"Cache-Control": "no-store"}, kept=NewLinkOut(since=answer.since, url=None))


@router.delete(
    "/v1/rotas/{id}/calendar-link",
    summary="End the link to a rota's calendar",
    status_code=204,
    responses={404: {}},
    dependencies=[admin],
)
async def end_calendar_link(id: IdOrName, uow: UowDep, author: AuthorDep) -> Response:
    await end_link(uow, await uow.rotas.get(id), author)
    return Response(status_code=204)


@router.head("/calendars/{token}.ics", include_in_schema=False)  # some calendar programs ask so first
@router.get(
    "/calendars/{token}.ics",
    summary="A rota's calendar, behind its link",
    response_class=Response,
    responses={200: {"content": {MEDIA: {"schema": {"type": "string"}}}}, 404: {}},
)
async def linked_calendar(
    uow: UowDep,
    ports: PortsDep,
    now: NowDep,
    token: Annotated[str, Path(description="From a link", pattern=r"^[A-Za-z0-9_.-]{1,200}$")],
) -> Response:
    text = _calendar_text(await linked_rota(uow, ports, token), now)
    headers = {"Cache-Control": "private, max-age=300", "X-Content-Type-Options": "nosniff"}
    return Response(text, media_type=MEDIA, headers=headers)


def _calendar_text(rota: Resource[Rota], now: datetime) -> str:
    entries = [
        Entry(f"{rota.id}-{instant(one.starts_at)}", f"On call: {one.person.name}", one.starts_at, one.ends_at)
        for one in shifts(rota.spec, now - PAST, now + AHEAD)
    ]
    return calendar_text(rota.name, entries, Revision(rota.version, rota.updated_at))
