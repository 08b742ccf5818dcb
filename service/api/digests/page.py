"""A digest's page behind the link of its message: the same figures as they are known now, and the chart."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from service.api.http.deps import PortsDep
from service.api.http.pages import notice, page, refused
from service.domain.charts.chart import Theme
from service.domain.charts.specification import MEDIA
from service.domain.messages.message import badge
from service.domain.values.errors import NotFound
from service.workflows.digests.linked import run_linked_chart, run_linked_digest

router = APIRouter(include_in_schema=False)

CHART_ALT = "Spend of the period beside that of the period before"


@router.head("/digests/{token}")  # mail scanners ask so
@router.get("/digests/{token}")
async def show_digest(ports: PortsDep, token: str) -> Response:
    try:
        message = await run_linked_digest(ports, token)
    except NotFound as error:
        return refused(error)
    chart = f"/digests/{token}/chart.png"
    return page(
        "message.html.j2",
        {
            "message": message,
            "badge": badge(message),
            "chart": chart,
            "alt": CHART_ALT,
        },
    )


@router.get("/digests/{token}/chart.png")
async def show_chart(ports: PortsDep, token: str, theme: Theme = Theme.LIGHT) -> Response:
    try:
        png = await run_linked_chart(ports, token, theme)
    except NotFound as error:
        return refused(error)
    return chart_answer(png)


def chart_answer(png: bytes | None) -> Response:
    """Returns a digest's chart, and for None a page that says where its figures are."""
    if png is None:
        return notice(
            404, "There is no chart", "It could not be drawn just now. The figures stand on the digest's page."
        )
    return Response(png, media_type=MEDIA, headers={"Cache-Control": "private, max-age=3600"})
