"""Who may ask the simulated API, how often, and what it says of the organisation."""

from datetime import timedelta

import pytest

from service.simulator.protocol.analytics import BETA
from service.simulator.protocol.behaviour import Behaviour
from tests.fakes.fixed_world import FixedWorld
from tests.simulator.client import COST, HEADERS, Simulation, day, iso, span

RANGE = [("starting_at", iso(day(17)))]
API_KEYS = "/v1/organizations/api_keys"
WORKSPACES = "/v1/organizations/workspaces"


def small_world() -> FixedWorld:
    world = FixedWorld()
    for number in range(1, 6):
        world.add_workspace(f"wrkspc_{number}", f"team-{number}", {"team": str(number)})
    world.add_key("apikey_a", "a", "wrkspc_1")
    world.add_key("apikey_b", "b", None)
    return world


@pytest.fixture
def simulation() -> Simulation:
    return Simulation(small_world())


@pytest.mark.parametrize(
    ("credential", "status"),
    [
        ({}, 401),
        ({"x-api-key": "nonsense"}, 401),
        ({"x-api-key": "sk-ant-api03-FAKE"}, 403),
        ({"x-api-key": "sk-ant-admin01-FAKE"}, 200),
        ({"authorization": "Bearer sk-ant-admin01-FAKE"}, 200),
        ({"authorization": "Bearer sk-ant-oat01-FAKE"}, 200),
    ],
)
async def test_only_an_admin_credential_is_let_in(credential: dict[str, str], status: int) -> None:
    simulation = Simulation(small_world(), Behaviour(workspace_key_status=403))
    response = await simulation.get(COST, RANGE, {**credential, "anthropic-version": "2023-06-01"})
    assert response.status_code == status


async def test_a_key_of_enterprise_reads_analytics_and_nothing_else(simulation: Simulation) -> None:
    key = {"x-api-key": "sk-ant-api01-FAKE", "anthropic-version": "2026-10-21", "anthropic-beta": BETA}
    refused = await simulation.get(COST, RANGE, key)
    assert (refused.status_code, refused.json()["error"]["type"]) == (403, "permission_error")
    assert refused.headers["anthropic-organization-id"]
    assert (await simulation.get("/v1/organizations/analytics/cost", RANGE, key)).status_code == 200


@pytest.mark.parametrize("version", [None, "2022-01-01"])
async def test_a_missing_or_unknown_version_is_a_bad_request(simulation: Simulation, version: str | None) -> None:
    headers = {"x-api-key": "sk-ant-admin01-FAKE"} | ({"anthropic-version": version} if version else {})
    response = await simulation.get(COST, RANGE, headers)
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


async def test_an_error_names_the_request_id_of_its_header(simulation: Simulation) -> None:
    response = await simulation.get(COST, headers={"anthropic-version": "2023-06-01"})
    body = response.json()
    assert body["type"] == "error"
    assert body["error"]["type"] == "authentication_error"
    assert body["request_id"] == response.headers["request-id"]
    assert len(body["request_id"]) == len("req_") + 24


async def test_a_path_that_is_not_served_is_refused_in_the_same_envelope(simulation: Simulation) -> None:
    response = await simulation.get("/v1/organizations/nothing")
    assert response.status_code == 404
    assert response.json()["error"]["type"] == "not_found_error"
    assert response.json()["request_id"] == response.headers["request-id"]


async def test_a_full_minute_is_answered_with_the_time_to_wait() -> None:
    simulation = Simulation(small_world(), Behaviour(requests_per_minute=2))
    for _ in range(2):
        assert (await simulation.get(COST, RANGE)).status_code == 200
        simulation.clock.advance(timedelta(seconds=10))
    refused = await simulation.get(COST, RANGE)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "40"
    simulation.clock.advance(timedelta(seconds=40))
    assert (await simulation.get(COST, RANGE)).status_code == 200


async def test_the_organisation_introduces_itself(simulation: Simulation) -> None:
    response = await simulation.get("/v1/organizations/me")
    assert response.json()["type"] == "organization"
    assert response.headers["anthropic-organization-id"] == response.json()["id"]


async def test_workspaces_are_paged_by_id_and_the_default_one_is_listed_on_request(
    simulation: Simulation,
) -> None:
    first = (await simulation.get(WORKSPACES, [("limit", "3")])).json()
    assert [each["id"] for each in first["data"]] == ["wrkspc_1", "wrkspc_2", "wrkspc_3"]
    assert first["has_more"] is True
    second = (await simulation.get(WORKSPACES, [("limit", "3"), ("after_id", first["last_id"])])).json()
    assert [each["id"] for each in second["data"]] == ["wrkspc_4", "wrkspc_5"]
    assert second["has_more"] is False
    everyone = (await simulation.get(WORKSPACES, [("include_default", "true")])).json()
    assert everyone["data"][0]["name"] == "Default"
    assert (await simulation.get(f"{WORKSPACES}/wrkspc_default")).json()["id"] == "wrkspc_default"
    assert (await simulation.get(f"{WORKSPACES}/wrkspc_9")).status_code == 404


async def test_an_api_key_has_the_shape_of_the_version_asked_for(simulation: Simulation) -> None:
    old = (await simulation.get(f"{API_KEYS}/apikey_b")).json()
    assert old["workspace_id"] is None
    assert "scope" not in old
    newer = {**HEADERS, "anthropic-version": "2026-10-21"}
    new = (await simulation.get(f"{API_KEYS}/apikey_b", headers=newer)).json()
    assert new["scope"] == {"type": "workspace", "workspace_id": "wrkspc_default"}
    assert "workspace_id" not in new


async def test_a_key_can_be_switched_off_and_found_by_its_status(simulation: Simulation) -> None:
    changed = await simulation.post(f"{API_KEYS}/apikey_a", {"status": "inactive"})
    assert changed.json()["status"] == "inactive"
    inactive = (await simulation.get(API_KEYS, [("status", "inactive")])).json()
    assert [key["id"] for key in inactive["data"]] == ["apikey_a"]


@pytest.mark.parametrize("body", [{"status": "expired"}, {"status": 1}, {"scopes": []}, {"name": ""}, []])
async def test_what_cannot_be_written_of_a_key_is_refused(simulation: Simulation, body: object) -> None:
    assert (await simulation.post(f"{API_KEYS}/apikey_a", body)).status_code == 400


async def test_every_request_is_served_over_a_real_connection(simulation: Simulation) -> None:
    async with simulation.over_http() as client:
        response = await client.get(COST, params=tuple(span(day(10), day(12))))
    assert [bucket["starting_at"] for bucket in response.json()["data"]] == [iso(day(10)), iso(day(11))]
