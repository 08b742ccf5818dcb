"""Who is on call, and who comes after, by their forms."""

from __future__ import annotations

from service.domain.access import Role
from tests.api.dashboard.browser import signed_in
from tests.api.stand import Stand, answered


async def test_a_rota_and_the_policy_that_calls_it_are_made(stand: Stand) -> None:
    await stand.create("/receivers", {"name": "console", "channels": [{"kind": "console"}]})
    opened = await signed_in(stand, Role.ADMIN)
    rota = {
        "/name": "engineers",
        "/people/0/name": "ann",
        "/people/0/receiver": "console",
        "/people/1/name": "ben",
        "/people/1/receiver": "console",
        "/people/2/name": "",
        "/people/2/receiver": "",
        "/handover/weekday": "tuesday",
        "/handover/hour": "10",
        "/timezone": "Europe/Berlin",
    }
    assert (await opened.post("/pages/rotas/new", data=rota)).status_code == 303
    assert "ann is on call until" in (await opened.get("/pages/rotas")).text
    policy = {
        "/name": "on call",
        "/steps/0/after": "0s",
        "/steps/0/rota": "engineers",
        "/steps/1/after": "15m",
        "/steps/1/receiver": "console",
        "/repeat": "1",
    }
    assert (await opened.post("/pages/escalation/new", data=policy)).status_code == 303
    page = (await opened.get("/pages/escalation")).text
    assert "after 0s: engineers, on call" in page
    (stored,) = answered(await stand.admin.get("/v1/escalation-policies"))["items"]
    assert (stored["repeat"], stored["steps"][1]["receiver"]) == (1, "console")
    answer = await opened.post("/pages/escalation/new", data=policy | {"/name": "two", "/steps/1/after": "soon"})
    assert (answer.status_code, 'value="soon"' in answer.text) == (422, True)
