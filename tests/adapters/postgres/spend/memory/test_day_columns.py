"""Days that a process remembers are those that are stored, and what is judged by them is what a cold start judges."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.spend.facts import PostgresFacts
from service.adapters.postgres.spend.memory import day_columns
from service.domain.rules.kinds.anomaly.rule import observe
from service.domain.rules.view import KnownFigures, SpendView
from service.domain.spend.best_known import EstimatedDay, Spend, SpendDay
from service.domain.values.money import Money
from service.domain.values.scopes import Cell
from service.domain.values.utc import DAY
from service.workflows.ports.unit_of_work import UowFactory
from tests.adapters.postgres import reports
from tests.adapters.postgres.reports import NOON, SOURCE, stamp
from tests.domain.rules.spending import a_rule

DAYS = 70
TODAY = reports.DAY


def cells(count: int) -> list[Cell]:
    return [Cell(f"wrkspc_{number // 4}", f"claude-{number % 3}", f"apikey_{number}") for number in range(count)]


def spent(dollars: float, tokens: int = 7, priority: str = "0") -> SpendDay:
    estimate = EstimatedDay(Money.of("1"), Money.of(priority), 0, tokens, 3, 2)
    return SpendDay(Spend(Money(Decimal(f"{dollars:.6f}"))), estimate)


def month(count: int, seed: int = 1) -> dict[date, dict[Cell, SpendDay]]:
    chance = random.Random(seed)
    return {
        TODAY - back * DAY: {
            cell: spent(chance.uniform(9, 11), priority="0.25" if at % 5 == 0 else "0")
            for at, cell in enumerate(cells(count))
        }
        for back in range(DAYS)
    }


async def remembered(uow: UowFactory) -> KnownFigures:
    async with uow() as unit:
        return await unit.facts.figures(SOURCE, NOON, days=DAYS, hours=0)


async def cold(engine: AsyncEngine) -> KnownFigures:
    async with engine.begin() as connection:
        return await PostgresFacts(connection).figures(SOURCE, NOON, days=DAYS, hours=0)


def judged(figures: KnownFigures) -> str:
    view = SpendView(SOURCE, figures.as_of, figures.days, figures.cells, frozenset(), None, names={}, memo=figures.memo)
    return repr(observe(view, a_rule()))


@contextmanager
def days_read() -> Iterator[list[list[date]]]:
    """The days of every statement that reads figures or cells."""
    seen: list[list[date]] = []
    rows = day_columns.rows_of

    async def noted(connection: Any, statement: str, source_id: str, days: list[date]) -> Any:
        seen.append(days)
        return await rows(connection, statement, source_id, days)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(day_columns, "rows_of", noted)
        yield seen


async def test_after_any_changes_what_is_remembered_is_what_a_cold_start_reads_and_judges(
    uow: UowFactory, engine: AsyncEngine
) -> None:
    chance, days = random.Random(5), month(9)
    async with uow() as unit:
        await unit.facts.store_days(stamp(), days)
    for number in range(8):
        for day in chance.sample(sorted(days), 3):
            changed = dict(days[day])
            changed.pop(chance.choice(sorted(changed, key=str)), None)
            changed[chance.choice(cells(12))] = spent(chance.choice([0.0, 10.0, 300.0, -5.0]), chance.choice([0, 9]))
            days[day] = {} if number == 6 else changed
        async with uow() as unit:
            await unit.facts.store_days(stamp(), {day: days[day] for day in sorted(days)[-40:]})
            await unit.facts.store_days(stamp(), days)
        known, fresh = await remembered(uow), await cold(engine)
        assert known.cells == fresh.cells
        assert judged(known) == judged(fresh)
        assert judged(await remembered(uow)) == judged(fresh)


async def test_a_change_that_is_rolled_back_leaves_nothing_behind(uow: UowFactory, engine: AsyncEngine) -> None:
    async with uow() as unit:
        await unit.facts.store_days(stamp(), month(3))
    before = await remembered(uow)
    with pytest.raises(ZeroDivisionError):
        await _changed_and_read(uow, before)
    assert (await remembered(uow)).cells == before.cells == (await cold(engine)).cells


async def _changed_and_read(uow: UowFactory, before: KnownFigures) -> None:
    async with uow() as unit:
        await unit.facts.store_days(stamp(), {TODAY: {cells(1)[0]: spent(900.0)}})
        assert (await unit.facts.figures(SOURCE, NOON, days=DAYS, hours=0)).cells != before.cells
        raise ZeroDivisionError


async def test_two_changes_in_one_transaction_are_both_seen(uow: UowFactory) -> None:
    cell = cells(1)[0]
    async with uow() as unit:
        for dollars in (5.0, 6.0, 5.0):
            await unit.facts.store_days(stamp(), {TODAY: {cell: spent(dollars)}})
            seen = await unit.facts.figures(SOURCE, NOON, days=3, hours=0)
            assert seen.cells[cell][TODAY].spend == dollars


async def test_only_the_days_that_changed_are_read_again(uow: UowFactory) -> None:
    async with uow() as unit:
        await unit.facts.store_days(stamp(), month(5))
    await remembered(uow)
    async with uow() as unit:
        await unit.facts.store_days(stamp(), {TODAY: {cells(1)[0]: spent(50.0)}})
    with days_read() as again:
        await remembered(uow)
    with days_read() as unchanged:
        await remembered(uow)
    assert (again, unchanged) == ([[TODAY]], [])


async def test_forecasts_read_the_days_that_changed_and_learn_what_a_cold_start_does(
    uow: UowFactory, engine: AsyncEngine
) -> None:
    async with uow() as unit:
        await unit.facts.store_days(stamp(), month(5))
        await unit.facts.recent(SOURCE, NOON)
    async with uow() as unit:
        await unit.facts.store_days(stamp(), {TODAY: {cells(1)[0]: spent(50.0), cells(7)[6]: spent(0.0, 0)}})
    with days_read() as again:
        async with uow() as unit:
            held = await unit.facts.recent(SOURCE, NOON)
    async with engine.begin() as connection:
        fresh = await PostgresFacts(connection).recent(SOURCE, NOON)
    assert {day for days in again for day in days if day in month(1)} == {TODAY}
    assert held == fresh


async def test_a_forecast_after_midnight_leaves_rules_the_days_that_it_does_not_look_at(uow: UowFactory) -> None:
    async with uow() as unit:
        await unit.facts.store_days(stamp(), month(2))
        await unit.facts.figures(SOURCE, NOON, days=140, hours=0)
    tomorrow = NOON + DAY
    with days_read() as again:
        async with uow() as unit:
            await unit.facts.recent(SOURCE, tomorrow)
            await unit.facts.figures(SOURCE, tomorrow, days=140, hours=0)
    old = TODAY - (DAYS - 1) * DAY
    assert old not in {day for days in again for day in days}


async def test_a_day_of_a_release_that_kept_no_versions_is_read_every_time(
    uow: UowFactory, engine: AsyncEngine
) -> None:
    async with uow() as unit:
        await unit.facts.store_days(stamp(), month(2))
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM day_versions WHERE day = :day"), {"day": TODAY})
    await remembered(uow)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE spend_days SET billed = 77 WHERE day = :day"), {"day": TODAY})
    seen = await remembered(uow)
    assert seen.cells[cells(1)[0]][TODAY].spend == 77.0


@pytest.mark.parametrize("count", [10, 200])
async def test_statements_do_not_grow_with_the_cells(uow: UowFactory, count: int) -> None:
    async with uow() as unit:
        await unit.facts.store_days(stamp(), month(count))
    with days_read() as statements:
        seen = await remembered(uow)
    assert len(seen.cells) == count
    assert [len(days) for days in statements] == [28, 1, 28, 14]  # one of them names the cells of a day


async def test_the_sources_evaluated_last_are_remembered_up_to_a_bound(
    uow: UowFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_columns, "MOST_CELLS", 3)
    for source in ("src_2", SOURCE):
        async with uow() as unit:
            await unit.facts.store_days(
                replace(stamp(), source_id=source), {TODAY: dict.fromkeys(cells(2), spent(1.0))}
            )
    memory = day_columns.FigureMemory()
    async with uow() as unit:
        facts = unit.facts
        assert isinstance(facts, PostgresFacts)
        monkeypatch.setattr(facts, "_memory", memory)
        for source in ("src_2", SOURCE, SOURCE):
            with days_read() as statements:
                await facts.figures(source, NOON, days=2, hours=0)
    assert not any(TODAY in days for days in statements)
    assert len(memory) == 1
