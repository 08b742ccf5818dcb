"""The page behind the link of a receiver's test: that it arrived, and what an alert's link opens there."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from service.api.http.deps import PortsDep
from service.api.http.pages import page, refused
from service.domain.messages.message import badge
from service.domain.values.errors import NotFound
from service.workflows.notify.tested import run_linked_test

router = APIRouter(include_in_schema=False)


@router.head("/tests/{token}")  # mail scanners ask so
@router.get("/tests/{token}")
async def show_test(ports: PortsDep, token: str) -> Response:
    try:
        message = await run_linked_test(ports, token)
    except NotFound as error:
        return refused(error)
    return page("message.html.j2", {"message": message, "badge": badge(message), "chart": "", "alt": ""})
