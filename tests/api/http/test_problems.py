from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from service.api.app import create_app
from service.api.http.listing import encode
from service.workflows.ports.outages import StorageRefuses, StorageUnavailable
from service.workflows.ports.unit_of_work import UnitOfWork
from tests.api.stand import BUDGET, SOURCE, Stand, answered, client, pointers, problem

JSON = {"Content-Type": "application/json"}


async def test_an_unknown_path_is_a_404_problem(stand: Stand) -> None:
    problem(await stand.admin.get("/v1/nothing"), 404)


async def test_an_unknown_resource_is_a_404_problem(stand: Stand) -> None:
    problem(await stand.admin.get("/v1/budgets/none"), 404)


async def test_a_wrong_method_is_a_405_problem_that_names_all_right_ones(stand: Stand) -> None:
    answer = await stand.admin.put("/v1/budgets", json={})
    problem(answer, 405)
    assert answer.headers["allow"] == "GET, OPTIONS, POST"
    one = await stand.admin.put("/v1/budgets/x", json={})
    assert one.headers["allow"] == "DELETE, GET, OPTIONS, PATCH"


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 900])
async def test_a_body_that_is_no_json_is_a_400_problem(stand: Stand, body: bytes) -> None:
    problem(await stand.admin.post("/v1/budgets", content=body, headers=JSON), 400)


async def test_a_body_beyond_a_mebibyte_is_a_413_problem(stand: Stand) -> None:
    problem(await stand.admin.post("/v1/budgets", content=b" " * 1_100_000, headers=JSON), 413)


IMPOSSIBLE = [
    (b'{"name": "a\\u0000b", "amount": "1.00"}', "/name"),
    (b'{"name": "\\ud800", "amount": "1.00"}', "/name"),
    (b'{"name": "' + b"x" * 10_000 + b'", "amount": "1.00"}', "/name"),
    (b'{"name": 7, "amount": "1.00"}', "/name"),
    (b'{"name": " padded ", "amount": "1.00"}', "/name"),
    (b'{"name": "a", "amount": 1.5}', "/amount"),
    (b'{"name": "a", "amount": NaN}', "/amount"),
    (b'{"name": "a", "amount": "NaN"}', "/amount"),
    (b'{"name": "a", "amount": "1e400"}', "/amount"),
    (b'{"name": "a", "amount": "-1.00"}', "/amount"),
    (b'{"name": "a", "amount": "999999999999999.00"}', "/amount"),
    (b'{"name": "a", "amount": "0.0000000000001"}', "/amount"),
    (b'{"name": "a"}', "/amount"),
    (b'{"name": "a", "amount": "1.00", "colour": 1}', "/colour"),
    (b'{"name": "a", "amount": "1.00", "a/b~c\\ud800": 1}', ""),
    (b'{"name": "a", "amount": "1.00", "a/b~c": 1}', "/a~1b~0c"),
    (b'{"name": "a", "amount": "1.00", "labels": {"x": "\\u0000"}}', "/labels/x"),
    (b'{"name": "a", "amount": "1.00", "labels": {"": "y"}}', "/labels/"),
    (b'{"name": "a", "amount": "1.00", "labels": []}', "/labels"),
    (b'{"name": "a", "amount": "1.00", "enabled": "yes"}', "/enabled"),
    (b'{"name": "a", "amount": "1.00", "thresholds": [{"percent": NaN}]}', "/thresholds/0/percent"),
    (b'{"name": "a", "amount": "1.00", "thresholds": [{"percent": 1e999}]}', "/thresholds/0/percent"),
    (b'{"name": "a", "amount": "1.00", "thresholds": [{"percent": true}]}', "/thresholds/0/percent"),
    (b'{"name": "a", "amount": "1.00", "thresholds": [{"percent": ' + b"9" * 4000 + b"}]}", "/thresholds/0/percent"),
    (b'{"name": "a", "amount": "1.00", "thresholds": [{"percent": 80, "colour": 1}]}', "/thresholds/0/colour"),
    (b'{"name": "a", "amount": "1.00", "scope": {"workspaces": ["\\u0000"]}}', "/scope/workspaces/0"),
    (b'{"name": "a", "amount": "1.00", "source": "\\u0000"}', "/source"),
    (b'{"name": "a", "amount": "1.00", "period": {"kind": "lunar"}}', "/period/kind"),
    (b'{"name": "a", "amount": "1.00", "period": {"timezone": "Mars/Olympus"}}', "/period/timezone"),
    (b'{"name": "a", "amount": "1.00", "period": {"timezone": "../../etc/passwd"}}', "/period/timezone"),
    (b'{"name": "a", "amount": "1.00", "period": {"kind": "custom", "start": 12}}', "/period/start"),
    (b'{"name": "a", "amount": "1.00", "period": {"kind": "rolling", "days": 99999999999999}}', "/period/days"),
]


async def test_a_body_that_only_turns_out_too_large_is_a_413_problem(stand: Stand) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    problem(await stand.admin.post("/v1/budgets", content=endless(), headers=JSON), 413)


async def test_a_value_that_cannot_be_is_a_422_problem_that_points_to_it(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    for body, pointer in IMPOSSIBLE:
        answer = await stand.admin.post("/v1/budgets", content=body, headers=JSON)
        assert pointer in pointers(answer), body


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"NaN", b"", b"12"])
async def test_a_body_of_another_type_is_a_422_problem(stand: Stand, body: bytes) -> None:
    problem(await stand.admin.post("/v1/budgets", content=body, headers=JSON), 422)


async def test_a_body_without_its_content_type_is_a_422_problem(stand: Stand) -> None:
    problem(await stand.admin.post("/v1/budgets", content=b'{"name": "a", "amount": "1.00"}'), 422)


async def test_a_patch_nested_beyond_reason_is_a_422_problem(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    body = b'{"a":' * 900 + b"1" + b"}" * 900
    problem(await stand.admin.patch("/v1/sources/production", content=body, headers=JSON), 422)


async def test_every_operation_refuses_an_unknown_query_parameter(stand: Stand, described: dict[str, Any]) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/budgets", BUDGET)
    for path, operations in described["paths"].items():
        for method in operations:
            answer = await stand.admin.request(method, path.replace("{", "").replace("}", ""), params={"colour": 1})
            (error,) = problem(answer, 422)["errors"]
            assert (error["pointer"], error["in"]) == ("/colour", "query"), (method, path)


async def test_a_limit_is_a_number_from_1_to_500(stand: Stand) -> None:
    for limit in ("0", "501", "x", "99999999999999999999", ""):
        assert pointers(await stand.admin.get(f"/v1/budgets?limit={limit}")) == ["/limit"], limit


@pytest.mark.parametrize("path", ["budgets", "alerts", "tokens", "workspaces"])
async def test_a_cursor_of_nobodys_making_is_refused(stand: Stand, path: str) -> None:
    for cursor in ("x", "", "%00", "AAAA", "w6k", "=" * 9, "a" * 600):
        assert pointers(await stand.admin.get(f"/v1/{path}?cursor={cursor}")) == ["/cursor"], cursor


async def test_a_cursor_of_another_list_is_refused(stand: Stand, described: dict[str, Any]) -> None:
    await stand.create("/sources", SOURCE)
    for number in range(3):
        await stand.create("/budgets", BUDGET | {"name": f"budget {number}"})
    of_budgets = answered(await stand.admin.get("/v1/budgets?limit=1"))["next"]
    of_models = encode("models", "claude")
    for path, operations in described["paths"].items():
        named = {one["name"] for one in operations.get("get", {}).get("parameters", [])}
        if "cursor" not in named or "{" in path:
            continue
        foreign = [cursor for cursor, own in ((of_budgets, "/v1/budgets"), (of_models, "/v1/models")) if own != path]
        for cursor in foreign:
            assert pointers(await stand.admin.get(f"{path}?cursor={cursor}")) == ["/cursor"], path
    assert answered(await stand.admin.get(f"/v1/budgets?cursor={of_budgets}"))["items"][0]["name"] == "budget 1"


@pytest.mark.parametrize("path", ["alerts?budget", "notifications?alert", "spend?workspace", "audit-events?cursor"])
@pytest.mark.parametrize("bytes_", ["%ff", "a%C3", "%EF%BF%BD"])
async def test_bytes_that_are_no_text_are_refused_in_a_query(stand: Stand, path: str, bytes_: str) -> None:
    assert f"/{path.partition('?')[2]}" in pointers(await stand.admin.get(f"/v1/{path}={bytes_}"))


async def test_an_id_that_cannot_be_is_no_server_error(stand: Stand) -> None:
    for id in ("%00", "a%00b", "x" * 300, "%ff", "%F0%9F%94%94", "a%2Fb", "' OR 1=1"):
        for path in ("budgets", "alerts"):
            assert (await stand.admin.get(f"/v1/{path}/{id}")).status_code in {404, 422}, id


async def test_an_odd_idempotency_key_is_refused(stand: Stand) -> None:
    for key in (b"", b"a b", b"\xe9", b"x" * 300):
        answer = await stand.admin.post("/v1/budgets", json=BUDGET, headers={b"Idempotency-Key": key})
        assert pointers(answer) == ["/Idempotency-Key"], key


async def test_an_unexpected_failure_tells_nothing_of_itself(stand: Stand) -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[UnitOfWork]:
        raise RuntimeError("postgres://user:password@host")
        yield

    await _expect(stand, broken, 500)


async def test_an_unreachable_database_is_a_503_problem(stand: Stand) -> None:
    @asynccontextmanager
    async def away() -> AsyncIterator[UnitOfWork]:
        raise StorageUnavailable("postgres://user:password@host")
        yield

    await _expect(stand, away, 503)


async def test_a_database_that_takes_no_writes_is_a_503_problem_that_says_why(stand: Stand) -> None:
    @asynccontextmanager
    async def full() -> AsyncIterator[UnitOfWork]:
        raise StorageRefuses("The database takes nothing: its disk is full")
        yield

    answer = await _expect(stand, full, 503)
    assert answer["detail"] == "The database takes nothing: its disk is full"


async def _expect(stand: Stand, uow: object, status: int) -> dict[str, Any]:
    async def ready() -> str | None:
        return None

    app = create_app(replace(stand.ports, uow=uow), ready=ready)  # type: ignore[arg-type]
    async with client(app, "tcn_FAKE") as visitor:
        answer = await visitor.get("/v1/budgets")
    assert "password" not in answer.text
    return problem(answer, status)
