"""A drill by its page: it leads to its alert, and what is wrong comes back with the form."""

from __future__ import annotations

from service.domain.access import Role
from tests.api.dashboard.browser import signed_in
from tests.api.stand import SOURCE, Stand, answered


async def test_an_operator_rehearses_an_alert(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    opened = await signed_in(stand)
    address = f"/pages/sources/{source['id']}/drill"
    assert address in (await opened.get(f"/pages/sources/{source['id']}")).text
    sent = await opened.post(address, data={"/severity": "error", "/labels": "team=eng"})
    (alert,) = answered(await stand.viewer.get("/v1/alerts"))["items"]
    assert (sent.status_code, sent.headers["location"]) == (303, f"/pages/alerts/{alert['id']}")
    assert (alert["kind"], alert["severity"]) == ("drill", "error")
    again = await opened.post(address, data={"/severity": "error", "/labels": "team=eng"})
    assert (again.status_code, f"resolve {alert['id']} first" in again.text) == (409, True)


async def test_a_label_that_a_drill_has_by_itself_is_refused_at_its_field(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    opened = await signed_in(stand)
    twice = await opened.post(f"/pages/sources/{source['id']}/drill", data={"/labels": "team=eng\nteam=ops"})
    assert twice.status_code == 422
    assert "team stands here twice" in twice.text
    sent = await opened.post(f"/pages/sources/{source['id']}/drill", data={"/labels": "severity=info"})
    assert (sent.status_code, "a drill has this label from its severity" in sent.text) == (422, True)
    assert "severity=info</textarea>" in sent.text
    assert f'<meta name="left-as" content="/pages/sources/{source["id"]}/drill">' in sent.text
    assert answered(await stand.viewer.get("/v1/alerts"))["items"] == []


async def test_a_viewer_rehearses_nothing_and_what_is_off_is_not_offered(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE | {"enabled": False})
    address = f"/pages/sources/{source['id']}"
    assert f"{address}/drill" not in (await (await signed_in(stand)).get(address)).text
    assert (await (await signed_in(stand, Role.VIEWER)).post(f"{address}/drill", data={})).status_code == 403
