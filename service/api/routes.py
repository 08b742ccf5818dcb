"""`/v1/routes`: where alerts go, one document."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.configured import ReadOnly
from service.api.deps import AuthorDep, UowDep, admin, viewer
from service.api.etags import IfMatch, etag, require_match
from service.api.fields import Reference, Strict
from service.api.once import respond
from service.domain.errors import Invalid, NotFound
from service.domain.receivers import Route, RouteTable
from service.workflows.administer import put_routes, route_table
from service.workflows.ports import UnitOfWork

router = APIRouter(prefix="/v1/routes", tags=["Routes"])


class MatcherIn(Strict):
    label: Reference
    op: str = Field(max_length=2, examples=["="])
    value: str = Field(max_length=500)


class RouteIn(Strict):
    """The last route has no matchers and takes every alert. Only this default route is supported yet."""

    matchers: list[MatcherIn] = Field(default=[], max_length=50)
    receiver: Reference = Field(description="a receiver's id or name", examples=["console"])


class RoutesIn(Strict):
    items: list[RouteIn] = Field(max_length=500)
    next: ReadOnly = None


class RouteOut(BaseModel):
    matchers: list[Any]
    receiver: str


class RoutesOut(BaseModel):
    items: list[RouteOut]
    next: None = None


async def show_routes(uow: UnitOfWork, table: RouteTable) -> RoutesOut:
    names = {receiver.id: receiver.name for receiver in await uow.receivers.all()}
    return RoutesOut(
        items=[RouteOut(matchers=[], receiver=names.get(route.receiver_id, route.receiver_id)) for route in table.items]
    )


async def read_routes(uow: UnitOfWork, document: RoutesIn) -> RouteTable:
    for position, route in enumerate(document.items):
        if route.matchers:
            raise Invalid("matchers are not supported yet: only the default route is", f"/items/{position}/matchers")
    if not document.items:
        raise Invalid("the default route, without matchers, cannot be removed", "/items")
    if len(document.items) > 1:
        raise Invalid("only the default route is supported yet; it takes every alert", "/items/0")
    try:
        receiver = await uow.receivers.get(document.items[0].receiver)
    except NotFound as error:
        raise Invalid(f"there is no receiver {document.items[0].receiver!r}", "/items/0/receiver") from error
    return RouteTable((Route(receiver.id),))


@router.get("", summary="Read the routes", response_model=RoutesOut, dependencies=[viewer])
async def get(uow: UowDep) -> Response:
    stored = await route_table(uow)
    table, version = (stored.spec, stored.version) if stored else (RouteTable(()), 0)
    return respond(await show_routes(uow, table), headers=etag(version))


@router.put(
    "",
    summary="Replace the routes",
    response_model=RoutesOut,
    responses={409: {}, 412: {}},
    dependencies=[admin],
)
async def put(
    document: Annotated[
        RoutesIn,
        Body(openapi_examples={"example": {"value": {"items": [{"matchers": [], "receiver": "console"}]}}}),
    ],
    uow: UowDep,
    author: AuthorDep,
    if_match: IfMatch = None,
) -> Response:
    stored = await route_table(uow)
    require_match(if_match, stored.version if stored else 0)
    after = await put_routes(uow, await read_routes(uow, document), author)
    return respond(await show_routes(uow, after.spec), headers=etag(after.version))
