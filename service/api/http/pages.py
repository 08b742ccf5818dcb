"""Pages for people's browsers: escaped, without scripts, and with nothing from elsewhere."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Mapping
from importlib.resources import files

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from service.domain.values.errors import NotFound
from service.workflows.notify.followed_links import LinkForged

_PACKAGE = "service.api.http"
_FILES = files(_PACKAGE).joinpath("templates")
_STYLE = "".join(_FILES.joinpath(name).read_text("utf-8") for name in ("page.css", "console.css"))
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
ICON = _FILES.joinpath("icon.svg").read_bytes()
LIVE = _FILES.joinpath("live.js").read_bytes()

PAGE_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Security-Policy": (
        f"default-src 'none'; img-src 'self'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
}

DASHBOARD_HEADERS: Mapping[str, str] = {**PAGE_HEADERS, "Referrer-Policy": "same-origin"}
"""Headers of pages with forms for who has signed in: with "no-referrer" a browser would not say who sends a form."""

LIVE_HEADERS: Mapping[str, str] = {
    **DASHBOARD_HEADERS,
    "Content-Security-Policy": f"{PAGE_HEADERS['Content-Security-Policy']}; script-src 'self'; connect-src 'self'",
}
"""Headers of pages that our own script keeps current; they can be read and used without it."""


@functools.cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader(_PACKAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def page(
    template: str, content: Mapping[str, object], status: int = 200, headers: Mapping[str, str] = PAGE_HEADERS
) -> HTMLResponse:
    """Returns a page with all of `content` escaped."""
    html = _templates().get_template(template).render(content, style=Markup(_STYLE))  # noqa: S704  # our own file
    return HTMLResponse(html, status, headers)


def notice(status: int, heading: str, text: str) -> HTMLResponse:
    """Returns a page of one sentence."""
    return page("notice.html.j2", {"heading": heading, "text": text}, status)


def refused(error: NotFound) -> HTMLResponse:
    """Returns the page for a link that opens nothing: it says as little to a stranger as to a friend."""
    if isinstance(error, LinkForged):
        text = "The link is incomplete, or was changed on its way. Open it from the message again, or copy all of it."
        return notice(404, "There is no such page", text)
    text = "It was valid for a week, or it was withdrawn. A newer message has a new one."
    return notice(410, "This link is over", text)


def is_a_browser(request: Request) -> bool:
    """Whether somebody looks at the answer: browsers name HTML first."""
    return request.headers.get("accept", "").startswith("text/html")
