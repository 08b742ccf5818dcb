"""The frame of every page: where one can go, and who one is."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi.responses import Response

from service.api.http.pages import DASHBOARD_HEADERS, LIVE_HEADERS, page
from service.domain.access import Caller

PLACES = (
    ("Overview", "/"),
    ("Spend", "/pages/spend"),
    ("Budgets", "/pages/budgets"),
    ("Rules", "/pages/rules"),
    ("Alerts", "/pages/alerts"),
    ("Sources", "/pages/sources"),
    ("Notify", "/pages/receivers"),
    ("Settings", "/pages/settings"),
)


def dashboard_page(
    template: str, place: str, caller: Caller, content: Mapping[str, object], status: int = 200
) -> Response:
    """Returns a page. Where `content` has a `left_as`, it answers a form: whoever comes back to it reads that address,
    since what a browser was answered to a form it asks for only by sending the form again.
    """
    headers = LIVE_HEADERS if content.get("left_as") else DASHBOARD_HEADERS
    return _framed(template, place, caller, {**content, "live": False}, status, headers)


def live_page(template: str, place: str, caller: Caller, content: Mapping[str, object], status: int = 200) -> Response:
    """Returns a page that our script keeps current."""
    return _framed(template, place, caller, {**content, "live": True}, status, LIVE_HEADERS)


def _framed(
    template: str,
    place: str,
    caller: Caller,
    content: Mapping[str, object],
    status: int,
    headers: Mapping[str, str],
) -> Response:
    frame = {"left_as": "", "places": PLACES, "place": place, "caller": caller.name, "role": str(caller.role)}
    return page(template, {**frame, **content}, status, headers)
