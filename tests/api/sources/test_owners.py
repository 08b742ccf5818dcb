"""Owners and tags over REST: who may be one, what follows from it, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.api.stand import SLACK, Stand, answered, pointers, problem

WORKSPACE, KEY = "workspace:wrkspc_eng", "api_key:apikey_ci"


async def patch(stand: Stand, *items: dict[str, Any]) -> Any:
    return answered(await stand.admin.patch("/v1/owners", json={"items": list(items)}))["items"]


async def test_owners_are_read_as_they_were_written_and_keep_an_etag(spent: Stand) -> None:
    item = {"source": "production", "member": WORKSPACE, "owner": "eng", "tags": {"cost_center": "4711", "team": "eng"}}
    written = await spent.admin.put("/v1/owners", json={"items": [item]}, headers={"If-Match": '"0"'})
    assert (answered(written)["items"], written.headers["etag"]) == ([item], '"1"')
    again = await spent.admin.put("/v1/owners", json=answered(written))
    assert again.headers["etag"] == '"1"', "what changes nothing is no new version"
    problem(await spent.admin.put("/v1/owners", json={"items": []}, headers={"If-Match": '"7"'}), 412)
    problem(await spent.operator.put("/v1/owners", json={"items": []}), 403)


async def test_a_patch_leaves_others_and_takes_off_what_has_nothing(spent: Stand) -> None:
    await patch(spent, {"member": WORKSPACE, "owner": "eng"}, {"member": KEY, "tags": {"env": "prod"}})
    left = await patch(spent, {"member": KEY})
    assert [(one["member"], one["owner"]) for one in left] == [(WORKSPACE, "eng")]


async def test_a_person_without_a_receiver_gets_one(spent: Stand) -> None:
    await spent.create("/receivers", {"name": "oncall", "channels": [SLACK]})
    await patch(spent, {"member": WORKSPACE, "owner": "ann@example.com"}, {"member": KEY, "owner": "U012AB3CD"})
    mail = answered(await spent.viewer.get("/v1/receivers/ann@example.com"))["channels"]
    assert [(one["kind"], one["to"]) for one in mail] == [("email", ["ann@example.com"])]
    (slack,) = answered(await spent.viewer.get("/v1/receivers/U012AB3CD"))["channels"]
    assert (slack["channel"], slack["token"]["hint"]) == ("U012AB3CD", "...oken")
    await spent.admin.patch("/v1/receivers/oncall", json={"channels": [SLACK | {"token": "xoxb-FAKE-fresh"}]})
    (slack,) = answered(await spent.viewer.get("/v1/receivers/U012AB3CD"))["channels"]
    assert slack["token"]["hint"] == "...resh", "the bot's new token is theirs, too"


async def test_one_address_is_one_person_however_it_is_capitalised(spent: Stand) -> None:
    await patch(spent, {"member": WORKSPACE, "owner": "ANN@example.com"}, {"member": KEY, "owner": "ann@Example.com"})
    left = await patch(spent, {"member": KEY, "owner": "Ann@example.com"})
    assert {one["owner"] for one in left} == {"ANN@example.com"}, "they have the name that was first"
    again = await spent.admin.post("/v1/receivers", json={"name": "ann@example.com", "channels": [{"kind": "console"}]})
    assert "looks like 'ANN@example.com'" in problem(again, 409)["detail"]


async def test_an_owner_is_not_deleted_while_something_is_theirs(spent: Stand) -> None:
    await patch(spent, {"member": WORKSPACE, "owner": "eng"})
    refused = problem(await spent.admin.delete("/v1/receivers/eng"), 409)
    assert "the owner of workspace:wrkspc_eng" in refused["detail"]


@pytest.mark.parametrize(
    ("item", "pointer"),
    [
        ({"member": WORKSPACE, "owner": "nobody"}, "/items/0/owner"),
        ({"member": WORKSPACE, "owner": "U012AB3CD"}, "/items/0/owner"),
        ({"member": "workspace:nowhere", "owner": "eng"}, "/items/0/member"),
        ({"member": "model:claude-opus-4-5", "owner": "eng"}, "/items/0/member"),
        ({"member": WORKSPACE, "tags": {"severity": "low"}}, "/items/0/tags/severity"),
        ({"member": WORKSPACE, "tags": {"team": ""}}, "/items/0/tags/team"),
        ({"member": WORKSPACE, "tags": {"team": "gne\u202e"}}, "/items/0/tags/team"),
        ({"member": WORKSPACE, "source": "elsewhere"}, "/items/0/source"),
    ],
)
async def test_what_makes_no_sense_is_refused(spent: Stand, item: dict[str, Any], pointer: str) -> None:
    assert pointers(await spent.admin.patch("/v1/owners", json={"items": [item]})) == [pointer]


async def test_a_member_stands_in_a_document_once(spent: Stand) -> None:
    twice = {"items": [{"member": WORKSPACE, "owner": "eng"}] * 2}
    assert pointers(await spent.admin.put("/v1/owners", json=twice)) == ["/items/1/member"]


async def test_a_route_to_the_owner_leads_there_and_a_matcher_finds_the_team(spent: Stand) -> None:
    await patch(spent, {"member": WORKSPACE, "owner": "ann@example.com", "tags": {"team": "eng"}})
    by_team = {"matchers": [{"label": "team", "op": "=", "value": "eng"}], "receiver": "owner", "fallback": "eng"}
    routes = answered(await spent.admin.put("/v1/routes", json={"items": [by_team, {"receiver": "eng"}]}))
    assert (routes["items"][0]["receiver"], routes["items"][0]["fallback"], routes["doubts"]) == ("owner", "eng", [])
    query = "/v1/routes/match?label=team=eng"
    for label, receiver in (("&label=owner=ann@example.com", "ann@example.com"), ("", "eng")):
        found = answered(await spent.viewer.get(query + label))
        assert [one["receiver"] for one in found["goes_to"]] == [receiver]
    alone = {"items": [{"receiver": "owner"}]}
    assert pointers(await spent.admin.put("/v1/routes", json=alone)) == ["/items/0/fallback"]


async def test_the_directory_says_whose_a_key_is_by_its_workspace(spent: Stand) -> None:
    await patch(
        spent, {"member": WORKSPACE, "owner": "eng", "tags": {"team": "eng"}}, {"member": KEY, "tags": {"env": "x"}}
    )
    (key,) = answered(await spent.viewer.get("/v1/api-keys"))["items"]
    assert (key["owner"], key["tags"]) == ("eng", {"team": "eng", "env": "x"})
    (workspace,) = answered(await spent.viewer.get("/v1/workspaces"))["items"]
    assert (workspace["owner"], workspace["tags"]) == ("eng", {"team": "eng"})


async def test_a_receiver_that_is_called_by_a_mail_address_is_found_however_that_is_capitalised(spent: Stand) -> None:
    await patch(spent, {"member": WORKSPACE, "owner": "ann@example.com"})
    routes = {"items": [{"receiver": "Ann@Example.com"}]}
    assert answered(await spent.admin.put("/v1/routes", json=routes))["items"][0]["receiver"] == "ann@example.com"
    owned = {"matchers": [{"label": "owner", "op": "=", "value": "ANN@example.com"}], "receiver": "owner"}
    owned |= {"fallback": "eng"}
    stored = answered(await spent.admin.put("/v1/routes", json={"items": [owned, {"receiver": "eng"}]}))
    assert stored["doubts"] == []
    found = answered(await spent.viewer.get("/v1/routes/match?label=owner=Ann@example.com"))
    assert [one["receiver"] for one in found["goes_to"]] == ["ann@example.com"]
    person = {"people": [{"name": "ann", "receiver": "ANN@EXAMPLE.COM"}]}
    rota = await spent.create("/rotas", {"name": "engineers", "timezone": "UTC", **person})
    assert rota["people"][0]["receiver"] == "ann@example.com"
    step = {"after": "0s", "receiver": "Ann@Example.com"}
    policy = await spent.create("/escalation-policies", {"name": "on call", "steps": [step]})
    assert policy["steps"][0]["receiver"] == "ann@example.com"
    read = answered(await spent.viewer.get("/v1/receivers/Ann@Example.com"))
    assert read["name"] == "ann@example.com"


async def test_of_two_receivers_that_differ_in_capitals_alone_the_one_that_is_named_is_meant(spent: Stand) -> None:
    """Both are from a time when that was allowed: an alert of one must not go to the other."""
    await patch(spent, {"member": WORKSPACE, "owner": "ann@example.com"})
    async with spent.ports.uow() as uow:
        ann = await uow.receivers.get("ann@example.com")
        await uow.receivers.add(replace(ann, id="rcv_zzz", name="Ann@Example.com"))
    for name in ("ann@example.com", "Ann@Example.com"):
        stored = answered(await spent.admin.put("/v1/routes", json={"items": [{"receiver": name}]}))
        assert stored["items"][0]["receiver"] == name
        assert answered(await spent.viewer.get(f"/v1/receivers/{name}"))["name"] == name
