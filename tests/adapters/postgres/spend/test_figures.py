"""What rules read of the present: days by cell with their tokens, hours by cell, and what is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.spend.tables import usage_day_profiles
from service.domain.rules.view import DayFigures, HourFigures
from service.domain.sources.pricing import Measure
from service.domain.sources.source import SourceState
from service.domain.spend.best_known import EstimatedDay, Spend, SpendDay
from service.domain.spend.rows import PRIORITY_TIER
from service.domain.values.money import Money
from service.domain.values.scopes import Cell
from service.domain.values.utc import DAY, HOUR, utc_day
from service.workflows.ports.unit_of_work import UowFactory
from tests.adapters.postgres import reports
from tests.adapters.postgres.feeding import figures, read
from tests.adapters.postgres.reports import ALPHA, NOON, SOURCE, day_of, facts_of, hour_of, make_room, stamp, used

KEY = Cell("wrkspc_a", "claude-sonnet-4-5", "apikey_1")
OTHER = replace(KEY, api_key="apikey_2")
TODAY = reports.DAY
YESTERDAY = TODAY - DAY
MIDNIGHT = utc_day(TODAY).start


@pytest.fixture(autouse=True)
async def _room(engine: AsyncEngine) -> None:
    await make_room(engine)


# ------------------------------------------------------------------------------------------- days


async def test_figures_are_what_was_written_and_no_other_days_or_sources(engine: AsyncEngine) -> None:
    estimate = EstimatedDay(Money.of("9"), Money.of("0.5"), 7, input_tokens=30, cache_read_tokens=20, output_tokens=4)
    full = SpendDay(Spend(Money.of("1.25"), Money.of("2.50")), estimate)
    async with facts_of(engine) as facts:
        days = {TODAY: {KEY: full}, YESTERDAY: {OTHER: full}, TODAY - 3 * DAY: {KEY: full}, TODAY + DAY: {KEY: full}}
        await facts.store_days(stamp(), days)
        await facts.store_days(stamp(source_id="src_2"), {TODAY: {KEY: full}})
    seen = await figures(engine, NOON, days=3)
    known = DayFigures(spend=3.75, input_tokens=30.0, cache_read_tokens=20.0, output_tokens=4.0, priority=0.5)
    assert seen.days == [YESTERDAY - DAY, YESTERDAY, TODAY]
    assert seen.cells == {KEY: {TODAY: known}, OTHER: {YESTERDAY: known}}
    assert (seen.as_of, seen.hours, seen.assumed_share) == (NOON, None, 0.0)


async def test_a_cell_of_which_there_is_nothing_is_left_out(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        await facts.store_days(stamp(), {TODAY: {KEY: SpendDay()}})
    assert not (await figures(engine, NOON)).cells


async def test_tokens_are_counted_by_kind_and_those_of_the_priority_tier_are_not(engine: AsyncEngine) -> None:
    facts = [
        *(used(1, "1", measure=Measure.UNCACHED_INPUT), used(20, "0.1", measure=Measure.CACHE_READ)),
        *(used(300, "1", measure=Measure.CACHE_WRITE_5M), used(4000, "1", measure=Measure.CACHE_WRITE_1H)),
        *(used(50000, "2"), used(7, "0.07", measure=Measure.WEB_SEARCH)),
        *(used(900000, "8", tier=PRIORITY_TIER), used(900000, "9", measure=Measure.CACHE_READ, tier=PRIORITY_TIER)),
        used(600, None, measure=Measure.UNCACHED_INPUT, api_key="apikey_2"),
    ]
    await read(engine, NOON, hours=[hour_of(MIDNIGHT, *facts), hour_of(MIDNIGHT + HOUR, used(50000, "2"))])
    seen = await figures(engine, NOON)
    assert seen.cells[KEY][TODAY] == DayFigures(7.1, 4321.0, 20.0, 100000.0, priority=17.0)
    assert seen.cells[OTHER][TODAY] == DayFigures(input_tokens=600.0)


async def test_the_rollup_returns_the_tokens_it_was_given(engine: AsyncEngine) -> None:
    known = SpendDay(estimate=EstimatedDay(input_tokens=3, cache_read_tokens=2, output_tokens=1))
    async with facts_of(engine) as facts:
        await facts.store_days(stamp(), {TODAY: {KEY: known}})
        assert await facts.days(SOURCE, utc_day(TODAY)) == [(TODAY, KEY, known)]


# ------------------------------------------------------------------------------------------- known and unknown


async def test_a_day_is_known_by_its_bill_or_by_all_its_hours_that_are_over(engine: AsyncEngine) -> None:
    whole = [hour_of(MIDNIGHT - 2 * DAY + n * HOUR) for n in range(24)]
    broken = [hour_of(MIDNIGHT - DAY + n * HOUR) for n in range(24) if n != 7]
    today = [hour_of(MIDNIGHT + n * HOUR) for n in range(12)]
    await read(engine, NOON, [day_of(TODAY - 3 * DAY, {})], [*whole, *broken, *today])
    assert (await figures(engine, NOON, days=5)).unknown_days == {TODAY - 4 * DAY, YESTERDAY}
    assert (await figures(engine, NOON + 0.9 * HOUR, days=5)).unknown_days == {TODAY - 4 * DAY, YESTERDAY}
    assert TODAY in (await figures(engine, NOON + HOUR, days=5)).unknown_days, "an hour is over that was not read"
    await read(engine, NOON, [day_of(YESTERDAY, {ALPHA: "1"})])
    assert (await figures(engine, NOON, days=5)).unknown_days == {TODAY - 4 * DAY}


async def test_a_day_of_which_nothing_was_read_is_unknown_be_it_only_just_begun(engine: AsyncEngine) -> None:
    assert (await figures(engine, MIDNIGHT, days=2)).unknown_days == {YESTERDAY, TODAY}


async def test_days_are_settled_up_to_the_newest_that_was_read_late_enough(engine: AsyncEngine) -> None:
    await read(engine, NOON, [day_of(YESTERDAY - DAY, {}), day_of(YESTERDAY, {})])
    assert (await figures(engine, NOON)).settled_until == utc_day(YESTERDAY - DAY).end


# ------------------------------------------------------------------------------------------- hours


async def hours(engine: AsyncEngine, now: datetime, count: int) -> HourFigures:
    seen = (await figures(engine, now, hours=count)).hours
    assert seen is not None
    return seen


async def test_hours_are_those_that_are_over_also_from_the_middle_of_a_day_and_across_midnight(
    engine: AsyncEngine,
) -> None:
    spent = {MIDNIGHT + n * HOUR: str(n + 100) for n in (-6, -5, -4, -1, 0, 2, 3)}
    await read(engine, NOON, hours=[hour_of(at, used(1, dollars)) for at, dollars in spent.items()])
    seen = await hours(engine, MIDNIGHT + 3.9 * HOUR, 8)
    assert seen.first == MIDNIGHT - 5 * HOUR
    assert seen.cells == {KEY: [95.0, 96.0, 0.0, 0.0, 99.0, 100.0, 0.0, 102.0]}
    assert seen.known == [True, True, False, False, True, True, False, True]


async def test_hours_hold_neither_priority_tier_nor_searches_nor_cells_without_dollars(engine: AsyncEngine) -> None:
    facts = [
        *(used(1, "1"), used(1, "2", measure=Measure.CACHE_READ), used(1, "4", tier=PRIORITY_TIER)),
        *(used(1, "8", measure=Measure.WEB_SEARCH), used(1, None, api_key="apikey_2")),
    ]
    await read(engine, NOON, hours=[hour_of(MIDNIGHT, *facts)])
    assert (await hours(engine, MIDNIGHT + HOUR, 1)).cells == {KEY: [3.0]}


async def test_an_hour_that_changes_changes_its_profile_and_no_other_is_written(engine: AsyncEngine) -> None:
    before = [hour_of(MIDNIGHT - DAY, used(1, "1")), hour_of(MIDNIGHT, used(1, "2"), used(1, "3", api_key="apikey_2"))]
    after = [before[0], hour_of(MIDNIGHT, used(1, "5"), used(1, "3", api_key="apikey_2"))]
    await read(engine, NOON, hours=before)
    written = await row_versions(engine)
    await read(engine, NOON + HOUR, hours=after)
    rewritten = await row_versions(engine)
    assert {place for place, row in rewritten.items() if written[place] != row} == {(TODAY, "apikey_1")}
    assert (await hours(engine, NOON, 36)).cells[KEY] == [1.0, *[0.0] * 23, 5.0, *[0.0] * 11]


async def test_an_hour_that_vanishes_from_the_report_is_zero(engine: AsyncEngine) -> None:
    await read(engine, NOON, hours=[hour_of(MIDNIGHT, used(1, "2"))])
    await read(engine, NOON, hours=[hour_of(MIDNIGHT)])
    assert (await hours(engine, NOON, 12)).cells == {}
    async with engine.connect() as connection:
        assert (await connection.scalar(select(usage_day_profiles.c.hours))) == [0.0] * 24


async def test_hours_are_mature_when_they_were_read_ten_minutes_after_their_end(
    engine: AsyncEngine, uow: UowFactory
) -> None:
    await read(engine, NOON, hours=[hour_of(NOON - n * HOUR) for n in (1, 2, 3)])
    assert (await hours(engine, NOON, 3)).mature_until is None, "when usage was read is not known"
    state = SourceState(SOURCE, fence=0, next_poll_at=NOON)
    async with uow() as unit:
        await unit.polling_states.add(state)
    mature = {}
    for minutes in (9, 10, 60, 120):
        async with uow() as unit:
            await unit.polling_states.save(replace(state, usage_read_at=NOON + timedelta(minutes=minutes)))
        mature[minutes] = (await hours(engine, NOON, 3)).mature_until
    assert mature == {9: NOON - HOUR, 10: NOON, 60: NOON, 120: NOON}


async def row_versions(engine: AsyncEngine) -> dict[tuple[object, str], tuple[str, ...]]:
    """Where every profile lies, and who wrote it."""
    async with engine.connect() as connection:
        query = "SELECT day, api_key, ctid::text, xmin::text FROM usage_day_profiles"
        return {(row[0], row[1]): tuple(row[2:]) for row in await connection.execute(text(query))}
