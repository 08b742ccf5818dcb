"""Who looks at a page: known by a cookie. A form is only taken from our own pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import Depends, FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from service.api.dashboard.forms import AGAIN, read_form
from service.api.http.deps import NowDep, PortsDep, attempt_of, get_ports
from service.api.http.origin import address_of
from service.api.http.pages import DASHBOARD_HEADERS, notice, page
from service.domain.access import SESSION_LASTS, Caller, Role
from service.workflows.access.refusals import run_note_refusal
from service.workflows.access.sessions import run_session
from service.workflows.configuration.engine import Author
from service.workflows.ports.unit_of_work import Ports

COOKIE = "tocsin_session"
SIGN_IN = "/sign-in"
HOME = "/"


class SignInNeeded(Exception):
    """Nobody is signed in, or no longer. `back` is the page to return to, `form` what was to be sent there."""

    def __init__(self, back: str, form: Mapping[str, str]) -> None:
        super().__init__("sign in first")
        self.back, self.form = back, form


class NotShown(Exception):
    """This page, or what its form does, is not for the caller: 403."""


def answer_with_pages(app: FastAPI) -> None:
    app.add_exception_handler(SignInNeeded, _sign_in)
    app.add_exception_handler(NotShown, _not_shown)


async def _sign_in(request: Request, error: Exception) -> Response:
    assert isinstance(error, SignInNeeded)
    if error.form:
        return sign_in_page(get_ports(request), our_path(error.back), error.form, "", 403)
    return RedirectResponse(f"{SIGN_IN}?{urlencode({'next': error.back})}", 303)


def sign_in_page(ports: Ports, back: str, form: Mapping[str, str], error: str, status: int) -> Response:
    """Returns the page to sign in on. `form` is kept in it, and comes back once somebody is signed in."""
    issuer = ports.people.provider.name if ports.people else ""
    content = {
        "next": back,
        "kept": urlencode(form),
        "fields": form,
        "error": error,
        "issuer": issuer,
        "asking": f"{SIGN_IN}/oidc?{urlencode({'next': back})}",
    }
    return page("sign_in.html.j2", content, status, DASHBOARD_HEADERS)


async def _not_shown(_: Request, error: Exception) -> Response:
    return notice(403, "Nothing was changed", str(error))


async def signed_in(request: Request, ports: PortsDep) -> Caller:
    """Returns who has signed in with this browser. Raises SignInNeeded."""
    caller = await run_session(ports, request.cookies.get(COOKIE, ""))
    if caller is None:
        form = {AGAIN: "yes", **await read_form(request)} if request.method == "POST" else {}
        raise SignInNeeded(f"{request.url.path}?{request.url.query}".rstrip("?"), form)
    return caller


SignedInDep = Annotated[Caller, Depends(signed_in)]


async def from_our_page(request: Request, ports: PortsDep) -> None:
    """Raises NotShown for a form that another site made a browser send: browsers name the site in every POST."""
    sent_from = _site(request.headers.get("origin", "").partition("://")[2])
    own = {_site(request.headers.get("host", "")), _site(urlsplit(ports.public_url).netloc)}
    if not sent_from or sent_from not in own:
        raise NotShown("The form was not sent from a page of this Tocsin. Open the page again, and send it from there.")


def _site(host: str) -> str:
    """Returns a host with its port as browsers write it in an Origin: a proxy or a setting may say more."""
    return host.lower().removesuffix(":80").removesuffix(":443")


our_page = Depends(from_our_page)


def sender(needed: Role) -> Callable[[Request, Ports, Caller, datetime], Awaitable[Author]]:
    """Returns a dependency: who sends a form that takes this role. It raises NotShown for a smaller one, on record."""

    async def check(request: Request, ports: PortsDep, caller: SignedInDep, now: NowDep) -> Author:
        author = Author(caller.actor, now, caller.id, address_of(request))
        if not caller.role.allows(needed):
            refusal = f"This needs the role {needed}; {caller.name!r} is {caller.role}"
            await run_note_refusal(ports, author, attempt_of(request), refusal)
            raise NotShown(f"{refusal}. Sign in as somebody else.")
        return author

    return check


AnsweringDep = Annotated[Author, Depends(sender(Role.OPERATOR))]
AdministeringDep = Annotated[Author, Depends(sender(Role.ADMIN))]


def let_in(answer: Response, session: str, ports: Ports) -> Response:
    """Sets the cookie: out of reach of scripts, and sent to us alone."""
    answer.set_cookie(
        COOKIE,
        session,
        max_age=int(SESSION_LASTS.total_seconds()),
        secure=ports.public_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return answer


def our_path(text: str) -> str:
    """Returns a path of our own to go on to, the overview's for anything that could lead elsewhere."""
    is_ours = text.startswith("/") and not text.startswith("//")
    is_plain = text.isascii() and text.isprintable() and "\\" not in text
    return text if is_ours and is_plain else HOME
