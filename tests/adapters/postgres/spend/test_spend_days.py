"""What a day's spend follows from, the daily rollup, and spend in any window."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.spend.facts import PostgresFacts
from service.domain.sources.pricing import Measure
from service.domain.spend.best_known import Basis, BilledDay, EstimatedDay, Spend, SpendDay
from service.domain.spend.rows import PRIORITY_TIER, Dimensions, Width
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window
from service.domain.values.scopes import FINEST, Cell, Dimension, Grain
from service.domain.values.utc import utc_day
from service.workflows.ports.unit_of_work import UowFactory
from tests.adapters.postgres.reports import (
    DAY,
    NOON,
    SETTLED,
    SOURCE,
    day_of,
    facts_of,
    hour_of,
    make_room,
    stamp,
    used,
)

ALPHA = Cell("wrkspc_a", "claude-sonnet-4-5", "apikey_1")
BETA = Cell("wrkspc_b", "claude-haiku-5-5", "")
LATER = NOON + timedelta(days=20)
_ROWS_TOUCHED = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'spend_days'"
"""By the statements of this session that the server has not added to its statistics yet."""


@pytest.fixture(autouse=True)
async def _room(engine: AsyncEngine) -> None:
    await make_room(engine)


def nov(day: int) -> date:
    return date(2026, 11, day)


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def billed(usd: str) -> SpendDay:
    return SpendDay(Spend(billed=Money.of(usd)))


# ------------------------------------------------------------------------------------------- day inputs


async def test_the_bill_is_by_workspace_and_model_with_tokens_apart_from_the_rest(engine: AsyncEngine) -> None:
    def row(cost_type: str, token_type: str = "", workspace: str = "wrkspc_a") -> Dimensions:
        return Dimensions(workspace, "claude-sonnet-4-5", cost_type=cost_type, token_type=token_type)

    report = day_of(
        DAY,
        {
            row("tokens", "output_tokens"): "1",
            row("tokens", "uncached_input_tokens"): "2",
            row("code_execution"): "4",
            row("tokens", workspace="default"): "8",
            row(""): "16",
        },
    )
    async with facts_of(engine) as facts:
        await facts.replace_cost(stamp(), [report])
        inputs = await facts.day_inputs(SOURCE, [DAY])
    assert inputs[DAY].bill == {
        Cell("wrkspc_a", "claude-sonnet-4-5", ""): BilledDay(Money.of("3"), Money.of("20")),
        Cell("default", "claude-sonnet-4-5", ""): BilledDay(Money.of("8")),
    }


async def test_usage_is_by_cell_with_priority_tier_apart_and_unpriced_tokens_counted(engine: AsyncEngine) -> None:
    hours = [
        hour_of(
            at(10, 0),
            used(10, "1"),
            used(10, "2", measure=Measure.CACHE_READ),
            used(10, "4", tier=PRIORITY_TIER),
            used(30, None, measure=Measure.UNCACHED_INPUT),
            used(10, "8", api_key="apikey_2"),
        ),
        hour_of(at(10, 23), used(10, "16"), used(40, None, measure=Measure.UNCACHED_INPUT)),
        hour_of(at(11, 0), used(10, "32")),
    ]
    async with facts_of(engine) as facts:
        await facts.replace_usage(stamp(), Width.HOUR, hours)
        inputs = await facts.day_inputs(SOURCE, [DAY])
    assert inputs[DAY].usage == {
        ALPHA: EstimatedDay(
            *(Money.of("19"), Money.of("4")),
            unpriced_tokens=70,
            input_tokens=80,
            cache_read_tokens=10,
            output_tokens=20,
        ),
        Cell("wrkspc_a", "claude-sonnet-4-5", "apikey_2"): EstimatedDay(Money.of("8"), output_tokens=10),
    }


async def test_web_searches_are_no_token_cost_so_that_they_are_not_counted_twice(engine: AsyncEngine) -> None:
    hour = hour_of(at(10, 0), used(10, "1"), used(1000, "10", measure=Measure.WEB_SEARCH))
    async with facts_of(engine) as facts:
        await facts.replace_usage(stamp(), Width.HOUR, [hour])
        inputs = await facts.day_inputs(SOURCE, [DAY])
    assert inputs[DAY].usage == {ALPHA: EstimatedDay(Money.of("1"), output_tokens=10)}


async def test_every_day_asked_for_is_answered_and_no_other(engine: AsyncEngine) -> None:
    report = [day_of(nov(day), {Dimensions("wrkspc_a"): str(day)}) for day in (8, 9, 10)]
    async with facts_of(engine) as facts:
        await facts.replace_cost(stamp(at(11, 0)), report)
        inputs = await facts.day_inputs(SOURCE, [nov(8), nov(10), nov(30)])
        assert await facts.day_inputs(SOURCE, []) == {}
    assert {day: sum(len(of.bill) for of in [one]) for day, one in inputs.items()} == {
        nov(8): 1,
        nov(10): 1,
        nov(30): 0,
    }
    assert {day for day, one in inputs.items() if one.settled} == {nov(8)}


# ------------------------------------------------------------------------------------------- the rollup


async def test_a_stored_day_replaces_what_was_stored_of_it_and_leaves_other_days(engine: AsyncEngine) -> None:
    estimate = EstimatedDay(Money.of("3"), Money.of("5"), 7)
    async with facts_of(engine) as facts:
        await facts.store_days(stamp(), {nov(9): {ALPHA: billed("1")}, DAY: {ALPHA: billed("2"), BETA: billed("4")}})
        await facts.store_days(stamp(source_id="src_2"), {DAY: {ALPHA: billed("100")}})
        await facts.store_days(stamp(), {DAY: {BETA: SpendDay(Spend(ZERO, Money.of("6")), estimate)}})
        days = await facts.days(SOURCE, Window(at(1), at(30)))
    assert days == [
        (nov(9), ALPHA, billed("1")),
        (DAY, BETA, SpendDay(Spend(ZERO, Money.of("6")), estimate)),
    ]


async def test_storing_a_day_again_writes_only_what_differs(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        await facts.store_days(stamp(), {DAY: {ALPHA: billed("1"), BETA: billed("2")}})
    before = await row_versions(engine)
    async with facts_of(engine) as facts:
        await facts.store_days(stamp(), {DAY: {ALPHA: billed("1"), BETA: billed("3")}})
    after = await row_versions(engine)
    assert after["wrkspc_a"] == before["wrkspc_a"]
    assert after["wrkspc_b"] != before["wrkspc_b"]


async def row_versions(engine: AsyncEngine) -> dict[str, tuple[str, ...]]:
    async with engine.connect() as connection:
        query = "SELECT workspace, ctid::text, xmin::text, xmax::text FROM spend_days"
        return {row[0]: tuple(row[1:]) for row in await connection.execute(text(query))}


async def test_days_and_hours_are_those_that_begin_in_the_window(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        await facts.store_days(stamp(), {nov(day): {ALPHA: billed(str(day))} for day in (8, 9, 10)})
        await facts.replace_usage(
            stamp(), Width.HOUR, [hour_of(at(10, hour), used(1, str(hour))) for hour in (2, 3, 4)]
        )
        days = await facts.days(SOURCE, Window(at(8, 1), at(10, 1)))
        hours = await facts.hours(SOURCE, Window(at(10, 2, 30), at(10, 4)))
    assert [day for day, _, _ in days] == [nov(9), nov(10)]
    assert hours == [(at(10, 3), ALPHA, EstimatedDay(Money.of("3"), output_tokens=1))]


# ------------------------------------------------------------------------------------------- spend


async def test_spend_of_whole_days_is_the_sum_of_their_days_by_cell(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        await facts.store_days(
            stamp(),
            {
                nov(9): {ALPHA: billed("1"), BETA: billed("2")},
                nov(10): {ALPHA: SpendDay(Spend(estimated=Money.of("4")))},
                nov(11): {ALPHA: billed("8")},
            },
        )
        spend = await facts.spend(SOURCE, Window(at(9), at(11)), LATER)
    assert spend == {ALPHA: Spend(Money.of("1"), Money.of("4")), BETA: Spend(Money.of("2"))}


async def test_boundary_days_are_split_by_each_cells_own_hours_or_else_by_time(engine: AsyncEngine) -> None:
    """The 9th and the 10th in New York: from 05:00 to 05:00 UTC."""
    async with facts_of(engine) as facts:
        await facts.store_days(
            stamp(),
            {
                nov(9): {ALPHA: billed("24"), BETA: billed("24")},
                nov(10): {ALPHA: billed("100")},
                nov(11): {ALPHA: billed("24"), BETA: billed("24")},
            },
        )
        await facts.replace_usage(
            stamp(LATER),
            Width.HOUR,
            [
                hour_of(at(9, 4), used(1, "3"), used(1, "50", tier=PRIORITY_TIER)),
                hour_of(at(9, 5), used(1, "1")),
                hour_of(at(11, 4), used(1, "1")),
                hour_of(at(11, 5), used(1, "1")),
            ],
        )
        spend = await facts.spend(SOURCE, Window(at(9, 5), at(11, 5)), LATER)
    assert spend[ALPHA].total == Money.of("6") + Money.of("100") + Money.of("12")
    assert spend[BETA].total == Money.of("19") + Money.of("5")
    assert {one.basis for one in spend.values()} == {Basis.MIXED}


async def test_windows_that_meet_inside_a_day_add_up_to_it(engine: AsyncEngine) -> None:
    edges = [at(10), at(10, 5), at(10, 18, 30), at(10, 18, 45), at(11)]
    async with facts_of(engine) as facts:
        await facts.store_days(stamp(), {DAY: {ALPHA: billed("10.000000000001"), BETA: billed("1")}})
        await facts.replace_usage(stamp(), Width.HOUR, [hour_of(at(10, hour), used(1, "0.7")) for hour in (1, 18, 20)])
        parts = [await facts.spend(SOURCE, Window(start, end), LATER) for start, end in pairwise(edges)]
    for cell, whole in ((ALPHA, "10.000000000001"), (BETA, "1")):
        assert Spend.sum(part[cell] for part in parts).total == Money.of(whole)
        assert all(part[cell].split for part in parts)


async def test_a_day_without_usage_that_still_runs_is_split_by_the_time_that_has_passed(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        await facts.store_days(stamp(), {DAY: {BETA: billed("24")}})
        spend = await facts.spend(SOURCE, Window(at(9, 5), at(10, 5)), now=at(10, 10))
    assert spend == {BETA: Spend(Money.of("12"), split=True)}


async def test_a_cell_that_spent_nothing_on_a_boundary_day_is_not_called_mixed(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        await facts.store_days(stamp(), {nov(9): {ALPHA: billed("1")}, DAY: {ALPHA: SpendDay()}})
        spend = await facts.spend(SOURCE, Window(at(9), at(10, 5)), LATER)
    assert spend[ALPHA].basis is Basis.BILLED


# ------------------------------------------------------------------------------------------- how far it is known


async def test_billed_until_is_the_end_of_the_newest_settled_day(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        assert await facts.billed_until(SOURCE) is None
        await facts.replace_cost(stamp(NOON), [day_of(DAY, {})])
        assert await facts.billed_until(SOURCE) is None
        await facts.replace_cost(stamp(SETTLED), [day_of(DAY, {}), day_of(DAY + timedelta(days=1), {})])
        assert await facts.billed_until(SOURCE) == utc_day(DAY).end


async def test_estimated_until_is_the_end_of_the_newest_hour_read_be_it_empty(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        assert await facts.estimated_until(SOURCE) is None
        await facts.replace_usage(stamp(), Width.HOUR, [hour_of(at(10, 11), used(1, "1")), hour_of(NOON)])
        assert await facts.estimated_until(SOURCE) == NOON + timedelta(hours=1)
        assert await facts.estimated_until("src_2") is None


async def test_tokens_without_a_price_are_named_beside_the_dollars_until_their_day_is_settled(uow: UowFactory) -> None:
    unpriced = {ALPHA: SpendDay(estimate=EstimatedDay(unpriced_tokens=2_500_000))}
    async with uow() as work:
        await work.facts.store_days(stamp(), {nov(14): unpriced})
        spend = await work.facts.spend(SOURCE, Window(at(14), at(15)), at(14, 12))
    assert spend[ALPHA] == Spend(unpriced_tokens=2_500_000)
    assert spend[ALPHA].basis is Basis.ESTIMATED


async def test_the_few_days_without_a_price_are_found_without_reading_all_days(
    uow: UowFactory, engine: AsyncEngine
) -> None:
    priced = {Cell("wrkspc_a", "claude-sonnet-4-5", f"apikey_{number}"): billed("1") for number in range(40)}
    unpriced = {ALPHA: SpendDay(estimate=EstimatedDay(unpriced_tokens=2))}
    async with uow() as work:
        await work.facts.store_days(stamp(), {nov(1 + day): priced for day in range(29)} | {nov(30): unpriced})
    async with engine.begin() as connection:
        await connection.execute(text("ANALYZE spend_days"))
    async with engine.begin() as connection:
        before = await connection.scalar(text(_ROWS_TOUCHED))
        found = await PostgresFacts(connection).unpriced(SOURCE, at(30, 12))
        touched = await connection.scalar(text(_ROWS_TOUCHED)) - before
    assert [(one.model, one.tokens) for one in found] == [(ALPHA.model, 2)]
    assert touched == 1


@pytest.mark.parametrize("zone_cuts_days", [False, True])
@pytest.mark.parametrize("grain", [frozenset(), {Dimension.WORKSPACE}, {Dimension.MODEL, Dimension.API_KEY}, FINEST])
async def test_a_coarser_grain_is_the_same_spend_added_up(
    engine: AsyncEngine, grain: Grain, *, zone_cuts_days: bool
) -> None:
    hours = timedelta(hours=5 if zone_cuts_days else 0)
    window = Window(at(9) + hours, at(12) + hours)
    gamma = Cell("wrkspc_a", "claude-haiku-5-5", "apikey_2")
    async with facts_of(engine) as facts:
        days = {nov(day): {ALPHA: billed("1.25"), BETA: billed("2"), gamma: billed("0.5")} for day in (9, 10, 11, 12)}
        await facts.store_days(stamp(), days)
        fine = await facts.spend(SOURCE, window, LATER)
        coarse = await facts.spend(SOURCE, window, LATER, frozenset(grain))
    expected: dict[Cell, Spend] = {}
    for cell, spend in fine.items():
        place = cell.at(frozenset(grain))
        expected[place] = expected.get(place, Spend()) + spend
    assert fine
    assert coarse == expected


async def test_of_nothing_there_is_no_cell_at_any_grain(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        assert await facts.spend(SOURCE, Window(at(9), at(12)), LATER, frozenset()) == {}
        assert (await facts.recent(SOURCE, LATER, frozenset())).spend == {}
