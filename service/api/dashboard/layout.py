"""The frame of every page: where one can go, and who one is."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi.responses import Response

from service.api.http.pages import DASHBOARD_HEADERS, page
from service.domain.access import Token

PLACES = (
    ("Overview", "/"),
    ("Spend", "/pages/spend"),
    ("Budgets", "/pages/budgets"),
    ("Rules", "/pages/rules"),
    ("Alerts", "/pages/alerts"),
)


def dashboard_page(
    template: str, place: str, caller: Token, content: Mapping[str, object], status: int = 200
) -> Response:
    frame = {"places": PLACES, "place": place, "caller": caller.name, "role": str(caller.role)}
    return page(template, {**frame, **content}, status, DASHBOARD_HEADERS)
