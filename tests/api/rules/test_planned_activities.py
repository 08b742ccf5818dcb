from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.api.budgets.test_budgets import evaluations_taken
from tests.api.rules.watched import watched
from tests.api.sources.test_sources import OTHER
from tests.api.stand import SOURCE, Stand, answered, pointers, problem

PLAN: dict[str, Any] = {
    "name": "evaluation run",
    "starts_at": "2026-11-16T00:00:00Z",
    "ends_at": "2026-11-18T00:00:00Z",
    "extra_amount": "180.00",
    "comment": "asked for by research",
}


async def test_a_planned_activity_is_shown_as_it_was_announced(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    made = await stand.create("/planned-activities", PLAN | {"starts_at": "2026-11-16"})
    assert made["source"] == "production"
    assert made["scope"] == {"workspaces": [], "models": [], "api_keys": [], "actors": [], "products": []}
    assert {name: made[name] for name in PLAN} == PLAN
    assert [item["id"] for item in answered(await stand.viewer.get("/v1/planned-activities"))["items"]] == [made["id"]]


async def test_what_is_planned_does_not_ring(stand: Stand) -> None:
    """$100.00 today instead of $10.00; $90.00 a day were announced."""
    await watched(stand)
    question = {"kind": "change", "for_each": "workspace"}
    assert len(answered(await stand.viewer.post("/v1/rules/preview", json=question))["rings"]) == 1
    plan = await stand.create("/planned-activities", PLAN | {"scope": {"workspaces": ["wrkspc_eng"]}})
    assert answered(await stand.viewer.post("/v1/rules/preview", json=question))["rings"] == []
    answered(await stand.admin.delete(f"/v1/planned-activities/{plan['id']}"), 204)
    assert len(answered(await stand.viewer.post("/v1/rules/preview", json=question))["rings"]) == 1


async def test_a_plan_that_is_over_expects_nothing_any_more(stand: Stand) -> None:
    await watched(stand)
    await stand.create("/planned-activities", PLAN | {"starts_at": "2026-11-14", "ends_at": "2026-11-16"})
    question = {"kind": "change", "for_each": "workspace"}
    assert len(answered(await stand.viewer.post("/v1/rules/preview", json=question))["rings"]) == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"ends_at": "2026-11-16T00:00:00Z"}, "/ends_at"),
        ({"ends_at": "2028-11-16T00:00:00Z"}, "/ends_at"),
        ({"starts_at": "tomorrow"}, "/starts_at"),
        ({"extra_amount": "0.00"}, "/extra_amount"),
        ({"extra_amount": "-1.00"}, "/extra_amount"),
        ({"extra_amount": "NaN"}, "/extra_amount"),
        ({"extra_amount": 900}, "/extra_amount"),
        ({"scope": {"workspaces": ["Enginering"]}}, "/scope/workspaces/0"),
        ({"source": "none"}, "/source"),
        ({"who": "me"}, "/who"),
    ],
)
async def test_an_impossible_plan_is_refused(stand: Stand, change: dict[str, object], pointer: str) -> None:
    await stand.create("/sources", SOURCE)
    assert pointers(await stand.admin.post("/v1/planned-activities", json=PLAN | change)) == [pointer]


async def test_every_write_of_a_plan_has_the_rules_judged_anew(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    place = "/v1/planned-activities/evaluation run"
    for method, path, document in (
        ("POST", "/v1/planned-activities", PLAN),
        ("PATCH", place, {"extra_amount": "1.00"}),
        ("DELETE", place, None),
    ):
        stand.clock.advance(timedelta(seconds=1))
        assert (await stand.admin.request(method, path, json=document)).is_success
        assert await evaluations_taken(stand) == 1
    events = answered(await stand.admin.get("/v1/audit-events"))["items"]
    assert [event["action"] for event in events[:3]] == [
        f"planned_activity.{verb}" for verb in ("delete", "change", "create")
    ]


async def test_a_plan_stays_with_its_source_and_its_source_stays(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    await stand.create("/sources", OTHER)
    made = await stand.create("/planned-activities", PLAN | {"source": "production"})
    place = f"/v1/planned-activities/{made['id']}"
    assert pointers(await stand.admin.patch(place, json={"source": "other"})) == ["/source"]
    told = problem(await stand.admin.delete(f"/v1/sources/{source['id']}"), 409)
    assert "planned activity 'evaluation run'" in told["detail"]


async def test_only_an_admin_plans(stand: Stand) -> None:
    for person in (stand.viewer, stand.operator):
        problem(await person.post("/v1/planned-activities", json=PLAN), 403)
