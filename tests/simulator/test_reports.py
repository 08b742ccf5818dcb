"""Ranges, pages, rows and null rules of the two reports."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.domain.sources.pricing import Measure
from service.simulator.protocol.behaviour import Behaviour, OpenEnd, Rounding, Today
from service.simulator.world.records import Quantities, Stream
from tests.fakes.fixed_world import FixedWorld, UsageEvent, token_cost
from tests.simulator.client import BY_ALL, COST, HEADERS, NOW, USAGE, Simulation, day, iso, span

STREAM = Stream("wrkspc_1", "apikey_a", "claude-sonnet-5-5")
KEYLESS = Stream(None, None, "claude-haiku-4-5", "batch", inference_geo="us", account_id="user_1")
COST_KEYS = {
    "amount", "currency", "workspace_id", "description", "cost_type", "model", "token_type", "service_tier",
    "context_window", "inference_geo",
}  # fmt: skip
USAGE_KEYS = {
    "uncached_input_tokens", "cache_read_input_tokens", "output_tokens", "cache_creation", "server_tool_use",
    "account_id", "api_key_id", "service_account_id", "workspace_id", "model", "service_tier",
    "context_window", "inference_geo",
}  # fmt: skip


@pytest.fixture
def world() -> FixedWorld:
    world = FixedWorld()
    world.set_cost(
        day(16).date(),
        token_cost("776.257875", "wrkspc_1"),
        token_cost("10.50", "wrkspc_1", measure=Measure.OUTPUT),
        token_cost("3", None),
    )
    world.set_cost(day(18).date(), token_cost("42"))
    return world


@pytest.fixture
def simulation(world: FixedWorld) -> Simulation:
    return Simulation(world)


def starts(body: dict[str, Any]) -> list[str]:
    return [bucket["starting_at"][8:10] for bucket in body["data"]]


async def test_a_range_is_half_open_and_empty_days_are_buckets_too(simulation: Simulation) -> None:
    body = (await simulation.get(COST, span(day(15), day(18)))).json()
    assert starts(body) == ["15", "16", "17"]
    assert [len(bucket["results"]) for bucket in body["data"]] == [0, 1, 0]
    assert body["data"][1]["ending_at"] == "2026-11-17T00:00:00Z"


async def test_an_ungrouped_day_is_one_row_with_only_an_amount(simulation: Simulation) -> None:
    (row,) = await simulation.rows(COST, span(day(16), day(17)))
    assert set(row) == COST_KEYS
    assert (row.pop("amount"), row.pop("currency")) == ("789.757875", "USD")
    assert set(row.values()) == {None}


async def test_rows_by_workspace_keep_the_default_one_as_null(simulation: Simulation) -> None:
    found = await simulation.rows(COST, span(day(16), day(17), BY_ALL[0]))
    assert {row["workspace_id"]: row["amount"] for row in found} == {"wrkspc_1": "786.757875", None: "3"}
    assert {row["model"] for row in found} == {None}


async def test_rows_by_both_groups_carry_every_dimension(simulation: Simulation) -> None:
    found = await simulation.rows(COST, span(day(16), day(17), *BY_ALL))
    assert [row["amount"] for row in found] == ["776.257875", "10.5", "3"]
    assert all(set(row) == COST_KEYS for row in found)
    assert found[1]["token_type"] == "output_tokens"
    assert (found[2]["workspace_id"], found[2]["service_tier"]) == (None, "standard")


async def test_the_bill_can_be_rewritten_between_two_polls(simulation: Simulation, world: FixedWorld) -> None:
    world.set_cost(day(16).date(), token_cost("5"))
    (row,) = await simulation.rows(COST, span(day(16), day(17)))
    assert row["amount"] == "5"


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [("starting_at", "yesterday")],
        [("starting_at", iso(day(16))), ("starting_at", iso(day(17)))],
        span(day(16), day(17), ("limit", "0")),
        span(day(16), day(17), ("limit", "32")),
        span(day(16), day(17), ("limit", "many")),
        span(day(16), day(17), ("bucket_width", "1h")),
        span(day(16), day(17), ("group_by[]", "model")),
        span(day(16), day(17), ("group_by", "workspace_id")),
        span(day(16), day(17), ("workspace_ids[]", "wrkspc_1")),
        span(day(16), day(17), ("page", "page_unheard-of")),
    ],
)
async def test_a_cost_request_that_the_api_would_not_understand_is_refused(
    simulation: Simulation, pairs: list[tuple[str, str]]
) -> None:
    response = await simulation.get(COST, pairs)
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


async def test_an_end_that_is_not_after_the_start_is_refused_in_the_api_s_words(
    simulation: Simulation,
) -> None:
    response = await simulation.get(COST, span(day(16), day(16) + timedelta(hours=20)))
    assert response.status_code == 400
    assert response.json()["error"]["message"] == ("Invalid date range: ending date must be after starting date")


async def test_without_a_limit_only_seven_days_come_back_and_more_are_promised(
    simulation: Simulation,
) -> None:
    body = (await simulation.get(COST, span(day(1), day(18)))).json()
    assert starts(body) == [f"{number:02}" for number in range(1, 8)]
    assert body["has_more"] is True


async def test_following_the_pages_brings_every_day_exactly_once(simulation: Simulation) -> None:
    pairs = span(day(1), day(19), ("limit", "5"))
    seen: list[str] = []
    page: str | None = None
    for _ in range(4):
        body = (await simulation.get(COST, [*pairs, ("page", page)] if page else pairs)).json()
        seen += starts(body)
        page = body["next_page"]
    assert seen == [f"{number:02}" for number in range(1, 19)]
    assert (body["has_more"], page) == (False, None)


@pytest.mark.parametrize("status", [400, 410])
async def test_a_page_token_does_not_fit_other_parameters(world: FixedWorld, status: int) -> None:
    simulation = Simulation(world, Behaviour(foreign_page_status=status))
    page = (await simulation.get(COST, span(day(1), day(18)))).json()["next_page"]
    response = await simulation.get(COST, span(day(1), day(18), ("page", page), ("limit", "9")))
    assert response.status_code == status


@pytest.mark.parametrize(
    ("rounding", "first"), [(Rounding.FLOOR, "16"), (Rounding.CEILING, "17")], ids=["floor", "ceiling"]
)
async def test_an_unaligned_start_is_rounded_as_configured(world: FixedWorld, rounding: Rounding, first: str) -> None:
    simulation = Simulation(world, Behaviour(rounding=rounding))
    body = (await simulation.get(COST, span(day(16) + timedelta(hours=5), day(18)))).json()
    assert starts(body)[0] == first


async def test_an_open_end_includes_today_or_not_as_configured(world: FixedWorld) -> None:
    pairs = [("starting_at", iso(day(17)))]
    assert starts((await Simulation(world).get(COST, pairs)).json()) == ["17", "18"]
    closed = Simulation(world, Behaviour(open_end=OpenEnd.LAST_MIDNIGHT))
    assert starts((await closed.get(COST, pairs)).json()) == ["17"]


async def test_today_is_partial_empty_or_refused_as_configured(world: FixedWorld) -> None:
    today = span(day(18), day(19))
    assert len(await Simulation(world).rows(COST, today)) == 1
    assert await Simulation(world, Behaviour(today=Today.EMPTY)).rows(COST, today) == []
    refusing = Simulation(world, Behaviour(today=Today.REFUSED))
    assert (await refusing.get(COST, today)).status_code == 400
    assert (await refusing.get(COST, span(day(17), day(19)))).status_code == 200


async def test_a_start_a_day_ago_fails_as_the_live_api_did_when_it_rounds_up_and_ends_last_midnight(
    world: FixedWorld,
) -> None:
    strict = Simulation(world, Behaviour(rounding=Rounding.CEILING, open_end=OpenEnd.LAST_MIDNIGHT))
    response = await strict.get(COST, [("starting_at", iso(NOW - timedelta(hours=24)))])
    assert response.status_code == 400


def with_usage(world: FixedWorld) -> Simulation:
    noon = datetime(2026, 11, 17, 12, tzinfo=UTC)
    world.add_usage(
        UsageEvent(noon, STREAM, Quantities(100, 20, 3, 4, 5, 6)),
        UsageEvent(noon + timedelta(minutes=59, seconds=59), KEYLESS, Quantities(1000, 200)),
        UsageEvent(noon + timedelta(hours=1), STREAM, Quantities(7)),
        UsageEvent(noon + timedelta(hours=2), STREAM, Quantities(9), visible_at=NOW + timedelta(hours=1)),
    )
    return Simulation(world)


HOURLY = span(day(17) + timedelta(hours=12), day(17) + timedelta(hours=15), ("bucket_width", "1h"))


async def test_usage_falls_into_the_half_open_hour_of_its_event(world: FixedWorld) -> None:
    simulation = with_usage(world)
    body = (await simulation.get(USAGE, HOURLY)).json()
    found = [[row["uncached_input_tokens"] for row in bucket["results"]] for bucket in body["data"]]
    assert found == [[1100], [7], []]
    simulation.clock.advance(timedelta(hours=1))
    late = (await simulation.get(USAGE, HOURLY)).json()["data"][2]["results"]
    assert [row["uncached_input_tokens"] for row in late] == [9]


async def test_a_usage_row_nests_cache_writes_and_shows_only_grouped_dimensions(world: FixedWorld) -> None:
    pairs = [*HOURLY, ("group_by[]", "api_key_id"), ("group_by[]", "service_tier")]
    found = await with_usage(world).rows(USAGE, pairs)
    keyed = next(row for row in found if row["api_key_id"] == "apikey_a")
    assert set(keyed) == USAGE_KEYS
    assert keyed["cache_creation"] == {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 5}
    assert keyed["server_tool_use"] == {"web_search_requests": 6}
    assert (keyed["service_tier"], keyed["model"], keyed["workspace_id"]) == ("standard", None, None)
    assert {row["api_key_id"] for row in found} == {"apikey_a", None}


@pytest.mark.parametrize(
    ("chosen", "tokens"),
    [
        ([("service_tiers[]", "batch")], [1000]),
        ([("models[]", "claude-sonnet-5-5"), ("models[]", "claude-haiku-4-5")], [1100]),
        ([("workspace_ids[]", "wrkspc_1"), ("inference_geos[]", "us")], []),
        ([("api_key_ids[]", "apikey_a"), ("context_window[]", "0-200k")], [100]),
        ([("account_ids[]", "user_1")], [1000]),
    ],
)
async def test_filters_of_usage_must_all_hold(
    world: FixedWorld, chosen: list[tuple[str, str]], tokens: list[int]
) -> None:
    found = await with_usage(world).rows(USAGE, [*HOURLY, *chosen])
    assert [row["uncached_input_tokens"] for row in found] == tokens


async def test_speed_needs_its_beta_header(world: FixedWorld) -> None:
    simulation = with_usage(world)
    pairs = [*HOURLY, ("group_by[]", "speed")]
    assert (await simulation.get(USAGE, pairs)).status_code == 400
    beta = {**HEADERS, "anthropic-beta": "other-1, fast-mode-2026-02-01"}
    body = (await simulation.get(USAGE, pairs, beta)).json()
    assert body["data"][0]["results"][0]["speed"] == "standard"


@pytest.mark.parametrize(("width", "default", "highest"), [("1m", 60, 1440), ("1h", 24, 168), ("1d", 7, 31)])
async def test_each_bucket_width_has_its_own_limits(
    simulation: Simulation, width: str, default: int, highest: int
) -> None:
    pairs = [("starting_at", iso(NOW - timedelta(days=60))), ("bucket_width", width)]
    assert len((await simulation.get(USAGE, pairs)).json()["data"]) == default
    most = (await simulation.get(USAGE, [*pairs, ("limit", str(highest))])).json()
    assert len(most["data"]) == min(highest, 61 if width == "1d" else highest)
    too_many = await simulation.get(USAGE, [*pairs, ("limit", str(highest + 1))])
    assert too_many.status_code == 400
