"""The organisation, its workspaces and its API keys, in both versions' shapes."""

from collections.abc import AsyncIterator

import pytest

from service.workflows.ports.sources import ApiKeyName, Directory, Organization, SourceError, WorkspaceName
from tests.adapters.claude.scripted_admin_api import (
    ScriptedAdminApi,
    answer,
    connected,
    scripted_admin_api,
    without,
)


@pytest.fixture
async def api() -> AsyncIterator[ScriptedAdminApi]:
    async with scripted_admin_api() as running:
        yield running


async def read(api: ScriptedAdminApi) -> Directory:
    async with connected(api.url) as source:
        found = await source.directory()
    assert found is not None
    return found


async def read_key(api: ScriptedAdminApi, row: object) -> ApiKeyName:
    api.will(answer(listed(workspace("wrkspc_FAKE01"))), answer(listed(row)))
    (only,) = (await read(api)).api_keys
    return only


def listed(*items: object, has_more: bool = False, last_id: str | None = None) -> dict[str, object]:
    return {"data": list(items), "has_more": has_more, "first_id": None, "last_id": last_id}


def workspace(identity: str, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "id": identity, "name": f"Team {identity}", "type": "workspace", "display_color": "#123456",
        "created_at": "2026-01-01T00:00:00Z", "archived_at": None, "tags": {"team": "search"},
    }  # fmt: skip
    return row | changes


def key(identity: str = "apikey_FAKE01", **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "id": identity, "type": "api_key", "name": "Search", "status": "active", "expires_at": None,
        "created_at": "2026-01-01T00:00:00Z", "workspace_id": "wrkspc_FAKE01",
        "created_by": {"id": "user_FAKE01", "type": "user"}, "partial_key_hint": "sk-ant-api03-FAK...KE",
    }  # fmt: skip
    return row | changes


def scoped(**scope: object) -> dict[str, object]:
    """A key in the shape of version 2026-10-21."""
    principal = {"type": "user_actor", "user_id": "user_FAKE01"}
    return without(key(scope=scope, principal=principal), "workspace_id")


async def test_the_organisation_is_asked_for_by_the_key_itself(api: ScriptedAdminApi) -> None:
    api.will(answer({"id": "org_FAKE01", "name": "Acme", "type": "organization"}))
    async with connected(api.url) as source:
        assert await source.organization() == Organization("org_FAKE01", "Acme")
    assert api.asked[0].path == "/v1/organizations/me"


async def test_an_organisation_without_an_id_is_refused(api: ScriptedAdminApi) -> None:
    api.will(answer({"name": "Acme", "type": "organization"}))
    async with connected(api.url) as source:
        with pytest.raises(SourceError, match="id is missing"):
            await source.organization()


async def test_the_default_workspace_is_added_and_archived_ones_are_asked_for(api: ScriptedAdminApi) -> None:
    old = workspace("wrkspc_FAKE02", archived_at="2026-05-01T00:00:00Z", tags=None)
    api.will(answer(listed(workspace("wrkspc_FAKE01"), old)), answer(listed()))
    assert (await read(api)).workspaces == (
        WorkspaceName("default", "Default"),
        WorkspaceName("wrkspc_FAKE01", "Team wrkspc_FAKE01", tags={"team": "search"}),
        WorkspaceName("wrkspc_FAKE02", "Team wrkspc_FAKE02", archived=True),
    )
    assert api.asked[0].query == [("include_archived", "true"), ("limit", "1000")]


async def test_lists_go_on_after_the_last_id(api: ScriptedAdminApi) -> None:
    api.will(
        answer(listed(workspace("wrkspc_FAKE01"), has_more=True, last_id="wrkspc_FAKE01")),
        answer(listed(workspace("wrkspc_FAKE02"))),
        answer(listed(key("apikey_FAKE01"), has_more=True, last_id="apikey_FAKE01")),
        answer(listed(key("apikey_FAKE02"))),
    )
    directory = await read(api)
    assert len(directory.workspaces) == 3
    assert [one.id for one in directory.api_keys] == ["apikey_FAKE01", "apikey_FAKE02"]
    after = [asked.values("after_id") for asked in api.asked]
    assert after == [[], ["wrkspc_FAKE01"], [], ["apikey_FAKE01"]]
    assert api.asked[1].query[:-1] == api.asked[0].query


@pytest.mark.parametrize("last_id", [None, ""])
async def test_more_items_without_a_last_id_fail_the_directory(api: ScriptedAdminApi, last_id: str | None) -> None:
    api.will(answer(listed(workspace("wrkspc_FAKE01"), has_more=True, last_id=last_id)))
    with pytest.raises(SourceError, match="last_id is empty"):
        await read(api)


async def test_a_workspace_listed_twice_fails_the_directory(api: ScriptedAdminApi) -> None:
    api.will(
        answer(listed(workspace("wrkspc_FAKE01"), has_more=True, last_id="wrkspc_FAKE01")),
        answer(listed(workspace("wrkspc_FAKE01"))),
    )
    with pytest.raises(SourceError, match="came twice"):
        await read(api)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "w" * 3000},
        {"name": "w" * 3000},
        {"tags": {"team": "w" * 3000}},
        {"tags": {"w" * 3000: "team"}},
        {"tags": {f"tag{number}": "" for number in range(201)}},
    ],
)
async def test_a_workspace_beyond_its_bounds_fails_the_directory_with_a_short_sentence(
    api: ScriptedAdminApi, changes: dict[str, object]
) -> None:
    api.will(answer(listed(workspace("wrkspc_FAKE01", **changes) if "id" not in changes else changes)))
    with pytest.raises(SourceError, match=r"longer than 500 bytes|the most that are read") as caught:
        await read(api)
    assert len(str(caught.value)) < 300


async def test_a_key_of_the_2023_shape(api: ScriptedAdminApi) -> None:
    expected = ApiKeyName("apikey_FAKE01", "Search", "wrkspc_FAKE01", "active", "sk-ant-api03-FAK...KE")
    assert await read_key(api, key()) == expected


async def test_a_key_of_the_2023_shape_without_a_workspace_is_the_default_ones(api: ScriptedAdminApi) -> None:
    assert (await read_key(api, key(workspace_id=None))).workspace == "default"


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"type": "workspace", "workspace_id": "wrkspc_FAKE01"}, "wrkspc_FAKE01"),
        ({"type": "workspace", "workspace_id": "wrkspc_FAKEDEFAULT"}, "default"),
        ({"type": "organization"}, ""),
    ],
)
async def test_a_key_of_the_2026_shape(api: ScriptedAdminApi, scope: dict[str, object], expected: str) -> None:
    assert (await read_key(api, scoped(**scope))).workspace == expected


@pytest.mark.parametrize("status", ["inactive", "archived", "expired", "frozen"])
async def test_every_status_of_a_key_is_kept(api: ScriptedAdminApi, status: str) -> None:
    assert (await read_key(api, key(status=status))).status == status


async def test_a_key_without_a_name_goes_by_its_id(api: ScriptedAdminApi) -> None:
    assert (await read_key(api, key(name=None))).name == "apikey_FAKE01"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (without(key(), "id"), "id is missing"),
        (without(key(), "status"), "status is missing"),
        (without(key(), "workspace_id"), "scope is missing"),
        (scoped(type="workspace"), "workspace_id is missing"),
        ("apikey_FAKE01", "an API key is not an object"),
    ],
)
async def test_a_key_that_cannot_be_read_fails_the_directory(api: ScriptedAdminApi, row: object, problem: str) -> None:
    with pytest.raises(SourceError, match=problem):
        await read_key(api, row)
