"""An alert is handed on: the new one is told once, the others hear of it, and it is on record."""

from __future__ import annotations

from typing import Any

from tests.api.alerts.test_alerts import rung
from tests.api.stand import Stand, answered, pointers, problem

BOB = "bob@example.com"
MAIL = {"name": BOB, "channels": [{"kind": "email", "to": [BOB]}]}


async def hand_on(stand: Stand, alert_id: str) -> Any:
    await stand.create("/receivers", MAIL)
    document = {"to": BOB, "note": "your key"}
    return answered(await stand.operator.post(f"/v1/alerts/{alert_id}/hand-on", json=document))


def told(detail: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Who was notified, how and why, the oldest first."""
    return [(one["receiver"], one["action"], one["reason"]) for one in reversed(detail["notifications"])]


async def test_the_new_one_is_told_once_and_the_old_one_hears_of_it(stand: Stand) -> None:
    alert = await rung(stand)
    detail = await hand_on(stand, alert["id"])
    assert (detail["state"], detail["handed_to"]) == ("firing", BOB)
    assert sorted(told(detail)[1:]) == [(BOB, "open", "handed_on"), ("console", "amend", "handed_on")]
    event = detail["events"][-1]
    assert (event["command"], event["reason"], event["handed_to"], event["note"]) == (
        *("amend", "handed_on"),
        *(BOB, "your key"),
    )
    (audited, *_) = answered(await stand.admin.get("/v1/audit-events"))["items"]
    assert audited["action"] == "alert.hand_on"
    assert audited["after"]["handed_to"]["receiver_name"] == BOB
    problem(await stand.operator.post(f"/v1/alerts/{alert['id']}/hand-on", json={"to": BOB}), 409)


async def test_what_comes_later_goes_to_the_new_one(stand: Stand) -> None:
    alert = await rung(stand)
    routes = [{"receiver": "owner", "fallback": "console"}]
    answered(await stand.admin.put("/v1/routes", json={"items": routes}))
    await hand_on(stand, alert["id"])
    found = answered(await stand.viewer.get(f"/v1/routes/match?alert={alert['id']}"))
    assert [one["receiver"] for one in found["goes_to"]] == [BOB]
    assert BOB in found["labels"]["owner"]


async def test_it_goes_to_a_receiver_that_there_is(stand: Stand) -> None:
    alert = await rung(stand)
    refused = await stand.operator.post(f"/v1/alerts/{alert['id']}/hand-on", json={"to": "consol"})
    assert pointers(refused) == ["/to"]
    assert "the nearest: console" in refused.text
    problem(await stand.viewer.post(f"/v1/alerts/{alert['id']}/hand-on", json={"to": "console"}), 403)


async def test_what_is_over_is_not_handed_on(stand: Stand) -> None:
    alert = await rung(stand)
    answered(await stand.operator.post(f"/v1/alerts/{alert['id']}/resolve"))
    problem(await stand.operator.post(f"/v1/alerts/{alert['id']}/hand-on", json={"to": "console"}), 409)
