"""A browser without a window: it keeps its cookies, and says which site sends a form."""

from __future__ import annotations

from httpx import ASGITransport, AsyncClient

from service.domain.access import Role
from tests.api.stand import Stand

SITE = "http://tocsin.example"


def browser(stand: Stand) -> AsyncClient:
    transport = ASGITransport(stand.app, raise_app_exceptions=False)
    return AsyncClient(transport=transport, base_url=SITE, headers={"Accept": "text/html", "Origin": SITE})


async def signed_in(stand: Stand, role: Role = Role.OPERATOR) -> AsyncClient:
    opened = browser(stand)
    answer = await opened.post("/sign-in", data={"token": f"tcn_FAKE-{role}-token-of-the-tests"})
    assert answer.status_code == 303, answer.text
    return opened
