"""A rota's calendar on its page: the coming weeks, and a link that is shown once and can be ended."""

from __future__ import annotations

import re

from service.domain.access import Role
from tests.api.access.test_audit_events import ROTA
from tests.api.dashboard.browser import signed_in
from tests.api.stand import Stand, answered


async def rota(stand: Stand) -> str:
    """Returns the address of its calendar's page."""
    await stand.create("/receivers", {"name": "spare", "channels": [{"kind": "console"}]})
    return f"/pages/rotas/{(await stand.create('/rotas', ROTA))['id']}/calendar"


async def test_a_link_is_shown_once_opens_the_calendar_and_ends(stand: Stand) -> None:
    address, opened = await rota(stand), await signed_in(stand, Role.ADMIN)
    assert "There is no link yet." in (await opened.get(address)).text
    made = await opened.post(f"{address}/link")
    (link,) = re.findall(r"http://tocsin\.example(/calendars/[\w.-]+\.ics)", made.text)
    assert made.headers["cache-control"] == "no-store"
    assert "SUMMARY:On call: ann" in (await stand.stranger.get(link)).text
    page = (await opened.get(address)).text
    assert (link in page, "There is a link since" in page) == (False, True)
    for _ in range(2):
        assert (await opened.post(f"{address}/link/end")).status_code == 303
    assert (await stand.stranger.get(link)).status_code == 404


async def test_a_new_link_ends_the_one_before(stand: Stand) -> None:
    address, opened = await rota(stand), await signed_in(stand, Role.ADMIN)
    first, second = [
        re.findall(r"(/calendars/[\w.-]+\.ics)", (await opened.post(f"{address}/link")).text)[0] for _ in range(2)
    ]
    assert [(await stand.stranger.get(link)).status_code for link in (first, second)] == [404, 200]


async def test_a_viewer_sees_the_coming_weeks_and_makes_no_link(stand: Stand) -> None:
    address, opened = await rota(stand), await signed_in(stand, Role.VIEWER)
    assert address in (await opened.get("/pages/rotas")).text
    page = (await opened.get(address)).text
    assert page.count("<td>ann") == 9, "the week that runs, and those that begin within eight more"
    assert "Make a link" not in page
    for act in ("link", "link/end"):
        assert (await opened.post(f"{address}/{act}")).status_code == 403, act
    assert answered(await stand.viewer.get("/v1/rotas/eng"))["calendar_link"] is None
