"""The demonstration organisation: reproducible, consistent with its bill, and able to go wrong."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from service.adapters.prices import list_price_book
from service.domain.sources.pricing import Measure, UsageKind, priced
from service.simulator.world.billing import FREE_EXECUTION_CENTIHOURS, bill, display_name
from service.simulator.world.demo import create_world
from service.simulator.world.records import DAY, HOUR, NOTHING, CostLine, Quantities, Stream, Usage
from service.simulator.world.scenarios import (
    SCENARIOS,
    cache_loss,
    late_data,
    restatement,
    runaway_loop,
    silence,
    traffic_spike,
)
from service.simulator.world.world import Cast, Lags, StreamWorld
from tests.simulator.client import BY_ALL, COST, NOW, USAGE, Simulation, day, iso, span

PRICES = list_price_book()
PROD = Stream("wrkspc_p", "apikey_p", "claude-sonnet-5-5")
LAB = Stream("wrkspc_l", "apikey_l", "claude-opus-5-5", "batch")
DEFAULT = Stream(None, None, "claude-sonnet-4-5-20250929", "priority")
HOURLY = Quantities(6_000, 1_200, 60_000, 600, 60, 6)


class Flat:
    """The same hour over and over."""

    def hour(self, stream: Stream, hour: datetime) -> Quantities:
        return HOURLY

    def mean_hour(self, stream: Stream) -> Quantities:
        return HOURLY


def flat_world(lags: Lags = Lags(timedelta(), timedelta()), revisions: float = 0.0) -> StreamWorld:
    return StreamWorld(3, Cast((), (), (PROD, LAB, DEFAULT)), Flat(), PRICES, lags, revisions)


def total(lines: Sequence[CostLine], workspace_id: str | None = "*") -> Decimal:
    return sum((line.amount for line in lines if workspace_id in ("*", line.workspace_id)), Decimal(0))


def used(world: StreamWorld, stream: Stream, start: datetime, end: datetime, now: datetime) -> Quantities:
    found = (each.quantities for each in world.usage(start, end, now) if each.stream == stream)
    return next(found, NOTHING)


def test_the_same_seed_gives_the_same_world_and_another_seed_another_one() -> None:
    one, same, other = (create_world(seed, PRICES, NOW) for seed in (7, 7, 8))
    assert one.cost(day(16).date(), NOW) == same.cost(day(16).date(), NOW)
    assert one.cost(day(16).date(), NOW) != other.cost(day(16).date(), NOW)


def test_a_restart_hours_later_finds_the_same_past() -> None:
    before, after = create_world(7, PRICES, NOW), create_world(7, PRICES, NOW + 30 * HOUR)
    later = NOW + 31 * HOUR
    for number in range(1, 18):
        assert before.cost(day(number).date(), later) == after.cost(day(number).date(), later)


def test_an_answer_does_not_depend_on_what_was_asked_before() -> None:
    busy, fresh = create_world(7, PRICES, NOW), create_world(7, PRICES, NOW)
    for minutes in range(0, 600, 97):
        busy.usage(day(18), day(19), day(18) + timedelta(minutes=minutes))
        busy.cost(day(18).date(), day(18) + timedelta(minutes=minutes))
    assert busy.usage(day(18), day(19), NOW) == fresh.usage(day(18), day(19), NOW)
    assert busy.cost(day(18).date(), NOW) == fresh.cost(day(18).date(), NOW)


@pytest.mark.parametrize("width", [timedelta(minutes=1), HOUR])
def test_small_buckets_add_up_to_the_large_one(width: timedelta) -> None:
    world = create_world(7, PRICES, NOW)
    stream = world.streams[0]
    start, end = day(16), day(17)
    parts = [used(world, stream, start + n * width, start + (n + 1) * width, NOW) for n in range(DAY // width)]
    assert Quantities(*map(sum, zip(*parts, strict=True))) == used(world, stream, start, end, NOW)


async def test_standard_tokens_times_the_list_price_are_the_billed_amount() -> None:
    simulation = Simulation(flat_world())
    grouped = [
        ("group_by[]", name) for name in ("workspace_id", "model", "service_tier", "context_window", "inference_geo")
    ]
    counted = await simulation.rows(USAGE, span(day(16), day(17), *grouped))
    billed = {
        (row["workspace_id"], row["token_type"]): row["amount"]
        for row in await simulation.rows(COST, span(day(16), day(17), *BY_ALL))
    }
    row = next(row for row in counted if row["workspace_id"] == "wrkspc_p")
    kind = UsageKind(row["model"], row["service_tier"], row["context_window"], row["inference_geo"])
    found = priced(PRICES.unit_price(kind, Measure.OUTPUT, day(16)), row["output_tokens"])
    assert row["output_tokens"] == 24 * HOURLY.output
    assert found is not None
    assert found.usd * 100 == Decimal(billed["wrkspc_p", "output_tokens"])


def test_priority_tier_tokens_are_used_and_never_billed() -> None:
    world = flat_world()
    assert used(world, DEFAULT, day(16), day(17), NOW).output == 24 * HOURLY.output
    types = {line.cost_type for line in world.cost(day(16).date(), NOW) if line.workspace_id is None}
    assert types == {"web_search"}


def test_container_time_is_billed_above_the_month_s_free_hours_only() -> None:
    usage = [Usage(PROD, NOTHING._replace(execution_centihours=1_000))]
    assert bill(usage, NOW, PRICES, FREE_EXECUTION_CENTIHOURS) == []
    (line,) = bill(usage, NOW, PRICES, 400)
    assert (line.cost_type, line.amount, line.model) == ("code_execution", Decimal(30), None)


def test_the_demo_pays_for_containers_late_in_the_month_and_not_early() -> None:
    world = create_world(7, PRICES, NOW)

    def executed(number: int) -> bool:
        found = world.cost(date(2026, 10, number), NOW)
        return any(line.cost_type == "code_execution" for line in found)

    assert not executed(3)
    assert executed(30)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("claude-sonnet-4-5-20250929", "Claude Sonnet 4.5"),
        ("claude-3-5-haiku-20241022", "Claude Haiku 3.5"),
        ("claude-opus-5", "Claude Opus 5"),
    ],
)
def test_a_bill_calls_a_model_by_its_display_name(model: str, name: str) -> None:
    assert display_name(model) == name


def test_usage_is_visible_five_minutes_after_the_event_and_the_bill_later() -> None:
    world = flat_world(Lags(timedelta(minutes=5), timedelta(hours=2)))
    start = day(16) + 10 * HOUR
    assert used(world, PROD, start, start + HOUR, start + timedelta(minutes=5)) == NOTHING
    partial = used(world, PROD, start, start + HOUR, start + timedelta(minutes=35))
    assert 0 < partial.output < HOURLY.output
    assert used(world, PROD, start, start + HOUR, start + timedelta(minutes=65)) == HOURLY
    assert total(world.cost(day(16).date(), day(16) + 2 * HOUR)) == 0
    early = total(world.cost(day(16).date(), day(17) + HOUR))
    assert 0 < early < total(world.cost(day(16).date(), day(17) + 2 * HOUR))


def test_a_runaway_loop_adds_to_its_key_between_its_instants_only() -> None:
    world = flat_world()
    start = day(16) + 10 * HOUR
    world.add(runaway_loop("apikey_p", start, start + HOUR, "30"))
    assert used(world, PROD, start, start + HOUR, NOW).cache_read == 31 * HOURLY.cache_read
    assert used(world, LAB, start, start + HOUR, NOW) == HOURLY
    assert used(world, PROD, start + HOUR, start + 2 * HOUR, NOW) == HOURLY
    usual = total(world.cost(day(15).date(), NOW), "wrkspc_p")
    assert total(world.cost(day(16).date(), NOW), "wrkspc_p") == usual * (24 + 30) / 24


def test_a_spike_a_silence_and_a_lost_cache_change_the_volume_of_their_workspace() -> None:
    world = flat_world()
    at = [day(16) + number * HOUR for number in range(4)]
    world.add(traffic_spike("wrkspc_p", at[0], at[1], "4"))
    world.add(silence("wrkspc_p", at[1], at[2]))
    world.add(cache_loss("wrkspc_p", at[2], at[3]))
    assert used(world, PROD, at[0], at[1], NOW).output == 4 * HOURLY.output
    assert used(world, PROD, at[1], at[2], NOW) == NOTHING
    lost = used(world, PROD, at[2], at[3], NOW)
    assert (lost.cache_read, lost.uncached_input) == (0, HOURLY.uncached_input + HOURLY.cache_read)


def test_late_data_is_hidden_until_its_lag_has_passed() -> None:
    world = flat_world()
    start = day(16) + 10 * HOUR
    world.add(late_data(start, start + 2 * HOUR, 12 * HOUR))
    hidden = used(world, PROD, day(16), day(17), day(16) + 20 * HOUR)
    assert hidden.output == 18 * HOURLY.output
    usual = total(world.cost(day(15).date(), NOW))
    assert total(world.cost(day(16).date(), day(16) + 20 * HOUR)) == usual * 18 / 24
    assert used(world, PROD, day(16), day(17), day(17)).output == 24 * HOURLY.output


@pytest.mark.parametrize("factor", ["1.25", "0.5"])
def test_a_restatement_changes_a_past_day_s_bill_from_when_it_is_known(factor: str) -> None:
    world = flat_world()
    before = total(world.cost(day(16).date(), NOW), "wrkspc_p")
    world.add(restatement("wrkspc_p", day(16) + 9 * HOUR, factor, NOW + HOUR))
    assert total(world.cost(day(16).date(), NOW), "wrkspc_p") == before
    assert total(world.cost(day(16).date(), NOW + HOUR), "wrkspc_p") == before * Decimal(factor)
    assert total(world.cost(day(15).date(), NOW + HOUR), "wrkspc_p") == before


def test_routine_revisions_go_up_and_down_and_come_a_day_or_so_late() -> None:
    world, steady = flat_world(revisions=1.0), flat_world()
    usual = total(steady.cost(day(1).date(), NOW), "wrkspc_p")
    assert total(world.cost(day(16).date(), day(17)), "wrkspc_p") == usual
    settled = {total(world.cost(day(number).date(), NOW), "wrkspc_p") / usual for number in range(1, 15)}
    assert settled == {Decimal("1.03"), Decimal("0.97")}


async def test_a_key_that_is_switched_off_stops_spending_until_it_is_switched_on_again() -> None:
    world = create_world(7, PRICES, NOW)
    simulation = Simulation(world)
    path = "/v1/organizations/api_keys/apikey_prod_web"
    assert (await simulation.post(path, {"status": "inactive"})).json()["status"] == "inactive"
    simulation.clock.advance(3 * HOUR)
    await simulation.post(path, {"status": "active"})
    simulation.clock.advance(3 * HOUR)
    off = NOW.replace(minute=0) + HOUR
    pairs = span(off - 2 * HOUR, off + 4 * HOUR, ("bucket_width", "1h"), ("api_key_ids[]", "apikey_prod_web"))
    body = (await simulation.get(USAGE, pairs)).json()
    assert [bool(bucket["results"]) for bucket in body["data"]] == [True, True, False, False, True, True]


async def test_an_incident_is_played_live_over_http() -> None:
    simulation = Simulation(create_world(7, PRICES, NOW))
    order = {"scenario": "runaway_loop", "api_key_id": "apikey_notebook", "hours": 2, "factor": "50"}
    begun = await simulation.post("/_simulator/incidents", order)
    assert begun.status_code == 201
    assert begun.json()["ends_at"] == iso(NOW + 2 * HOUR)
    simulation.clock.advance(3 * HOUR)
    hour = NOW.replace(minute=0)
    pairs = span(hour - HOUR, hour + 2 * HOUR, ("bucket_width", "1h"), ("api_key_ids[]", "apikey_notebook"))
    body = (await simulation.get(USAGE, pairs)).json()
    tokens = [bucket["results"][0]["output_tokens"] for bucket in body["data"]]
    assert tokens[2] > 10 * tokens[0]


async def test_an_incident_of_a_workspace_leaves_others_alone_and_ends_when_it_is_ended() -> None:
    simulation = Simulation(create_world(7, PRICES, NOW))
    order = {"scenario": "runaway_loop", "workspace_id": "wrkspc_support", "hours": 9, "factor": "50"}
    begun = (await simulation.post("/_simulator/incidents", order)).json()
    simulation.clock.advance(2 * HOUR)
    async with simulation.client() as client:
        ended = (await client.delete(f"/_simulator/incidents/{begun['number']}")).json()
        assert (await client.delete("/_simulator/incidents/99")).status_code == 404
    assert (begun["reported_at"], ended["ends_at"]) == (iso(NOW + timedelta(minutes=6)), iso(NOW + 2 * HOUR))
    simulation.clock.advance(3 * HOUR)
    hour = NOW.replace(minute=0)

    async def output(workspace: str) -> list[int]:
        pairs = span(hour - HOUR, hour + 4 * HOUR, ("bucket_width", "1h"), ("workspace_ids[]", workspace))
        body = (await simulation.get(USAGE, pairs)).json()
        return [bucket["results"][0]["output_tokens"] for bucket in body["data"]]

    before, _, during, _, after = await output("wrkspc_support")
    assert during > 10 * before
    assert after < 2 * before
    before, _, during, _, _ = await output("wrkspc_production")
    assert during < 2 * before


@pytest.mark.parametrize("name", SCENARIOS)
async def test_every_scenario_can_be_ordered_by_name(name: str) -> None:
    simulation = Simulation(create_world(7, PRICES, NOW))
    before = (await simulation.get("/_simulator/world")).json()["incidents"]
    assert (await simulation.post("/_simulator/incidents", {"scenario": name})).status_code == 201
    after = (await simulation.get("/_simulator/world")).json()["incidents"]
    assert after[: len(before)] == before
    assert after[-1]["scenario"] == name


@pytest.mark.parametrize(
    "change", [{"scenario": "flood"}, {"factor": "much"}, {"factor": "NaN"}, {"factor": "-2"}, {"hours": 0}]
)
async def test_an_order_that_makes_no_sense_is_unprocessable(change: dict[str, object]) -> None:
    simulation = Simulation(create_world(7, PRICES, NOW))
    order = {"scenario": "traffic_spike"} | change
    assert (await simulation.post("/_simulator/incidents", order)).status_code == 422


async def test_the_demo_has_every_kind_of_row_a_client_must_cope_with() -> None:
    simulation = Simulation(create_world(7, PRICES, NOW))
    grouped = [("group_by[]", name) for name in ("api_key_id", "service_tier", "context_window", "inference_geo")]
    counted = await simulation.rows(USAGE, span(day(17), day(18), *grouped))
    assert None in {row["api_key_id"] for row in counted}
    assert {row["service_tier"] for row in counted} == {"standard", "batch", "priority"}
    assert {row["context_window"] for row in counted} == {"0-200k", "200k-1M"}
    assert {row["inference_geo"] for row in counted} == {"global", "us", "not_available"}
    billed = await simulation.rows(COST, span(day(17), day(18), *BY_ALL))
    assert {row["cost_type"] for row in billed} == {"tokens", "web_search", "code_execution", "session_usage"}
    assert None in {row["workspace_id"] for row in billed}
    places = [Decimal(row["amount"]).as_tuple().exponent for row in billed]
    assert all(isinstance(each, int) and each >= -10 for each in places)


async def test_the_grouped_bill_adds_up_to_the_ungrouped_one() -> None:
    simulation = Simulation(create_world(7, PRICES, NOW))
    grouped = await simulation.rows(COST, span(day(10), day(11), *BY_ALL))
    (whole,) = await simulation.rows(COST, span(day(10), day(11)))
    assert sum(Decimal(row["amount"]) for row in grouped) == Decimal(whole["amount"])
