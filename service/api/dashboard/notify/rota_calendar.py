"""`/pages/rotas/{id}/calendar`: who is on call in the coming weeks, and a link for calendar programs."""

from __future__ import annotations

from datetime import datetime, timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from service.api.dashboard.documents.pages import led_to
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.notify.frame import AREAS, PLACE, ROTAS
from service.api.dashboard.session import AdministeringDep, SignedInDep, our_page
from service.api.http.deps import IdOrName, NowDep, PortsDep, UowDep
from service.domain.access import Caller, Role
from service.domain.notify.rotas import Rota, shifts
from service.domain.values.plain_text import minute
from service.domain.values.resources import Resource
from service.workflows.configuration.calendar_link import end_link, renew_link

router = APIRouter(include_in_schema=False)

CALENDAR = f"{ROTAS}/{{id}}/calendar"
AHEAD = timedelta(weeks=8)
"""How far ahead the page looks; the calendar behind the link looks further."""


@router.get(CALENDAR)
async def show_calendar(caller: SignedInDep, uow: UowDep, now: NowDep, id: IdOrName) -> Response:
    return _page(caller, await uow.rotas.get(id), now)


@router.post(f"{CALENDAR}/link", dependencies=[our_page])
async def make_link(
    caller: SignedInDep, uow: UowDep, ports: PortsDep, author: AdministeringDep, id: IdOrName
) -> Response:
    """Makes a link, which is shown this once; the one before ends."""
    rota = await uow.rotas.get(id)
    address = await renew_link(uow, ports, rota, author)
    return _page(caller, await uow.rotas.get(rota.id), author.at, address)


@router.post(f"{CALENDAR}/link/end", dependencies=[our_page])
async def remove_link(uow: UowDep, author: AdministeringDep, id: IdOrName) -> Response:
    """Ends the link; where there is none, nothing is left to do."""
    rota = await uow.rotas.get(id)
    if rota.spec.feed is not None:
        await end_link(uow, rota, author)
    return led_to(f"{ROTAS}/{rota.id}/calendar")


def _page(caller: Caller, rota: Resource[Rota], now: datetime, made: str = "") -> Response:
    content = {
        "areas": AREAS,
        "area": ROTAS,
        "name": rota.name,
        "address": f"{ROTAS}/{rota.id}/calendar",
        "shifts": [(minute(one.starts_at), one.person.name) for one in shifts(rota.spec, now, now + AHEAD)],
        "since": minute(rota.spec.feed.since) if rota.spec.feed else "",
        "made": made,
        "may_write": caller.role.allows(Role.ADMIN),
    }
    return dashboard_page("rota_calendar.html.j2", PLACE, caller, content)
