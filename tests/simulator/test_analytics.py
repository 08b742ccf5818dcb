"""The analytics reports: who may read them, rows and pages, and that they agree with the Admin reports exactly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from service.adapters.prices import list_price_book
from service.domain.sources.pricing import Measure, UsageKind
from service.simulator.protocol.analytics import BETA
from service.simulator.protocol.behaviour import Behaviour
from service.simulator.protocol.faults import Fault
from service.simulator.protocol.usage_report import SPEED_BETA
from service.simulator.world.demo import create_world
from service.simulator.world.records import Quantities, Stream
from tests.fakes.fixed_world import FixedWorld, UsageEvent, token_cost
from tests.simulator.client import BY_ALL, HEADERS, NOW, Simulation, day, span
from tests.simulator.client import COST as ADMIN_COST
from tests.simulator.client import USAGE as ADMIN_USAGE

COST, USED = "/v1/organizations/analytics/cost", "/v1/organizations/analytics/usage"
PRICES = list_price_book()
WITH_BETA = HEADERS | {"anthropic-beta": BETA}
FIRST, LAST = day(10), day(17)
"""Days that are visible in full on the 18th at 15:30. The bill of the 15th and of others is restated."""
STREAM = Stream("wrkspc_1", "apikey_a", "claude-sonnet-5-5")


def grouped(*names: str) -> list[tuple[str, str]]:
    return [("group_by[]", name) for name in names]


async def everything(simulation: Simulation, path: str, pairs: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """The rows of every page."""
    rows: list[dict[str, Any]] = []
    page: list[tuple[str, str]] = []
    while True:
        response = await simulation.get(path, [*pairs, ("limit", "1000"), *page], WITH_BETA)
        assert response.status_code == 200, response.text
        body = response.json()
        rows += body["data"]
        if not body["has_more"]:
            return rows
        page = [("page", body["next_page"])]


def summed(rows: Iterable[tuple[str | None, str]]) -> dict[str | None, Decimal]:
    totals: dict[str | None, Decimal] = defaultdict(Decimal)
    for key, amount in rows:
        totals[key] += Decimal(amount)
    return {key: amount for key, amount in totals.items() if amount}


@pytest.fixture(scope="module")
def demo() -> Simulation:
    return Simulation(create_world(7, PRICES, NOW))


@pytest.mark.parametrize("dimension", ["model", "cost_type", "token_type", "service_tier", "context_window"])
async def test_the_bill_agrees_with_the_admin_reports_to_the_last_digit(demo: Simulation, dimension: str) -> None:
    body = (await demo.get(ADMIN_COST, span(FIRST, LAST, *BY_ALL, ("limit", "31")))).json()
    admin = [(row[dimension], row["amount"]) for bucket in body["data"] for row in bucket["results"]]
    rows = await everything(
        demo, COST, span(FIRST, LAST, ("time_bucket_width", "1d"), *grouped(dimension, "cost_type"))
    )
    assert summed((row["group"][dimension], row["cost"]["amount"]) for row in rows) == summed(admin)
    assert len(admin) > 50


async def test_workspaces_agree_too_and_only_the_default_one_has_another_name(demo: Simulation) -> None:
    body = (await demo.get(ADMIN_COST, span(FIRST, LAST, *BY_ALL, ("limit", "31")))).json()
    rows = await everything(demo, COST, span(FIRST, LAST, *grouped("workspace_id")))
    admin = summed((row["workspace_id"], row["amount"]) for one in body["data"] for row in one["results"])
    admin["wrkspc_default"] = admin.pop(None)
    assert summed((row["group"]["workspace_id"], row["cost"]["amount"]) for row in rows) == admin


async def test_hours_add_up_to_their_days_and_to_one_sum_over_all_of_them(demo: Simulation) -> None:
    sums = [
        summed((row["group"]["api_key_id"], row["cost"]["amount"]) for row in rows)
        for width in ([("time_bucket_width", "1h")], [("time_bucket_width", "1d")], [])
        for rows in [await everything(demo, COST, span(day(14), day(16), *width, *grouped("api_key_id")))]
    ]
    assert sums[0] == sums[1] == sums[2]
    assert len(sums[0]) > 5


async def test_usage_agrees_by_key_and_model(demo: Simulation) -> None:
    hours = span(day(15), day(16), ("bucket_width", "1h"), ("limit", "168"), *grouped("api_key_id", "model"))
    body = (await demo.get(ADMIN_USAGE, hours)).json()
    admin = summed(
        (f"{row['api_key_id']} {row['model']}", str(row["output_tokens"]))
        for one in body["data"]
        for row in one["results"]
    )
    pairs = span(day(15), day(16), ("time_bucket_width", "1h"), *grouped("api_key_id", "model"))
    rows = [(row["group"], row["usage"]) for row in await everything(demo, USED, pairs)]
    assert summed((f"{by['api_key_id']} {by['model']}", str(used["output_tokens"])) for by, used in rows) == admin


DIVISIONS = ("api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo", "speed")


async def used_by_all(simulation: Simulation) -> list[dict[str, Any]]:
    """The rows of the Admin usage report by day, along every dimension at once."""
    pairs = span(FIRST, LAST, ("limit", "31"), *grouped(*DIVISIONS))
    headers = HEADERS | {"anthropic-beta": SPEED_BETA}
    body = (await simulation.get(ADMIN_USAGE, pairs, headers)).json()
    return [row | {"day": one["starting_at"]} for one in body["data"] for row in one["results"]]


def counts_of(row: dict[str, Any]) -> dict[Measure, int]:
    """Tokens and searches of a usage row, in both families."""
    written = row["cache_creation"]
    return {
        Measure.UNCACHED_INPUT: row["uncached_input_tokens"],
        Measure.OUTPUT: row["output_tokens"],
        Measure.CACHE_READ: row["cache_read_input_tokens"],
        Measure.CACHE_WRITE_5M: written["ephemeral_5m_input_tokens"],
        Measure.CACHE_WRITE_1H: written["ephemeral_1h_input_tokens"],
        Measure.WEB_SEARCH: row["server_tool_use"]["web_search_requests"],
    }


def list_price(row: dict[str, Any]) -> Decimal:
    """The cents that a usage row costs in tokens by the price list; the Priority Tier is in no bill."""
    kind = UsageKind(*(row[name] for name in ("model", "service_tier", "context_window", "inference_geo", "speed")))
    cents = Decimal(0)
    for measure, count in counts_of(row).items():
        if row["service_tier"] != "priority" and measure is not Measure.WEB_SEARCH:
            unit = PRICES.unit_price(kind, measure, datetime.fromisoformat(row["day"]))
            cents += (unit or Decimal(0)) * 100 * count
    return cents


def value_of(row: dict[str, Any], dimension: str) -> str | None:
    """The families name two things in two ways: the default workspace, and a region that is not known."""
    nameless = {"workspace_id": "wrkspc_default", "inference_geo": "not_available"}
    return row[dimension] or nameless.get(dimension)


async def test_usage_and_analytics_agree_in_every_measure_along_every_dimension(demo: Simulation) -> None:
    admin = await used_by_all(demo)
    for dimension in DIVISIONS:
        found = await everything(demo, USED, span(FIRST, LAST, *grouped(dimension)))
        for measure in Measure:
            counted = summed((value_of(row, dimension), str(counts_of(row)[measure])) for row in admin)
            analytics = ((value_of(row["group"], dimension), str(counts_of(row["usage"])[measure])) for row in found)
            assert counted == summed(analytics), (dimension, measure)
            assert counted


async def test_priced_usage_is_the_bill_of_tokens_along_every_dimension(demo: Simulation) -> None:
    """Days are restated in the bill alone: what the analytics reports list beside it is what usage comes to."""
    body = (await demo.get(ADMIN_COST, span(FIRST, LAST, *BY_ALL, ("limit", "31")))).json()
    bill = [row for one in body["data"] for row in one["results"] if row["cost_type"] == "tokens"]
    used = [(row, str(list_price(row))) for row in await used_by_all(demo)]
    for dimension in DIVISIONS:
        found = await everything(demo, COST, span(FIRST, LAST, *grouped(dimension, "cost_type")))
        tokens = [
            (value_of(row["group"], dimension), row["cost"]) for row in found if row["group"]["cost_type"] == "tokens"
        ]
        listed = summed((value, cost["list_amount"]) for value, cost in tokens)
        assert listed == summed((value_of(row, dimension), cents) for row, cents in used), dimension
        assert len(listed) > 1
        if dimension in bill[0]:
            billed = summed((value, cost["amount"]) for value, cost in tokens)
            assert billed == summed((value_of(row, dimension), row["amount"]) for row in bill), dimension


async def test_people_and_products_are_of_the_same_events(demo: Simulation) -> None:
    keys = await everything(demo, COST, span(FIRST, LAST, *grouped("api_key_id")))
    by_key = summed((row["group"]["api_key_id"], row["cost"]["amount"]) for row in keys)
    rows = await everything(demo, COST, span(FIRST, LAST, *grouped("actor", "actor_type", "product")))
    assert sum(Decimal(row["cost"]["amount"]) for row in rows) == sum(by_key.values())
    (ada,) = [row for row in rows if (row["group"]["actor"] or {}).get("user_id") == "user_01Ada"]
    assert Decimal(ada["cost"]["amount"]) == by_key["apikey_code_review"]
    assert (ada["group"]["actor_type"], ada["group"]["product"]) == ("user_actor", "claude_code")
    assert ada["group"]["actor"]["email_address"] == "ada@simulated.example"
    assert {row["group"]["actor_type"] for row in rows} == {"user_actor", "api_actor"}
    assert "cc_security_autopatch" in {row["group"]["product"] for row in rows}
    mine = await everything(demo, COST, span(FIRST, LAST, ("actor_ids[]", "user_01Ada")))
    assert [row["cost"]["amount"] for row in mine] == [ada["cost"]["amount"]]


@pytest.fixture
def world() -> FixedWorld:
    world = FixedWorld()
    world.set_cost(day(16).date(), token_cost("300", "wrkspc_1"), token_cost("70", None))
    world.set_cost(day(17).date(), token_cost("20", "wrkspc_1"))
    return world


async def test_without_the_beta_there_is_nothing(world: FixedWorld) -> None:
    assert (await Simulation(world).get(COST, span(FIRST, LAST))).status_code == 404


async def test_an_organisation_that_is_hipaa_ready_is_refused(world: FixedWorld) -> None:
    simulation = Simulation(world, Behaviour(requests_per_minute=10_000, hipaa_ready=True))
    response = await simulation.get(COST, span(FIRST, LAST), WITH_BETA)
    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [("starting_at", "2025-12-31T00:00:00Z")],
        [("starting_at", "2026-11-10T00:00:00Z"), ("time_bucket_width", "1d")],
        span(day(1), day(1) + timedelta(days=32)),
        span(day(1), day(3), ("time_bucket_width", "1m")),
        span(day(2), day(1)),
        span(FIRST, LAST, ("limit", "1001")),
        span(FIRST, LAST, ("group_by[]", "description")),
        span(FIRST, LAST, *grouped("model", "product", "api_key_id", "workspace_id", "service_tier", "speed")),
    ],
)
async def test_a_request_that_the_api_would_not_understand_is_refused(
    world: FixedWorld, pairs: list[tuple[str, str]]
) -> None:
    assert (await Simulation(world).get(COST, pairs, WITH_BETA)).status_code == 400


async def test_only_what_cost_something_has_a_row_and_the_largest_comes_first(world: FixedWorld) -> None:
    body = (await Simulation(world).get(COST, span(FIRST, LAST, *grouped("workspace_id")), WITH_BETA)).json()
    assert [(row["group"]["workspace_id"], row["cost"]["amount"]) for row in body["data"]] == [
        ("wrkspc_1", "300"),
        ("wrkspc_default", "70"),
    ]
    assert {row["group"]["model"] for row in body["data"]} == {None}
    assert body["data_refreshed_at"] == "2026-11-18T12:00:00Z"


async def test_what_happened_since_the_data_were_refreshed_is_not_there_yet(world: FixedWorld) -> None:
    noon = NOW.replace(hour=12, minute=0)
    for at in (noon - timedelta(minutes=1), noon):
        world.add_usage(UsageEvent(at, STREAM, Quantities(output=5)))
    pairs = span(day(18), day(19), ("time_bucket_width", "1h"))
    rows = await everything(Simulation(world), USED, pairs)
    assert [row["starting_at"] for row in rows] == ["2026-11-18T11:00:00Z"]


async def test_a_page_has_so_many_rows_and_token_types_do_not_count(world: FixedWorld) -> None:
    simulation = Simulation(world)
    pairs = span(FIRST, day(18), ("time_bucket_width", "1d"), ("order_by", "time"), ("order", "asc"), ("limit", "1"))
    by = grouped("workspace_id", "token_type")
    seen, page = [], None
    for _ in range(3):
        body = (await simulation.get(COST, [*pairs, *by, *([("page", page)] if page else [])], WITH_BETA)).json()
        seen += [row["starting_at"][8:10] for row in body["data"]]
        page = body["next_page"]
    assert (sorted(seen), page) == (["16", "16", "17"], None)


async def test_a_page_token_expires_when_the_data_are_refreshed(world: FixedWorld) -> None:
    simulation = Simulation(world)
    pairs = span(FIRST, LAST, *grouped("workspace_id"), ("limit", "1"))
    token = (await simulation.get(COST, pairs, WITH_BETA)).json()["next_page"]
    simulation.clock.advance(timedelta(hours=4))
    assert (await simulation.get(COST, [*pairs, ("page", token)], WITH_BETA)).status_code == 410


async def test_faults_reach_what_is_nested(world: FixedWorld) -> None:
    simulation = Simulation(world)
    simulation.faults.inject("analytics_cost", Fault.UNKNOWN_ENUM)
    simulation.faults.inject("analytics_cost", Fault.FOREIGN_CURRENCY)
    pairs = span(FIRST, LAST, *grouped("product", "cost_type"))
    first, second = [(await simulation.get(COST, pairs, WITH_BETA)).json()["data"][0] for _ in range(2)]
    assert first["group"]["product"].startswith("novel_")
    assert second["cost"]["currency"] == "EUR"
