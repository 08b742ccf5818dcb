"""What holds for every configured resource, shown on budgets."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from service.api.http.merge_patch import merge
from tests.api.notify.test_silences import SILENCE
from tests.api.rules.test_planned_activities import PLAN
from tests.api.rules.watched import CHANGE
from tests.api.stand import BUDGET, SLACK, SOURCE, Stand, answered, pointers, problem

PRICE = {
    "name": "sonnet output",
    "model": "claude-sonnet-4-5",
    "measure": "output_tokens",
    "usd": "12.00",
    "valid_from": "2026-11-01T00:00:00Z",
}
RESOURCES = [
    ("/sources", SOURCE),
    ("/budgets", BUDGET),
    ("/receivers", {"name": "eng-oncall", "channels": [SLACK]}),
    ("/prices", PRICE),
    ("/rules", CHANGE),
    ("/planned-activities", PLAN),
    ("/silences", SILENCE),
]
OF_A_SOURCE = ("/budgets", "/rules", "/planned-activities")


@pytest.mark.parametrize(("path", "document"), RESOURCES)
async def test_a_resource_lives_through_create_read_change_and_delete(
    stand: Stand, path: str, document: dict[str, object]
) -> None:
    if path in OF_A_SOURCE:
        await stand.create("/sources", SOURCE)
    response = await stand.admin.post(f"/v1{path}", json=document | {"labels": {"team": "eng"}})
    made = answered(response, 201)
    assert response.headers["location"] == f"/v1{path}/{made['id']}"
    assert (made["version"], made["labels"]) == (1, {"team": "eng"})
    by_name = await stand.viewer.get(f"/v1{path}/{document['name']}")
    assert answered(by_name) == made
    assert by_name.headers["etag"] == '"1"'

    changed = await stand.admin.patch(f"/v1{path}/{made['id']}", json={"name": "renamed", "labels": {"team": None}})
    assert changed.headers["etag"] == '"2"'
    assert answered(changed)["labels"] == {}
    assert answered(changed)["created_at"] == made["created_at"]

    answered(await stand.admin.delete(f"/v1{path}/renamed"), 204)
    problem(await stand.viewer.get(f"/v1{path}/{made['id']}"), 404)


@pytest.mark.parametrize(("path", "document"), RESOURCES)
async def test_a_document_that_was_read_may_be_sent_back(stand: Stand, path: str, document: dict[str, object]) -> None:
    if path in OF_A_SOURCE:
        await stand.create("/sources", SOURCE)
    made = await stand.create(path, document)
    again = await stand.admin.patch(f"/v1{path}/{made['id']}", json=made)
    assert answered(again) == made
    assert again.headers["etag"] == '"1"'


async def test_the_document_of_another_resource_may_be_the_template_of_a_new_one(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    made = await stand.create("/budgets", BUDGET)
    copy = await stand.create("/budgets", made | {"name": "a copy"})
    assert copy["id"] != made["id"]


async def test_a_taken_name_is_a_conflict(stand: Stand) -> None:
    await stand.create("/prices", PRICE)
    problem(await stand.admin.post("/v1/prices", json=PRICE), 409)
    other = await stand.create("/prices", PRICE | {"name": "other"})
    problem(await stand.admin.patch(f"/v1/prices/{other['id']}", json={"name": PRICE["name"]}), 409)


async def test_a_name_in_the_form_of_an_id_is_refused(stand: Stand) -> None:
    name = "prc_" + "0" * 32
    assert pointers(await stand.admin.post("/v1/prices", json=PRICE | {"name": name})) == ["/name"]


async def test_a_stale_if_match_is_refused_and_nothing_is_written(stand: Stand) -> None:
    made = await stand.create("/prices", PRICE)
    place, stale = f"/v1/prices/{made['id']}", {"If-Match": '"1"'}
    answered(await stand.admin.patch(place, json={"usd": "13.00"}, headers=stale))
    problem(await stand.admin.patch(place, json={"usd": "14.00"}, headers=stale), 412)
    problem(await stand.admin.delete(place, headers=stale), 412)
    assert answered(await stand.viewer.get(place))["usd"] == "13.00"
    answered(await stand.admin.delete(place, headers={"If-Match": '"9", "2"'}), 204)


async def test_of_two_writers_with_the_same_etag_one_is_told_412(stand: Stand) -> None:
    made = await stand.create("/prices", PRICE)
    writes = [
        stand.admin.patch(f"/v1/prices/{made['id']}", json={"usd": usd}, headers={"If-Match": '"1"'})
        for usd in ("13.00", "14.00", "15.00")
    ]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*writes))
    assert statuses == [200, 412, 412]


async def test_a_repeated_post_with_its_key_is_carried_out_once(stand: Stand) -> None:
    headers = {"Idempotency-Key": "deploy-1"}
    first = await stand.admin.post("/v1/prices", json=PRICE, headers=headers)
    again = await stand.admin.post("/v1/prices", json=PRICE, headers=headers)
    assert answered(again, 201) == answered(first, 201)
    for header in ("etag", "location"):
        assert again.headers[header] == first.headers[header]
    assert len(answered(await stand.viewer.get("/v1/prices"))["items"]) == 1


async def test_equal_posts_at_once_are_carried_out_once(stand: Stand) -> None:
    headers = {"Idempotency-Key": "deploy-1"}
    posts = [stand.admin.post("/v1/prices", json=PRICE, headers=headers) for _ in range(4)]
    ids = {answered(answer, 201)["id"] for answer in await asyncio.gather(*posts)}
    assert len(ids) == 1


async def test_a_key_that_stands_for_another_request_is_refused(stand: Stand) -> None:
    headers = {"Idempotency-Key": "deploy-1"}
    answered(await stand.admin.post("/v1/prices", json=PRICE, headers=headers), 201)
    problem(await stand.admin.post("/v1/prices", json=PRICE | {"usd": "1.00"}, headers=headers), 422)


async def test_a_key_stands_for_the_same_request_by_another_name_of_the_host(stand: Stand) -> None:
    headers = {"Idempotency-Key": "deploy-1"}
    first = await stand.admin.post("/v1/prices", json=PRICE, headers=headers)
    elsewhere = headers | {"Host": "tocsin.internal:8443", "X-Forwarded-Proto": "https"}
    again = await stand.admin.post("/v1/prices", json=PRICE, headers=elsewhere)
    assert answered(again, 201) == answered(first, 201)
    assert again.headers["idempotent-replayed"] == "true"


async def test_a_key_stands_for_no_other_path(stand: Stand) -> None:
    headers = {"Idempotency-Key": "deploy-1"}
    silences = [await stand.create("/silences", SILENCE | {"name": name}) for name in ("one", "two")]
    first, other = (f"/v1/silences/{one['id']}/expire" for one in silences)
    answered(await stand.admin.post(first, headers=headers))
    assert "another request" in problem(await stand.admin.post(other, headers=headers), 422)["detail"]


async def test_the_same_key_of_another_caller_is_another_key(stand: Stand) -> None:
    headers = {"Idempotency-Key": "deploy-1"}
    answered(await stand.admin.post("/v1/silences", json=SILENCE, headers=headers), 201)
    problem(await stand.operator.post("/v1/silences", json=SILENCE, headers=headers), 409)


async def test_a_key_is_forgotten_after_a_day_of_real_time_however_fast_the_clock(stand: Stand) -> None:
    headers = {"Idempotency-Key": "deploy-1"}
    answered(await stand.admin.post("/v1/prices", json=PRICE, headers=headers), 201)
    stand.clock.advance(timedelta(days=30))
    answered(await stand.admin.post("/v1/prices", json=PRICE, headers=headers), 201)
    async with stand.engine.begin() as connection:
        await connection.execute(text("UPDATE idempotency_keys SET kept_at = kept_at - interval '24:00:01'"))
    problem(await stand.admin.post("/v1/prices", json=PRICE, headers=headers), 409)


async def test_a_failed_post_may_be_repeated_with_its_key(stand: Stand) -> None:
    headers = {"Idempotency-Key": "deploy-1"}
    problem(await stand.admin.post("/v1/budgets", json=BUDGET, headers=headers), 422)
    await stand.create("/sources", SOURCE)
    answered(await stand.admin.post("/v1/budgets", json=BUDGET, headers=headers), 201)


async def test_a_list_is_read_whole_in_parts(stand: Stand) -> None:
    made = [(await stand.create("/prices", PRICE | {"name": f"p{n}"}))["id"] for n in range(5)]
    seen: list[str] = []
    params: dict[str, str] = {"limit": "2"}
    for _ in range(3):
        part = answered(await stand.viewer.get("/v1/prices", params=params))
        seen += [item["id"] for item in part["items"]]
        params["cursor"] = part["next"] or ""
    assert part["next"] is None
    assert sorted(seen) == sorted(made)


@pytest.mark.parametrize(
    ("target", "patch", "merged"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_gives_what_rfc_7396_lists(target: object, patch: object, merged: object) -> None:
    assert merge(target, patch) == merged  # type: ignore[arg-type]
