"""An alert is handed on from its page, by who may answer."""

from __future__ import annotations

import re

from service.domain.access import Role
from tests.api.alerts.test_alerts import rung
from tests.api.dashboard.browser import signed_in
from tests.api.dashboard.test_alerts import of_rest
from tests.api.stand import ENG, Stand, answered

MAIL = {"name": "Bob's <b>mail</b>", "channels": [{"kind": "email", "to": ["bob@example.com"]}]}


def offered(page: str) -> list[str]:
    return re.findall(r"<option value=\"rcv_[^>]*>([^<]*)", page)


async def test_an_operator_hands_it_on_with_a_note_and_sees_who_has_it(stand: Stand) -> None:
    alert, bob = await rung(stand), await stand.create("/receivers", MAIL)
    address, opened = f"/pages/alerts/{alert['id']}", await signed_in(stand)
    assert offered((await opened.get(address)).text) == ["Bob&#39;s &lt;b&gt;mail&lt;/b&gt;", "console"]
    for _ in range(2):
        sent = await opened.post(f"{address}/hand-on", data={"to": bob["id"], "note": "your\nkey"})
        assert (sent.status_code, sent.headers["location"]) == (303, address)
    after = await of_rest(stand, alert["id"])
    assert (after["handed_to"], len(after["events"]), after["events"][-1]["note"]) == (MAIL["name"], 2, "your key")
    page = (await opened.get(address)).text
    assert "Handed on by the operator to Bob&#39;s &lt;b&gt;mail&lt;/b&gt;. Note: your key" in page
    assert "critical, firing, handed on to Bob&#39;s" in page
    assert "then acknowledge" in page, "whoever has it now reads the page, too"
    assert offered(page) == ["console"]


async def test_the_owner_of_what_it_is_about_comes_first(stand: Stand) -> None:
    alert = await rung(stand)
    member = {"member": f"workspace:{ENG.workspace}", "owner": "zoe@example.com"}
    answered(await stand.admin.patch("/v1/owners", json={"items": [member]}))
    page = (await (await signed_in(stand)).get(f"/pages/alerts/{alert['id']}")).text
    assert offered(page) == ["zoe@example.com, who owns it", "console"]


async def test_a_viewer_is_not_asked_and_what_is_over_goes_nowhere(stand: Stand) -> None:
    alert = await rung(stand)
    address, watching = f"/pages/alerts/{alert['id']}", await signed_in(stand, Role.VIEWER)
    assert offered((await watching.get(address)).text) == []
    assert (await watching.post(f"{address}/hand-on", data={"to": "console"})).status_code == 403
    opened = await signed_in(stand)
    assert (await opened.post(f"{address}/hand-on", data={"to": "nobody"})).status_code == 422
    await opened.post(address, data={"answer": "resolve"})
    assert offered((await opened.get(address)).text) == []
    assert (await opened.post(f"{address}/hand-on", data={"to": "console"})).status_code == 303
    assert (await of_rest(stand, alert["id"]))["handed_to"] is None
