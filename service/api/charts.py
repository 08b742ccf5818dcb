"""An alert's chart: its specification with a token, and its picture behind a signed link that expires."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, JsonValue

from service.api.http.deps import Id, PortsDep, UowDep, viewer
from service.api.http.responses import respond
from service.domain.charts.chart import Theme
from service.domain.charts.specification import MEDIA, specification
from service.domain.values.errors import NotFound
from service.workflows.charts.chart import chart_of
from service.workflows.charts.picture import run_linked_picture

router = APIRouter(tags=["Alerts"])

THEME = Query(description="for a light or a dark page")


class ChartOut(BaseModel):
    """A Vega-Lite specification with its data inside, and what it shows in words."""

    alert_id: str
    alt: str
    specification: dict[str, JsonValue]


@router.get(
    "/v1/alerts/{id}/chart",
    summary="An alert's chart as a Vega-Lite specification",
    response_model=ChartOut,
    responses={404: {}},
    dependencies=[viewer],
)
async def chart(id: Id, uow: UowDep, theme: Annotated[Theme, THEME] = Theme.LIGHT) -> Response:
    events = await uow.alerts.events(id)
    drawn = await chart_of(uow, events[-1]) if events else None
    if drawn is None:
        raise NotFound(f"there is no chart of an alert {id!r}")
    return respond(
        ChartOut.model_validate({"alert_id": id, "alt": drawn.alt, "specification": specification(drawn, theme)})
    )


@router.head("/charts/{token}.png", include_in_schema=False)  # link checkers and mail programs ask so
@router.get(
    "/charts/{token}.png",
    summary="An alert's chart as a picture, behind a signed link",
    response_class=Response,
    responses={200: {"content": {MEDIA: {"schema": {"type": "string", "format": "binary"}}}}, 404: {}},
)
async def picture(
    ports: PortsDep,
    token: Annotated[str, Path(description="From a message", pattern=r"^[A-Za-z0-9_.-]{1,200}$")],
    theme: Annotated[Theme, THEME] = Theme.LIGHT,
) -> Response:
    png = await run_linked_picture(ports, token, theme)
    if png is None:
        raise NotFound("this link is not valid, or no longer")
    headers = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return Response(png, media_type=MEDIA, headers=headers)
