"""Signing in with a token, and out."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from service.api.dashboard.forms import FormDep
from service.api.dashboard.session import COOKIE, SIGN_IN, let_in, our_page, our_path, sign_in_page
from service.api.http.deps import PortsDep, attempt_of
from service.api.http.origin import address_of
from service.api.http.pages import DASHBOARD_HEADERS, ICON, LIVE, page
from service.workflows.access.sessions import run_sign_in

router = APIRouter(include_in_schema=False)


@router.head("/icon.svg")  # probes ask so
@router.get("/icon.svg")
async def show_icon() -> Response:
    return Response(ICON, media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})


@router.head("/live.js")  # probes ask so
@router.get("/live.js")
async def show_script() -> Response:
    return Response(LIVE, media_type="text/javascript", headers={"Cache-Control": "no-cache"})


@router.head(SIGN_IN)  # probes ask so
@router.get(SIGN_IN)
async def show_sign_in(ports: PortsDep, next: str = "") -> Response:
    return sign_in_page(ports, our_path(next), {}, "", 200)


@router.post(SIGN_IN, dependencies=[our_page])
async def sign_in(request: Request, ports: PortsDep, form: FormDep) -> Response:
    back, kept = our_path(form.get("next", "")), dict(parse_qsl(form.get("kept", ""), keep_blank_values=True))
    session = await run_sign_in(ports, form.get("token", "").strip(), attempt_of(request), address_of(request))
    if session is None:
        return sign_in_page(
            ports, back, kept, "No live token has this text. It begins with tcn_, and was shown once.", 403
        )
    return let_in(_onwards(back, kept), session, ports)


def _onwards(back: str, kept: Mapping[str, str]) -> Response:
    """Leads to the page that was asked for; where a form was kept, by one more press, since that may change much."""
    if not kept:
        return RedirectResponse(back, 303, DASHBOARD_HEADERS)
    return page("kept_form.html.j2", {"address": back, "fields": kept}, 200, DASHBOARD_HEADERS)


@router.post("/sign-out", dependencies=[our_page])
async def sign_out() -> Response:
    answer = RedirectResponse(SIGN_IN, 303, DASHBOARD_HEADERS)
    answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
    return answer
