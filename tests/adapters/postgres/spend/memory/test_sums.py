"""Sums that a process remembers are those that a cold start adds up, after whatever was written by anyone."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import ColumnElement, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.adapters.postgres.spend.memory.sums import Sum, SumMemory
from service.adapters.postgres.spend.partitions import PostgresStorage
from service.adapters.postgres.unit_of_work import uow_factory
from service.domain.spend.best_known import EstimatedDay, Spend, SpendDay
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window
from service.domain.values.scopes import EVERYTHING, Cell, Dimension, Grain, Scope
from service.domain.values.utc import HOUR, midnight
from service.workflows.ports.spend import Facts
from service.workflows.ports.unit_of_work import UowFactory
from tests.adapters.postgres import feeding
from tests.adapters.postgres.reports import (
    ALPHA,
    BETA,
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

ONE = Cell("wrkspc_a", "claude-sonnet-4-5", "apikey_1")
TWO = Cell("wrkspc_b", "claude-haiku-5-5", "")
DAYS = timedelta(days=1)
WHOLE: Grain = frozenset()
BY_WORKSPACE: Grain = frozenset({Dimension.WORKSPACE})
MONTH = Window(midnight(date(2026, 11, 1)), midnight(date(2026, 12, 1)))
CUT = Window(MONTH.start + 5 * HOUR, MONTH.end + 5 * HOUR)
ASKED = [(grain, window) for grain in (WHOLE, BY_WORKSPACE) for window in (MONTH, CUT)]
RECENT = [(WHOLE, EVERYTHING), (BY_WORKSPACE, EVERYTHING), (BY_WORKSPACE, Scope(workspaces=("wrkspc_b",)))]


@pytest.fixture(autouse=True)
async def _room(engine: AsyncEngine) -> None:
    await make_room(engine)


def spent(billed: str, estimated: str = "0", unpriced: int = 0) -> SpendDay:
    estimate = EstimatedDay(Money.of(estimated), ZERO, unpriced)
    return SpendDay(Spend(Money.of(billed), Money.of(estimated)), estimate)


@dataclass(frozen=True)
class Processes:
    """Some processes that serve the same database, each with a memory, and one that has just started."""

    engine: AsyncEngine
    running: tuple[UowFactory, ...]

    async def agree(self, now: datetime = NOON) -> object:
        """What all of them answer, the first one twice."""
        async with facts_of(self.engine) as facts:
            cold = await answers(facts, now)
        for uow in (*self.running, self.running[0]):
            async with uow() as unit:
                assert await answers(unit.facts, now) == cold
        return cold


async def answers(facts: Facts, now: datetime) -> object:
    return (
        [await facts.spend(SOURCE, window, now, grain) for grain, window in ASKED],
        [await facts.recent(SOURCE, now, grain, within) for grain, within in RECENT],
    )


@pytest.fixture
def processes(engine: AsyncEngine) -> Processes:
    return Processes(engine, tuple(uow_factory(engine, to_real=lambda instant: instant) for _ in range(2)))


async def store(engine: AsyncEngine, days: dict[date, dict[Cell, SpendDay]], at: datetime = NOON) -> None:
    async with facts_of(engine) as facts:
        await facts.store_days(stamp(at), days)


Write = Callable[[AsyncEngine], Awaitable[None]]


async def bill(engine: AsyncEngine) -> None:
    await feeding.read(engine, NOON, [day_of(DAY, {ALPHA: "3"})])


async def restated_bill(engine: AsyncEngine) -> None:
    await feeding.read(engine, NOON, [day_of(DAY, {ALPHA: "2.5", BETA: "0.000000000001"})])


async def usage(engine: AsyncEngine) -> None:
    await feeding.read(engine, NOON, hours=[hour_of(NOON - HOUR, used(10, "4"), used(5, None))])


async def the_same_usage_at_another_hour(engine: AsyncEngine) -> None:
    await feeding.read(
        engine, NOON, hours=[hour_of(NOON - HOUR), hour_of(NOON - 2 * HOUR, used(10, "4"), used(5, None))]
    )


async def backfill(engine: AsyncEngine) -> None:
    long_ago = DAY - 20 * DAYS
    await feeding.read(
        engine, NOON, [day_of(long_ago, {ALPHA: "7"})], [hour_of(midnight(DAY - 9 * DAYS), used(1, "2"))]
    )


async def settled_bill(engine: AsyncEngine) -> None:
    """Only the flag: a settled day's tokens without a price do not count, whatever its version says."""
    async with facts_of(engine) as facts:
        await facts.replace_cost(stamp(SETTLED), [day_of(DAY, {ALPHA: "2.5", BETA: "0.000000000001"})])


async def retention(engine: AsyncEngine) -> None:
    await PostgresStorage(engine).forget(facts_before=date(2026, 11, 1), minutes_before=NOON)


async def empty_day(engine: AsyncEngine) -> None:
    await store(engine, {DAY: {}})


async def zeros_that_come(engine: AsyncEngine) -> None:
    await store(engine, {DAY: {TWO: SpendDay()}})


async def another_source(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        await facts.store_days(stamp(source_id="src_2"), {DAY: {ONE: spent("100")}})


async def test_after_each_kind_of_write_every_process_answers_what_a_cold_start_does(
    engine: AsyncEngine, processes: Processes
) -> None:
    seen = [await processes.agree()]
    for write in (bill, restated_bill, usage, the_same_usage_at_another_hour, backfill, settled_bill):
        await write(engine)
        seen.append(await processes.agree())
        assert seen[-1] != seen[-2], write.__name__
    for write in (retention, empty_day, zeros_that_come, empty_day, zeros_that_come, another_source):
        await write(engine)
        await processes.agree()


async def test_after_many_changes_and_on_later_days_the_answers_are_those_of_a_cold_start(
    engine: AsyncEngine, processes: Processes
) -> None:
    chance = random.Random(11)
    for number in range(6):
        cells = [ONE, TWO, Cell("wrkspc_b", "claude-sonnet-4-5", "apikey_2")]
        days = {
            DAY - chance.randrange(40) * DAYS: {
                cell: spent(f"{Decimal(chance.randrange(10**14)) / 10**12}", chance.choice(["0", "0.1"]), number)
                for cell in chance.sample(cells, chance.randrange(4))
            }
            for _ in range(3)
        }
        await store(engine, days, NOON + number * HOUR)
        await processes.agree(NOON + chance.randrange(3) * 9 * HOUR)


async def test_a_clock_that_is_set_back_hides_no_change(engine: AsyncEngine, processes: Processes) -> None:
    await store(engine, {DAY: {ONE: spent("1")}}, NOON)
    await store(engine, {DAY: {ONE: spent("2")}}, NOON + DAYS)
    before = await processes.agree()
    await store(engine, {DAY: {ONE: spent("3")}}, NOON)
    assert await processes.agree() != before


async def test_a_day_without_a_version_is_always_read(engine: AsyncEngine, processes: Processes) -> None:
    await store(engine, {DAY: {ONE: spent("1")}, DAY - DAYS: {ONE: spent("10"), TWO: spent("20")}})
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM day_versions WHERE day = :day"), {"day": DAY})
    before = await processes.agree()
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE spend_days SET billed = 5 WHERE day = :day"), {"day": DAY})
    assert await processes.agree() != before


async def test_what_is_rolled_back_is_forgotten(engine: AsyncEngine, processes: Processes) -> None:
    await store(engine, {DAY: {ONE: spent("1")}})
    before = await processes.agree()
    with pytest.raises(ZeroDivisionError):
        await _stored_and_given_up(processes.running[0])
    assert await processes.agree() == before
    await store(engine, {DAY: {ONE: spent("9")}})
    assert await processes.agree() != before


async def _stored_and_given_up(uow: UowFactory) -> None:
    async with uow() as unit:
        await unit.facts.store_days(stamp(), {DAY: {ONE: spent("9")}})
        (whole,) = (await unit.facts.spend(SOURCE, MONTH, NOON, WHOLE)).values()
        assert whole.billed == Money.of("9")
        raise ZeroDivisionError


async def test_a_new_days_hours_are_asked_of_the_new_day(engine: AsyncEngine, processes: Processes) -> None:
    await feeding.read(engine, NOON, hours=[hour_of(NOON - HOUR, used(10, "4"))])
    before = await processes.agree()
    assert await processes.agree(NOON + 13 * HOUR) != before


# ------------------------------------------------------------------------------------------- what is read


async def test_only_what_has_changed_is_added_up_again(engine: AsyncEngine) -> None:
    memory, wanted = SumMemory[int](100), Sum(SOURCE, DAY - DAYS, DAY + DAYS, WHOLE)
    await store(engine, {DAY: {ONE: spent("1")}, DAY - DAYS: {}})
    assert [await reads(engine, memory, wanted) for _ in range(3)] == [1, 0, 0]
    await store(engine, {DAY: {ONE: spent("1")}})
    assert await reads(engine, memory, wanted) == 0
    await store(engine, {DAY: {ONE: spent("2")}})
    assert [await reads(engine, memory, wanted) for _ in range(2)] == [1, 0]


async def test_a_server_that_was_started_since_is_believed_nothing(engine: AsyncEngine) -> None:
    """It may have been put back to an earlier instant: other rows are in the same places, with the same marks."""
    memory, wanted = SumMemory[int](100), Sum(SOURCE, DAY, DAY + DAYS, WHOLE)
    await store(engine, {DAY: {ONE: spent("1")}})
    assert [await reads(engine, memory, wanted) for _ in range(2)] == [1, 0]
    started = "CREATE FUNCTION later.pg_postmaster_start_time() RETURNS timestamptz RETURN timestamptz '2026-11-30Z'"
    async with engine.connect() as connection:  # and rolled back
        for statement in ("CREATE SCHEMA later", started, "SET LOCAL search_path = later, pg_catalog, public"):
            await connection.execute(text(statement))
        assert [await reads_on(connection, memory, wanted) for _ in range(2)] == [1, 0]


async def test_what_was_not_asked_for_the_longest_makes_room_and_what_is_too_large_is_not_held(
    engine: AsyncEngine,
) -> None:
    memory = SumMemory[int](8)
    await store(engine, {DAY: {ONE: spent("1")}})
    today, month = (Sum(SOURCE, DAY, DAY + DAYS, grain) for grain in (WHOLE, BY_WORKSPACE))
    other = Sum(SOURCE, DAY, DAY + DAYS, WHOLE, Scope(models=("claude-haiku-5-5",)))
    for wanted in (today, month, today, other):
        await reads(engine, memory, wanted, cells=3)
    assert len(memory) == 2
    assert [await reads(engine, memory, wanted, cells=3) for wanted in (today, other, month)] == [0, 0, 1]
    huge = Sum(SOURCE, DAY, DAY + DAYS, frozenset({Dimension.API_KEY}))
    assert [await reads(engine, memory, huge, cells=8) for _ in range(2)] == [1, 1]
    assert len(memory) == 2


async def reads(engine: AsyncEngine, memory: SumMemory[int], wanted: Sum, cells: int = 1) -> int:
    """How often rows were read to answer."""
    async with engine.begin() as connection:
        return await reads_on(connection, memory, wanted, cells)


async def reads_on(connection: AsyncConnection, memory: SumMemory[int], wanted: Sum, cells: int = 1) -> int:
    count = 0

    async def read(days: ColumnElement[bool]) -> dict[Cell, int]:
        nonlocal count
        count += 1
        return {Cell(str(number), "", ""): number for number in range(cells)}

    await memory.of(connection, wanted, read)
    return count
