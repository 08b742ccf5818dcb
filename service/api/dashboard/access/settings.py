"""`/pages/settings`: what this installation is, who one is, and where the rest is set."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service import __version__
from service.api.dashboard.access.frame import AREAS, PLACE, SETTINGS
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.session import SignedInDep
from service.api.http.deps import NowDep, PortsDep
from service.domain.access import Role
from service.domain.values.plain_text import minute

router = APIRouter(include_in_schema=False)

_DEAF = "off: set TOCSIN_SLACK_SIGNING_SECRET or TOCSIN_SLACK_APP_TOKEN"


@router.head(SETTINGS)  # probes ask so
@router.get(SETTINGS)
async def show_settings(request: Request, caller: SignedInDep, ports: PortsDep, now: NowDep) -> Response:
    is_secure, hears_slack = ports.public_url.startswith("https:"), request.app.state.slack is not None
    facts = [
        ("Version", __version__),
        ("Address in links (TOCSIN_PUBLIC_URL)", ports.public_url),
        ("Cookies", "over TLS alone" if is_secure else "also without TLS: the address above is not https"),
        (
            "Buttons in Slack",
            "heard" if hears_slack else _DEAF,
        ),
        ("Time", minute(now)),
        ("You", f"{caller.name}, {caller.role}"),
    ]
    is_admin = caller.role.allows(Role.ADMIN)
    content = {"areas": AREAS if is_admin else AREAS[:1], "area": SETTINGS, "facts": facts}
    return dashboard_page("settings.html.j2", PLACE, caller, content)
