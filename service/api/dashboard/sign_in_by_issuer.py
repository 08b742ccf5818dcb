"""Signing in by an issuer of identities: to its page, and back."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from service.api.dashboard.session import SIGN_IN, let_in, our_path, sign_in_page
from service.api.http.deps import PortsDep
from service.api.http.origin import address_of
from service.api.http.pages import DASHBOARD_HEADERS
from service.domain.values.errors import NotFound
from service.domain.values.plain_text import clean
from service.workflows.access.people import ASKED_FOR, CALLBACK, begin_sign_in, run_finish_sign_in
from service.workflows.ports.identity import IdentityRefused, PeopleAccess
from service.workflows.ports.unit_of_work import Ports

router = APIRouter(include_in_schema=False)

BEGIN = f"{SIGN_IN}/oidc"
ASKED = "tocsin_asked"
"""The cookie of a sign-in that is on its way."""


@router.get(BEGIN)
async def ask_the_issuer(ports: PortsDep, next: str = "") -> Response:
    try:
        address, kept = await begin_sign_in(ports, _people(ports), our_path(next))
    except IdentityRefused as error:
        return sign_in_page(ports, our_path(next), {}, str(error), 502)
    answer = RedirectResponse(address, 303, DASHBOARD_HEADERS)
    _keep(answer, kept, ports)
    return answer


@router.get(CALLBACK)
async def take_the_answer(
    request: Request, ports: PortsDep, state: str = "", code: str = "", error: str = "", error_description: str = ""
) -> Response:
    """Lets in whom the issuer has recognised, where this browser has asked and a group of theirs has a role."""
    people = _people(ports)
    if error:
        said = clean(f"{error} {error_description}")
        return sign_in_page(ports, "/", {}, f"The issuer let nobody in: {said}. Try again, or use a token.", 403)
    try:
        kept = request.cookies.get(ASKED, "")
        session, back = await run_finish_sign_in(ports, people, kept, state, code, address_of(request))
    except IdentityRefused as refused:
        return sign_in_page(ports, "/", {}, str(refused), 403)
    answer = let_in(RedirectResponse(our_path(back), 303, DASHBOARD_HEADERS), session, ports)
    answer.delete_cookie(ASKED, path=BEGIN, httponly=True, samesite="lax")
    return answer


def _people(ports: Ports) -> PeopleAccess:
    """Raises NotFound where no issuer is set."""
    if ports.people is None:
        raise NotFound("No issuer is set: TOCSIN_OIDC_ISSUER names it. Sign in with a token.")
    return ports.people


def _keep(answer: Response, kept: str, ports: Ports) -> None:
    answer.set_cookie(
        ASKED,
        kept,
        max_age=int(ASKED_FOR.total_seconds()),
        path=BEGIN,
        secure=ports.public_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
