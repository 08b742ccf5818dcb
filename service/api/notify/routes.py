"""`/v1/routes`: the table of routes as one document, and where an alert would go."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query
from fastapi.responses import Response

from service.api.http.deps import AuthorDep, UowDep, admin, viewer
from service.api.http.responses import IfMatch, etag, require_match, respond
from service.api.notify.route_documents import RoutesDocument, RoutesOut, read_routes, show_routes
from service.api.notify.route_matches import MatchOut, show_match
from service.domain.notify.routing.doubts import require_possible_labels
from service.domain.notify.routing.labels import parse_labels
from service.domain.notify.routing.routes import RouteTable
from service.domain.notify.undelivered import NO_SOURCE
from service.domain.values.errors import Invalid
from service.workflows.configuration.notify import put_routes, route_table, routes_version
from service.workflows.notify.known_labels import known_labels
from service.workflows.notify.situation import read_situation

router = APIRouter(prefix="/v1/routes", tags=["Routes"])

EXAMPLE = {
    "items": [
        {
            "matchers": [{"label": "severity", "op": "=~", "value": "error|critical"}],
            "receiver": "console",
            "continue": True,
            "repeat_interval": "4h",
        },
        {
            "receiver": "console",
            "mute_times": [
                {
                    "times": [{"start_time": "20:00", "end_time": "08:00"}],
                    "weekdays": ["monday:friday"],
                    "location": "Europe/Berlin",
                }
            ],
        },
    ]
}


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
    document: Annotated[RoutesDocument, Body(openapi_examples={"example": {"value": EXAMPLE}})],
    uow: UowDep,
    author: AuthorDep,
    if_match: IfMatch = None,
) -> Response:
    require_match(if_match, await routes_version(uow))
    after = await put_routes(uow, await read_routes(uow, document), author)
    return respond(await show_routes(uow, after.spec), headers=etag(after.version))


@router.get(
    "/match",
    summary="Where an alert, or one with these labels, would go now, and what would hold it back",
    response_model=MatchOut,
    responses={404: {}},
    dependencies=[viewer],
)
async def match(
    uow: UowDep,
    author: AuthorDep,
    alert: Annotated[str | None, Query(description="an alert's id", pattern=r"^[A-Za-z0-9_-]{1,100}$")] = None,
    labels: Annotated[
        list[str],
        Query(alias="label", max_length=50, description="without an alert", examples=["severity=critical"]),
    ] = [],  # noqa: B006 - read only
) -> Response:
    if alert is not None and labels:
        raise Invalid("give either an alert or labels", "/label")
    if alert is not None:
        subject = await uow.alerts.get(alert)
        situation = await read_situation(uow, subject.source_id, author.at)
        return respond(show_match(subject, situation.labels(subject), situation, await known_labels(uow)))
    try:
        asked = parse_labels(labels)
    except ValueError as error:
        raise Invalid(str(error), "/label") from error
    require_possible_labels(asked, "/label")
    situation = await read_situation(uow, NO_SOURCE, author.at)
    return respond(show_match(None, asked, situation, await known_labels(uow)))
