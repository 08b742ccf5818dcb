from __future__ import annotations

from typing import Any

from tests.api.stand import Stand, answered, pointers, problem

STEPS = [
    {"after": "0s", "receiver": "first", "fallback": None, "rota": None},
    {"after": "15m", "receiver": "boss", "fallback": None, "rota": None},
]
POLICY = {"name": "on call", "steps": STEPS, "repeat": 2, "labels": {"team": "eng"}}


async def receivers(stand: Stand) -> None:
    for name in ("first", "boss"):
        await stand.create("/receivers", {"name": name, "channels": [{"kind": "console"}]})


async def made(stand: Stand) -> dict[str, Any]:
    await receivers(stand)
    return await stand.create("/escalation-policies", POLICY)


async def test_a_policy_is_read_as_it_was_written(stand: Stand) -> None:
    created = await made(stand)
    assert {field: created[field] for field in POLICY} == POLICY
    assert answered(await stand.viewer.get("/v1/escalation-policies/on%20call")) == created
    assert [one["name"] for one in answered(await stand.viewer.get("/v1/escalation-policies"))["items"]] == ["on call"]


async def test_a_policy_is_changed(stand: Stand) -> None:
    await made(stand)
    changed = answered(await stand.admin.patch("/v1/escalation-policies/on%20call", json={"repeat": 0}))
    assert (changed["repeat"], changed["steps"], changed["version"]) == (0, STEPS, 2)


async def test_what_makes_no_sense_is_refused_where_it_stands(stand: Stand) -> None:
    await receivers(stand)
    descending = [{"after": "15m", "receiver": "first"}, {"after": "5m", "receiver": "boss"}]
    for change, pointer in (
        ({"steps": []}, "/steps"),
        ({"steps": [STEPS[0]] * 21}, "/steps"),
        ({"steps": descending}, "/steps/1/after"),
        ({"steps": [{"after": "0s", "receiver": "nobody"}]}, "/steps/0/receiver"),
        ({"steps": [{"after": "0s", "rota": "nobody"}]}, "/steps/0/rota"),
        ({"steps": [STEPS[0], {"after": "15m"}]}, "/steps/1"),
        ({"repeat": 6}, "/repeat"),
        ({"repeat": -1}, "/repeat"),
    ):
        assert pointers(await stand.admin.post("/v1/escalation-policies", json=POLICY | change)) == [pointer], change


async def test_a_receiver_of_a_policy_and_a_policy_of_a_route_are_in_use(stand: Stand) -> None:
    await made(stand)
    answered(
        await stand.admin.put("/v1/routes", json={"items": [{"receiver": "first", "escalation_policy": "on call"}]})
    )
    told = problem(await stand.admin.delete("/v1/escalation-policies/on%20call"), 409)
    assert "the default route" in told["detail"]
    told = problem(await stand.admin.delete("/v1/receivers/boss"), 409)
    assert "escalation policy 'on call'" in told["detail"]
    answered(await stand.admin.put("/v1/routes", json={"items": [{"receiver": "first"}]}))
    answered(await stand.admin.delete("/v1/escalation-policies/on%20call"), 204)
    answered(await stand.admin.delete("/v1/receivers/boss"), 204)


async def test_only_an_admin_writes_policies(stand: Stand) -> None:
    await receivers(stand)
    problem(await stand.operator.post("/v1/escalation-policies", json=POLICY), 403)
