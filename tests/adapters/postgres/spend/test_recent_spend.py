"""What forecasts learn from, and how thresholds stand, as they are stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.addresses import libpq_url
from service.adapters.postgres.sources.polling_states import PostgresPollingStates
from service.adapters.postgres.spend.facts import PostgresFacts
from service.domain.budgets.budget import Budget
from service.domain.forecasts.recent import UTC_DAYS, RecentSpend, first_day
from service.domain.forecasts.watch import Stand, Watch, WatchKey
from service.domain.sources.pricing import Measure
from service.domain.sources.source import SourceState
from service.domain.spend.best_known import Spend, SpendDay
from service.domain.spend.rows import PRIORITY_TIER, Width
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.domain.values.scopes import Cell, Dimension, ScopeKey
from service.domain.values.utc import HOUR, utc_day
from service.workflows.ports.unit_of_work import UowFactory
from tests.adapters.postgres.reports import (
    ALPHA,
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
from tests.factories import budget, resource, utc

ONE = Cell("wrkspc_a", "claude-sonnet-4-5", "apikey_1")
TWO = Cell("wrkspc_b", "claude-haiku-5-5", "")


def spent(billed: str, estimated: str = "0") -> SpendDay:
    return SpendDay(Spend(Money.of(billed), Money.of(estimated)))


def place(day: date, now: datetime = NOON) -> int:
    return (day - first_day(now)).days


async def test_each_cell_has_a_figure_for_every_day_and_others_sources_have_none(engine: AsyncEngine) -> None:
    too_old = first_day(NOON) - timedelta(days=1)
    async with facts_of(engine) as facts:
        today = {ONE: spent("1.25", "2.50"), TWO: spent("4")}
        await facts.store_days(stamp(), {DAY: today, too_old: {ONE: spent("9")}})
        await facts.store_days(stamp(), {DAY - timedelta(days=3): {ONE: spent("-0.5")}, DAY + timedelta(days=1): {}})
        await facts.store_days(stamp(source_id="src_2"), {DAY: {ONE: spent("100")}})
        recent = await facts.recent(SOURCE, NOON)
    assert set(recent.spend) == {ONE, TWO}
    assert all(len(days) == UTC_DAYS for days in recent.spend.values())
    assert {number: dollars for number, dollars in enumerate(recent.spend[ONE]) if dollars} == {
        place(DAY): 3.75,
        place(DAY - timedelta(days=3)): -0.5,
    }


async def test_usual_hours_are_those_of_the_days_before_today_without_priority_and_searches(
    engine: AsyncEngine,
) -> None:
    await make_room(engine)
    today, yesterday = utc("2026-11-10"), utc("2026-11-09")
    hours = [
        hour_of(yesterday + 9 * HOUR, used(10, "1.50"), used(5, "9", tier=PRIORITY_TIER)),
        hour_of(yesterday - 24 * HOUR + 9 * HOUR, used(10, "0.50"), used(3, "8", measure=Measure.WEB_SEARCH)),
        hour_of(yesterday + 14 * HOUR, used(10, None)),
        hour_of(today + 9 * HOUR, used(10, "70")),
        hour_of(yesterday - timedelta(days=7), used(10, "60")),
    ]
    async with facts_of(engine) as facts:
        await facts.replace_usage(stamp(), Width.HOUR, hours)
        recent = await facts.recent(SOURCE, NOON)
    assert recent.usual_hours == {ONE: (*(0.0,) * 9, 2.0, *(0.0,) * 14)}
    known = {utc_day(first_day(NOON)).start + number * HOUR for number, flag in enumerate(recent.known) if flag}
    assert known == {bucket.window.start for bucket in hours}


async def test_what_reports_contained_is_known_and_settled_where_it_was_read_late_enough(engine: AsyncEngine) -> None:
    await make_room(engine)
    following = DAY + timedelta(days=1)
    state = SourceState(SOURCE, fence=0, next_poll_at=SETTLED)
    async with engine.begin() as connection:
        facts = PostgresFacts(connection)
        await facts.replace_cost(stamp(SETTLED), [day_of(DAY, {ALPHA: "1"}), day_of(following, {})])
        recent = await facts.recent(SOURCE, SETTLED)
        await PostgresPollingStates(connection).add(replace(state, cost_read_at=utc_day(following).start + 6 * HOUR))
        after = await facts.recent(SOURCE, SETTLED)
    assert [place(DAY, SETTLED) * 24 + hour for hour in range(24)] == numbers(recent)
    assert [place(DAY, SETTLED) * 24 + hour for hour in range(30)] == numbers(after)


def numbers(recent: RecentSpend) -> list[int]:
    """The hours that are known."""
    return [number for number, known in enumerate(recent.known) if known]


# ------------------------------------------------------------------------------------------ watches

KEY = WatchKey("bdg_1", ScopeKey(Dimension.WORKSPACE, "w:1"), "forecast:100%", utc("2026-11-01"), "10.00/monthly")
OTHER = WatchKey("bdg_1", ScopeKey(), "forecast:120%", utc("2026-11-01"), "10.00/monthly")
PENDING, CROSSED = Watch(Stand.PENDING, date(2026, 11, 10)), Watch(Stand.CROSSED, date(2026, 11, 10))


@pytest.fixture
async def stored(uow: UowFactory) -> Resource[Budget]:
    made = resource("bdg_1", budget())
    async with uow() as unit:
        await unit.budgets.add(made)
    return made


async def test_watches_are_kept_changed_and_forgotten(uow: UowFactory, stored: Resource[Budget]) -> None:
    steps = [{KEY: PENDING}, {KEY: CROSSED, OTHER: PENDING}, {OTHER: PENDING}, {}]
    for before, after in zip([{}, *steps], steps, strict=False):
        async with uow() as unit:
            assert await unit.watches.of([stored.id]) == before
            await unit.watches.replace(before, after)
        async with uow() as unit:
            assert await unit.watches.of([stored.id, "bdg_2"]) == after
            assert await unit.watches.of(["bdg_2"]) == {}


async def test_what_has_not_changed_is_not_written(
    uow: UowFactory, stored: Resource[Budget], database_url: str
) -> None:
    async with uow() as unit:
        await unit.watches.replace({}, {KEY: PENDING})
    written = rows(database_url)
    async with uow() as unit:
        await unit.watches.replace({KEY: PENDING}, {KEY: PENDING})
    assert rows(database_url) == written


async def test_two_who_save_one_watch_at_once_both_succeed(uow: UowFactory, stored: Resource[Budget]) -> None:
    for _ in range(2):  # neither has seen the other's
        async with uow() as unit:
            await unit.watches.replace({}, {KEY: PENDING})
    async with uow() as unit:
        assert await unit.watches.of([stored.id]) == {KEY: PENDING}


async def test_a_budget_is_deleted_while_its_watches_are_written_and_retention_drops_them(
    uow: UowFactory, stored: Resource[Budget]
) -> None:
    async with uow() as evaluation:
        await evaluation.watches.replace({}, {KEY: CROSSED})
        async with uow() as person:
            await person.budgets.delete(stored.id, version=1, now=NOON)
        await evaluation.watches.replace({KEY: CROSSED}, {KEY: PENDING})
    async with uow() as unit:
        assert await unit.watches.of([stored.id]) == {KEY: PENDING}
        await unit.watches.forget_orphans()
        assert await unit.watches.of([stored.id]) == {}


async def test_retention_keeps_the_watches_of_budgets_that_are_there(uow: UowFactory, stored: Resource[Budget]) -> None:
    async with uow() as unit:
        await unit.watches.replace({}, {KEY: PENDING})
        await unit.watches.forget_orphans()
        assert await unit.watches.of([stored.id]) == {KEY: PENDING}


def rows(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(libpq_url(url)) as connection:
        return connection.execute("SELECT ctid::text, xmin::text FROM forecast_watches").fetchall()


async def test_a_coarser_grain_adds_up_days_and_usual_hours(engine: AsyncEngine) -> None:
    await make_room(engine)
    today = utc_day(DAY).start
    async with facts_of(engine) as facts:
        hours = [hour_of(today + 3 * HOUR, used(10, "1"), used(20, "2", api_key="apikey_2"))]
        await facts.replace_usage(stamp(), Width.HOUR, hours)
        other = replace(ONE, api_key="apikey_2")
        await facts.store_days(stamp(), {DAY: {ONE: spent("1.25"), other: spent("2.5"), TWO: spent("4")}})
        now = NOON + timedelta(days=1)
        fine = await facts.recent(SOURCE, now)
        coarse = await facts.recent(SOURCE, now, frozenset({Dimension.WORKSPACE}))
    place_of_a = ONE.at(frozenset({Dimension.WORKSPACE}))
    assert coarse.spend[place_of_a][place(DAY, now)] == 3.75
    assert coarse.spend.keys() == {place_of_a, TWO.at(frozenset({Dimension.WORKSPACE}))}
    assert sum(fine.usual_hours[ONE]) > 0
    both = zip(fine.usual_hours[ONE], fine.usual_hours[other], strict=True)
    assert coarse.usual_hours[place_of_a] == tuple(one + two for one, two in both)
    assert coarse.known == fine.known
