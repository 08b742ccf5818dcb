"""Signing in with a token, and out."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from service.api.dashboard.forms import FormDep
from service.api.dashboard.session import COOKIE, SIGN_IN, let_in, our_page, our_path
from service.api.http.deps import PortsDep, attempt_of
from service.api.http.origin import address_of
from service.api.http.pages import DASHBOARD_HEADERS, ICON, page
from service.workflows.access.sessions import run_sign_in

router = APIRouter(include_in_schema=False)


@router.head("/icon.svg")  # probes ask so
@router.get("/icon.svg")
async def show_icon() -> Response:
    return Response(ICON, media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})


@router.head(SIGN_IN)  # probes ask so
@router.get(SIGN_IN)
async def show_sign_in(next: str = "") -> Response:
    return _sign_in_page(our_path(next), "", 200)


@router.post(SIGN_IN, dependencies=[our_page])
async def sign_in(request: Request, ports: PortsDep, form: FormDep) -> Response:
    back = our_path(form.get("next", ""))
    session = await run_sign_in(ports, form.get("token", "").strip(), attempt_of(request), address_of(request))
    if session is None:
        return _sign_in_page(back, "No live token has this text. It begins with tcn_, and was shown once.", 403)
    return let_in(RedirectResponse(back, 303, DASHBOARD_HEADERS), session, ports)


@router.post("/sign-out", dependencies=[our_page])
async def sign_out() -> Response:
    answer = RedirectResponse(SIGN_IN, 303, DASHBOARD_HEADERS)
    answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
    return answer


def _sign_in_page(back: str, error: str, status: int) -> Response:
    return page("sign_in.html.j2", {"next": back, "error": error}, status, DASHBOARD_HEADERS)
