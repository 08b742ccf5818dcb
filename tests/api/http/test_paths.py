from __future__ import annotations

import asyncio
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from service.api.http.paths import RawPath, read_segment
from tests.api.stand import BUDGET, SOURCE, Stand, answered, problem

NAMES = ["team/status", "a/b/c", "/", "a//b", "50%2F50", "100% of it", "%252F", "team/", "?#[];", "é/ü"]


async def test_a_name_with_a_slash_is_read_changed_and_deleted_by_it(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    for name in NAMES:
        created = await stand.create("/budgets", BUDGET | {"name": name})
        path = f"/v1/budgets/{quote(name, safe='')}"
        assert answered(await stand.viewer.get(path))["id"] == created["id"], name
        assert answered(await stand.viewer.get(f"{path}/status"))["budget"] == name
        assert answered(await stand.admin.patch(path, json={"amount": "5.00"}))["amount"] == "5.00"
        answered(await stand.admin.delete(path), 204)


async def test_a_name_never_answers_for_another_ones_operation(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    team = await stand.create("/budgets", BUDGET | {"name": "team"})
    problem(await stand.viewer.get("/v1/budgets/team%2Fstatus"), 404)
    problem(await stand.admin.post("/v1/sources/production%2Fpoll"), 405)
    problem(await stand.admin.delete("/v1/budgets/x%2F..%2Fteam"), 404)
    both = await stand.create("/budgets", BUDGET | {"name": "team/status"})
    assert answered(await stand.viewer.get("/v1/budgets/team%2Fstatus"))["id"] == both["id"]
    assert answered(await stand.viewer.get("/v1/budgets/team/status"))["budget"] == team["name"]


@pytest.mark.parametrize("name", [".", ".."])
async def test_a_name_that_every_client_takes_for_a_folder_is_refused(stand: Stand, name: str) -> None:
    await stand.create("/sources", SOURCE)
    problem(await stand.admin.post("/v1/budgets", json=BUDGET | {"name": name}), 422)


@given(st.text(min_size=1, max_size=50, alphabet=st.characters(exclude_categories=["Cs"])) | st.just("%2F%"))
def test_any_name_is_one_segment(name: str) -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["path"])

    async def nothing() -> Message:
        return {}

    async def nowhere(message: Message) -> None: ...

    raw = f"/v1/budgets/{quote(name, safe='')}/status".encode()
    asyncio.run(RawPath(app)({"type": "http", "raw_path": raw, "path": unquote(raw.decode())}, nothing, nowhere))
    assert [read_segment(part) for part in seen[0].split("/")][3:] == [name, "status"]
