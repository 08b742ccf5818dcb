"""Every fault does to the answer what its name says, as often as it was asked to."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from service.simulator.protocol.faults import ENDPOINTS, Fault, Faults
from service.simulator.world.records import Quantities, Stream
from tests.fakes.fixed_world import FixedWorld, UsageEvent, token_cost
from tests.simulator.client import BY_ALL, COST, NOW, USAGE, Simulation, day, span

PAIRS = span(day(10), day(18), *BY_ALL, ("limit", "4"))


@pytest.fixture
def simulation() -> Simulation:
    world = FixedWorld()
    for number in range(10, 18):
        world.set_cost(day(number).date(), token_cost(f"{number}.5"))
    stream = Stream(None, None, "claude-haiku-4-5")
    world.add_usage(UsageEvent(NOW - timedelta(hours=2), stream, Quantities(10)))
    return Simulation(world)


async def first_row(simulation: Simulation) -> dict[str, Any]:
    return (await simulation.rows(COST, PAIRS))[0]


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        (Fault.RATE_LIMITED, 429, "rate_limit_error"),
        (Fault.RATE_LIMITED_SILENT, 429, "rate_limit_error"),
        (Fault.UNAUTHORIZED, 401, "authentication_error"),
        (Fault.FORBIDDEN, 403, "permission_error"),
        (Fault.SERVER_ERROR, 500, "api_error"),
        (Fault.TIMEOUT, 504, "timeout_error"),
        (Fault.OVERLOADED, 529, "overloaded_error"),
    ],
)
async def test_a_refusal_comes_once_with_its_status_and_type(
    simulation: Simulation, fault: Fault, status: int, kind: str
) -> None:
    simulation.faults.inject("cost_report", fault, seconds=7)
    refused = await simulation.get(COST, PAIRS)
    assert refused.status_code == status
    assert refused.json()["error"]["type"] == kind
    assert refused.json()["request_id"] == refused.headers["request-id"]
    assert refused.headers.get("retry-after") == ("7" if fault is Fault.RATE_LIMITED else None)
    assert (await simulation.get(COST, PAIRS)).status_code == 200


async def test_a_fault_is_used_up_by_its_own_endpoint_only(simulation: Simulation) -> None:
    simulation.faults.inject("cost_report", Fault.SERVER_ERROR, times=2)
    assert (await simulation.get("/v1/organizations/me")).status_code == 200
    statuses = [(await simulation.get(COST, PAIRS)).status_code for _ in range(3)]
    assert statuses == [500, 500, 200]


async def test_a_sticky_fault_stays_until_it_is_cleared(simulation: Simulation) -> None:
    simulation.faults.inject("cost_report", Fault.OVERLOADED, times=None)
    assert [(await simulation.get(COST, PAIRS)).status_code for _ in range(3)] == [529] * 3
    simulation.faults.clear()
    assert (await simulation.get(COST, PAIRS)).status_code == 200


@pytest.mark.parametrize("fault", [Fault.TRUNCATED_JSON, Fault.HTML_BODY])
async def test_a_spoilt_body_has_status_200_and_is_no_json(simulation: Simulation, fault: Fault) -> None:
    simulation.faults.inject("cost_report", fault)
    async with simulation.over_http() as client:
        response = await client.get(COST, params=tuple(PAIRS))
    assert response.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        response.json()


async def test_a_reset_connection_breaks_in_the_middle_of_the_body(simulation: Simulation) -> None:
    simulation.faults.inject("cost_report", Fault.CONNECTION_RESET)
    async with simulation.over_http() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(COST, params=tuple(PAIRS))
        assert (await client.get(COST, params=tuple(PAIRS))).status_code == 200


async def test_a_slow_body_outlasts_an_impatient_client(simulation: Simulation) -> None:
    simulation.faults.inject("cost_report", Fault.SLOW_BODY, seconds=60)
    async with simulation.over_http(patience=0.2) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(COST, params=tuple(PAIRS))


async def test_more_can_be_promised_without_a_page_to_ask_for(simulation: Simulation) -> None:
    simulation.faults.inject("cost_report", Fault.MORE_WITHOUT_NEXT)
    body = (await simulation.get(COST, PAIRS)).json()
    assert (body["has_more"], body["next_page"]) == (True, None)


async def test_a_page_can_name_itself_as_the_next_one(simulation: Simulation) -> None:
    simulation.faults.inject("cost_report", Fault.REPEATED_PAGE)
    page = (await simulation.get(COST, PAIRS)).json()["next_page"]
    body = (await simulation.get(COST, [*PAIRS, ("page", page)])).json()
    assert (body["has_more"], body["next_page"]) == (True, page)


async def test_a_page_can_bring_the_previous_page_s_buckets_again(simulation: Simulation) -> None:
    simulation.faults.inject("cost_report", Fault.DUPLICATE_PAGE)
    first = (await simulation.get(COST, PAIRS)).json()
    second = (await simulation.get(COST, [*PAIRS, ("page", first["next_page"])])).json()
    assert second["data"] == first["data"]
    assert second["has_more"] is False


@pytest.mark.parametrize(
    ("fault", "key", "value"),
    [
        (Fault.UNKNOWN_FIELD, "carbon_grams", 12),
        (Fault.UNKNOWN_ENUM, "token_type", "novel_uncached_input_tokens"),
        (Fault.NUMERIC_AMOUNT, "amount", 10.5),
        (Fault.EXPONENT_AMOUNT, "amount", "1e-7"),
        (Fault.NEGATIVE_AMOUNT, "amount", "-10.5"),
        (Fault.FOREIGN_CURRENCY, "currency", "EUR"),
    ],
)
async def test_a_fault_of_content_changes_a_row_once(
    simulation: Simulation, fault: Fault, key: str, value: object
) -> None:
    sound = await first_row(simulation)
    simulation.faults.inject("cost_report", fault)
    spoilt = await first_row(simulation)
    assert spoilt[key] == value
    assert sound.get(key) != value
    assert await first_row(simulation) == sound


async def test_an_empty_answer_claims_to_be_complete(simulation: Simulation) -> None:
    simulation.faults.inject("cost_report", Fault.EMPTY_DATA)
    assert (await simulation.get(COST, PAIRS)).json() == {"data": [], "has_more": False, "next_page": None}


async def test_usage_rows_can_carry_an_unknown_enum_value_too(simulation: Simulation) -> None:
    simulation.faults.inject("usage_report", Fault.UNKNOWN_ENUM)
    pairs = span(NOW - timedelta(hours=3), NOW, ("bucket_width", "1h"), ("group_by[]", "service_tier"))
    body = (await simulation.get(USAGE, pairs)).json()
    tiers = [row["service_tier"] for bucket in body["data"] for row in bucket["results"]]
    assert tiers == ["novel_standard"]


def test_a_fault_for_an_endpoint_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="cost_report"):
        Faults().inject("costs", Fault.TIMEOUT)


async def test_people_inject_and_clear_faults_over_http(simulation: Simulation) -> None:
    order = {"endpoint": "cost_report", "fault": "timeout", "times": None}
    assert (await simulation.post("/_simulator/faults", order)).status_code == 201
    assert (await simulation.get(COST, PAIRS)).status_code == 504
    waiting = (await simulation.get("/_simulator/world")).json()["faults"]
    assert waiting == [{"endpoint": "cost_report", "fault": "timeout", "left": None, "seconds": 2}]
    async with simulation.client() as client:
        assert (await client.delete("/_simulator/faults")).status_code == 204
    assert (await simulation.get(COST, PAIRS)).status_code == 200


@pytest.mark.parametrize("change", [{"endpoint": "costs"}, {"fault": "sunspots"}])
async def test_an_unknown_fault_or_endpoint_over_http_is_unprocessable(
    simulation: Simulation, change: dict[str, str]
) -> None:
    order = {"endpoint": ENDPOINTS[0], "fault": "timeout"} | change
    assert (await simulation.post("/_simulator/faults", order)).status_code == 422


async def test_incidents_cannot_be_played_in_a_world_that_is_set_by_hand(simulation: Simulation) -> None:
    refused = await simulation.post("/_simulator/incidents", {"scenario": "runaway_loop"})
    assert refused.status_code == 409
