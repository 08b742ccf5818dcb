"""`/pages/settings`: what this installation is, who one is, and where the rest is set."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service import __version__
from service.api.dashboard.access.frame import PLACE, SETTINGS, areas
from service.api.dashboard.documents.pages import led_to
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.session import AdministeringDep, SignedInDep, our_page
from service.api.http.deps import NowDep, PortsDep, UowDep
from service.domain.access import Role
from service.domain.values.plain_text import minute
from service.workflows.slack.workspaces import forget_workspace, pinned_workspace

router = APIRouter(include_in_schema=False)

FORGET_SLACK = f"{SETTINGS}/slack-workspace/forget"
_DEAF = "off: set TOCSIN_SLACK_SIGNING_SECRET or TOCSIN_SLACK_APP_TOKEN"


@router.head(SETTINGS)  # probes ask so
@router.get(SETTINGS)
async def show_settings(request: Request, caller: SignedInDep, ports: PortsDep, uow: UowDep, now: NowDep) -> Response:
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
    pinned = await pinned_workspace(uow)
    content = {
        "areas": areas(caller),
        "area": SETTINGS,
        "facts": facts,
        "slack": f"{pinned.spec}, since {minute(pinned.created_at)}" if pinned else "",
        "forgotten_at": FORGET_SLACK if is_admin else "",
    }
    return dashboard_page("settings.html.j2", PLACE, caller, content)


@router.post(FORGET_SLACK, dependencies=[our_page])
async def forget_slack(uow: UowDep, author: AdministeringDep) -> Response:
    """Lets the next Slack workspace that acts be the one; where none has acted, nothing is left to do."""
    if await pinned_workspace(uow) is not None:
        await forget_workspace(uow, author)
    return led_to(SETTINGS)
