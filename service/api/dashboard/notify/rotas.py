"""`/pages/rotas`: who is on call, week by week."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response

from service.api.dashboard.documents.controls import Control, ControlKind, Document, Parts, Rows
from service.api.dashboard.documents.listing import PAGE, ResourceLine, ResourceListing
from service.api.dashboard.documents.pages import ResourcePages, editing_router
from service.api.dashboard.notify.choices import named
from service.api.dashboard.notify.frame import AREAS, PLACE, ROTAS
from service.api.dashboard.paging import OLDEST_FIRST, AskedPartDep, sorted_out
from service.api.dashboard.scope_controls import LABELS
from service.api.dashboard.session import SignedInDep
from service.api.http.deps import NowDep, UowDep
from service.api.notify.rotas import RotaShape
from service.domain.notify.rotas import Rota, shift_at
from service.domain.values.periods import Weekday
from service.domain.values.plain_text import minute
from service.domain.values.resources import Resource
from service.workflows.configuration.notify import Rotas
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)

_LISTING = ResourceListing(
    heading="Rotas",
    about="People who are on call a week each, in this order. A step of an escalation policy calls whoever it is then.",
    path=ROTAS,
    noun="rota",
    none="There is none: escalation policies call receivers.",
    place=PLACE,
    areas=AREAS,
)


@router.head(ROTAS)  # probes ask so
@router.get(ROTAS)
async def list_rotas(caller: SignedInDep, uow: UowDep, now: NowDep, part: AskedPartDep) -> Response:
    page = await uow.rotas.page(limit=PAGE, cursor=part.cursor)
    found = sorted_out(page)
    lines = [_line(one, now) for one in found.readable]
    return _LISTING.page(caller, lines, found.unreadable, part.links(ROTAS, page, OLDEST_FIRST))


def _line(rota: Resource[Rota], now: datetime) -> ResourceLine:
    spec, shift = rota.spec, shift_at(rota.spec, now)
    order = ", ".join(one.name for one in spec.people)
    handover = f"handover on {spec.handover.weekday}, {spec.handover.hour:02}:00 {spec.timezone}"
    on_call = f"{shift.person.name} is on call until {minute(shift.ends_at)}"
    calendar = (f"{ROTAS}/{rota.id}/calendar", "Coming weeks, and a link for calendar programs")
    return ResourceLine(rota.name, f"{ROTAS}/{rota.id}/edit", [on_call, order, handover], links=[calendar])


async def _parts(uow: UnitOfWork, document: Document) -> Parts:
    receivers = await named(uow.receivers)
    people = (Control("/name", "Name"), Control("/receiver", "Notified through", ControlKind.CHOICE, choices=receivers))
    weekdays = [(day.value, day.value.capitalize()) for day in Weekday]
    stand_ins = (
        Control("/person", "Person", hint="One of the people above."),
        Control("/starts_at", "From, UTC", ControlKind.INSTANT),
        Control("/ends_at", "Until, UTC", ControlKind.INSTANT),
    )
    return (
        Control("/name", "Name", is_required=True),
        Rows("/people", "People, in their order", "Person", lambda _: people, spare=2),
        Control("/handover/weekday", "Handover on", ControlKind.CHOICE, choices=weekdays, is_required=True),
        Control("/handover/hour", "At", ControlKind.NUMBER, "The hour of a 24-hour clock, 0 to 23."),
        Control("/timezone", "On the clock of", hint="An IANA zone such as Europe/Berlin. Empty: UTC."),
        Control("/starts_on", "The first person's week begins on", hint="Such as 2026-11-23. Empty: today."),
        Rows("/overrides", "Stand-ins", "Stand-in", lambda _: stand_ins),
        LABELS,
    )


def _fresh(_: Mapping[str, str]) -> Document:
    return {"handover": {"weekday": "monday", "hour": 9}, "timezone": "UTC"}


editing = editing_router(
    ResourcePages(
        path=ROTAS,
        place=PLACE,
        kind=Rotas(),
        shape=RotaShape(),
        parts=_parts,
        fresh=_fresh,
        leads_to=lambda _: ROTAS,
    )
)
