"""`/pages/sources/{id}/drill`: rehearses the whole way from a poll to the channels' answers."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from service.api.alerts.drills import DrillIn
from service.api.dashboard.documents.controls import Control, ControlKind, Document
from service.api.dashboard.documents.pages import led_to
from service.api.dashboard.documents.reading import read_document
from service.api.dashboard.documents.refused import TAKEN_BACK, FormRefused, flaws_of, status_of
from service.api.dashboard.documents.showing import NO_FLAWS, Flaws, show_form
from service.api.dashboard.documents.writing import parsed
from service.api.dashboard.forms import AGAIN, FormDep
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.scope_controls import SEVERITIES
from service.api.dashboard.session import AnsweringDep, SignedInDep, our_page
from service.api.dashboard.sources.listing import PLACE
from service.api.http.deps import IdOrName, UowDep
from service.domain.access import Caller
from service.domain.notify.page_links import ALERT_PAGES
from service.domain.sources.source import Source
from service.domain.values.resources import Resource
from service.domain.values.severity import Severity
from service.workflows.alerts.drill import begin_drill

router = APIRouter(include_in_schema=False)

DRILL = f"{PLACE}/{{id}}/drill"
PARTS = (
    Control("/severity", "Severity", ControlKind.CHOICE, choices=SEVERITIES, is_required=True),
    Control("/labels", "Labels that routes match", ControlKind.PAIRS, "One a line, such as team=eng."),
)
_FRESH: Document = {"severity": Severity.CRITICAL.value}


@router.get(DRILL)
async def show_drill(caller: SignedInDep, uow: UowDep, _: AnsweringDep, id: IdOrName) -> Response:
    return _page(caller, await uow.sources.get(id), _FRESH)


@router.post(DRILL, dependencies=[our_page])
async def start_drill(caller: SignedInDep, uow: UowDep, author: AnsweringDep, id: IdOrName, form: FormDep) -> Response:
    """Starts a drill, and leads to its alert."""
    source, document = await uow.sources.get(id), read_document(PARTS, form, {})
    if AGAIN in form:
        return _page(caller, source, document)
    try:
        asked = parsed(DrillIn, document)
        begun = await begin_drill(uow, source, asked.severity, asked.labels, author)
    except TAKEN_BACK as error:
        raise FormRefused(_page(caller, source, document, flaws_of(error), status_of(error))) from error
    return led_to(f"{ALERT_PAGES}/{begun.alert.id}")


def _page(
    caller: Caller, source: Resource[Source], document: Document, flaws: Flaws = NO_FLAWS, status: int = 200
) -> Response:
    address = f"{PLACE}/{source.id}"
    content = {"name": source.name, "address": address, "form": show_form(PARTS, document, flaws)}
    content["left_as"] = f"{address}/drill" if flaws else ""
    return dashboard_page("drill.html.j2", "Sources", caller, content, status)
