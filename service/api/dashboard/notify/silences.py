"""`/pages/silences`: what notifies nobody for a time, and to end that early."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response

from service.api.dashboard.documents.controls import Control, ControlKind, Document, Parts
from service.api.dashboard.documents.listing import PAGE, ResourceLine, ResourceListing
from service.api.dashboard.documents.pages import ResourcePages, editing_router, led_to
from service.api.dashboard.notify.frame import AREAS, PLACE, SILENCES
from service.api.dashboard.paging import RUNNING_FIRST, AskedPartDep, all_of, sorted_out
from service.api.dashboard.scope_controls import LABELS
from service.api.dashboard.session import AnsweringDep, SignedInDep, our_page
from service.api.http.deps import IdOrName, NowDep, UowDep
from service.api.http.listing import part_by_place
from service.api.notify.silences import SilenceShape
from service.domain.access import Role
from service.domain.messages.people import known_as
from service.domain.notify.routing.silences import Silence, SilenceState
from service.domain.values.errors import Conflict, UnreadableDocument
from service.domain.values.plain_text import minute
from service.domain.values.resources import Resource
from service.workflows.configuration.notify import Silences, expire_silence
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)

MATCHERS_HINT = "One a line, all have to hold: severity=critical, workspace=~eng-.*, team!=research."
_TONES = {SilenceState.ACTIVE: "warning", SilenceState.PENDING: "info", SilenceState.EXPIRED: "quiet"}
_LISTING = ResourceListing(
    heading="Silences",
    about="For a time, alerts that all matchers match notify nobody. They still fire, and are shown.",
    path=SILENCES,
    noun="silence",
    none="Nothing is silenced.",
    place=PLACE,
    areas=AREAS,
    needs=Role.OPERATOR,
)


@router.head(SILENCES)  # probes ask so
@router.get(SILENCES)
async def list_silences(caller: SignedInDep, uow: UowDep, now: NowDep, part: AskedPartDep) -> Response:
    """All silences; those that are over come last."""
    silences = await all_of(uow.silences)
    silences.sort(key=lambda one: not isinstance(one, UnreadableDocument) and _is_over(one, now))
    page = part_by_place(SILENCES, silences, PAGE, part.cursor)
    found = sorted_out(page)
    lines = [_line(one, now, caller.role) for one in found.readable]
    return _LISTING.page(caller, lines, found.unreadable, part.links(SILENCES, page, RUNNING_FIRST))


def _is_over(silence: Resource[Silence], now: datetime) -> bool:
    return silence.spec.state(now) is SilenceState.EXPIRED


@router.post(f"{SILENCES}/{{id}}/expire", dependencies=[our_page])
async def end_silence(uow: UowDep, author: AnsweringDep, id: IdOrName) -> Response:
    """Ends it; one that is over already is left as it is."""
    try:
        await expire_silence(uow, id, author)
    except Conflict:
        return led_to(SILENCES)
    return led_to(SILENCES)


def _line(silence: Resource[Silence], now: datetime, role: Role) -> ResourceLine:
    spec, state = silence.spec, silence.spec.state(now)
    is_over = state is SilenceState.EXPIRED
    matchers = ", ".join(f"{one.label}{one.op}{one.value}" for one in spec.matchers)
    times = f"{minute(spec.starts_at)} to {minute(spec.expired_at or spec.ends_at)}"
    by = f"by {known_as(spec.author, spec.author_name)}"
    return ResourceLine(
        name=silence.name,
        address="" if is_over else f"{SILENCES}/{silence.id}/edit",
        lines=[matchers, times, ": ".join(text for text in (by, spec.comment) if text)],
        tone=_TONES[state],
        word=state.value,
        acts=() if is_over or not role.allows(Role.OPERATOR) else [(f"{SILENCES}/{silence.id}/expire", "End it now")],
    )


async def _parts(_: UnitOfWork, document: Document) -> Parts:
    return (
        Control("/name", "Name", hint="Why, in a few words: load test of Saturday.", is_required=True),
        Control("/matchers", "Alerts", ControlKind.MATCHERS, MATCHERS_HINT, is_required=True),
        Control("/starts_at", "From, UTC", ControlKind.INSTANT, "Year, month, day and a 24-hour time. Empty: now."),
        Control("/ends_at", "Until, UTC", ControlKind.INSTANT, "At most 90 days later.", is_required=True),
        Control("/comment", "Comment", ControlKind.TEXT),
        LABELS,
    )


def _fresh(_: Mapping[str, str]) -> Document:
    return {}


editing = editing_router(
    ResourcePages(
        path=SILENCES,
        place=PLACE,
        kind=Silences(),
        shape=SilenceShape(),
        parts=_parts,
        fresh=_fresh,
        leads_to=lambda _: SILENCES,
        needs=Role.OPERATOR,
        advice="Before its end, whoever would have been notified hears of what still fires behind it.",
    )
)
