"""`/pages/routes/edit`: the whole table of routes in one form, with a place for each."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import JsonValue

from service.api.dashboard.documents.controls import Control, ControlKind, Document, Parts, Rows
from service.api.dashboard.documents.intervals import INTERVALS_HINT
from service.api.dashboard.documents.pages import led_to
from service.api.dashboard.documents.reading import read_document
from service.api.dashboard.documents.refused import TAKEN_BACK, FormRefused, flaws_of, status_of
from service.api.dashboard.documents.showing import NO_FLAWS, Flaws, show_form
from service.api.dashboard.documents.writing import VERSION, parsed
from service.api.dashboard.forms import FormDep
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.notify.choices import OWNER_CHOICE, fallback, named
from service.api.dashboard.notify.frame import PLACE, ROUTES
from service.api.dashboard.notify.silences import MATCHERS_HINT
from service.api.dashboard.session import AdministeringDep, SignedInDep, our_page
from service.api.http.deps import UowDep
from service.api.notify.route_documents import RoutesDocument, read_routes, show_routes
from service.domain.access import Caller
from service.domain.notify.routing.routes import RouteTable
from service.domain.values.errors import StaleVersion
from service.workflows.configuration.notify import put_routes, route_table
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)

EDIT = f"{ROUTES}/edit"
_POSITION = "place"


@router.get(EDIT)
async def show_routes_form(caller: SignedInDep, uow: UowDep, _: AdministeringDep) -> Response:
    version, document = await _stored(uow)
    return await _page(uow, caller, document, version)


@router.post(EDIT, dependencies=[our_page])
async def save_routes(caller: SignedInDep, uow: UowDep, author: AdministeringDep, form: FormDep) -> Response:
    version, before = await _stored(uow)
    document = in_order(read_document(await _parts(uow), form, before))
    try:
        if form.get(VERSION, "") != str(version):
            raise StaleVersion("Somebody has changed the routes meanwhile. Send yours again to replace them.")
        await put_routes(uow, await read_routes(uow, _parsed(document)), author)
    except TAKEN_BACK as error:
        raise FormRefused(await _page(uow, caller, document, version, flaws_of(error), status_of(error))) from error
    return led_to(ROUTES)


async def _stored(uow: UnitOfWork) -> tuple[int, Document]:
    stored = await route_table(uow)
    table, version = (stored.spec, stored.version) if stored else (RouteTable(()), 0)
    return version, _placed((await show_routes(uow, table)).model_dump(mode="json", by_alias=True))


def _placed(document: Document) -> Document:
    items = document.get("items")
    known = items if isinstance(items, list) else []
    placed: list[JsonValue] = [
        {**one, _POSITION: number} for number, one in enumerate(known, 1) if isinstance(one, dict)
    ]
    return {"items": placed}


def in_order(document: Document) -> Document:
    """Returns the routes by their places; one without a place comes before the last one, which takes what is left."""
    items = document.get("items")
    known = [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []
    last = max((number for one in known if isinstance(number := one.get(_POSITION), int)), default=1)

    def place(one: Mapping[str, JsonValue]) -> float:
        number = one.get(_POSITION)
        return number if isinstance(number, int) else last - 0.5

    return _placed({"items": [*sorted(known, key=place)]})


def _parsed(document: Document) -> RoutesDocument:
    items = document["items"]
    assert isinstance(items, list)
    bare: list[JsonValue] = [
        {name: value for name, value in one.items() if name != _POSITION} for one in items if isinstance(one, dict)
    ]
    return parsed(RoutesDocument, {"items": bare})


async def _parts(uow: UnitOfWork) -> Parts:
    receivers, policies = await named(uow.receivers), await named(uow.policies, "none")
    unowned = await fallback(uow.receivers)
    columns = (
        Control(f"/{_POSITION}", "Place", ControlKind.NUMBER, "The last one takes what is left, and has no matchers."),
        Control("/matchers", "Alerts", ControlKind.MATCHERS, MATCHERS_HINT),
        Control("/receiver", "Receiver", ControlKind.CHOICE, choices=[*receivers, OWNER_CHOICE]),
        unowned,
        Control("/escalation_policy", "Then by escalation policy", ControlKind.CHOICE, choices=policies),
        Control("/continue", "Ask later routes, too", ControlKind.TICK),
        Control("/group_by", "Collected by labels", ControlKind.LINES, "One a line. Empty: each alert at once."),
        Control("/group_wait", "First alert of a group waits", hint="Such as 30s."),
        Control("/group_interval", "Later ones wait", hint="Such as 5m."),
        Control("/repeat_interval", "Repeated every", hint="Such as 4h; 0s: never. Empty: as its kind does."),
        Control("/mute_times", "Notifies nobody", ControlKind.INTERVALS, INTERVALS_HINT),
        Control("/active_times", "Notifies only", ControlKind.INTERVALS, "Written alike. Empty: at all times."),
    )
    return (Rows("/items", "Routes, in the order in which they are asked", "Route", lambda _: columns),)


async def _page(
    uow: UnitOfWork, caller: Caller, document: Document, version: int, flaws: Flaws = NO_FLAWS, status: int = 200
) -> Response:
    content = {
        "heading": "Routes",
        "advice": "The first route whose matchers all match takes the alert.",
        "form": show_form(await _parts(uow), document, flaws),
        "address": EDIT,
        "left_as": EDIT if flaws else "",
        "version": version,
        "noun": "routes",
        "additions": (),
        "back": ROUTES,
        "removal": "",
    }
    return dashboard_page("resource_form.html.j2", PLACE, caller, content, status)
