"""Hours that are read as columns are those that are stored, whatever the window cuts off."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from psycopg.rows import TupleRow
from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.adapters.postgres.spend import hour_columns
from service.adapters.postgres.spend.hour_columns import DAYS_AT_ONCE, hour_columns_in
from service.adapters.postgres.spend.hour_profiles import hours_between
from service.adapters.postgres.spend.memory import day_columns
from service.adapters.postgres.spend.memory.day_columns import HeldCells
from service.adapters.postgres.spend.memory.hour_blocks import HeldHours
from service.adapters.postgres.spend.tables import usage_day_profiles
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell
from service.domain.values.utc import DAY, HOUR, utc_day
from tests.adapters.postgres.reports import SOURCE

FIRST = date(2026, 10, 1)
DAYS = 2 * DAYS_AT_ONCE + 3
START = utc_day(FIRST).start


def rows(chance: random.Random) -> list[dict[str, object]]:
    """Cells that come and go, and one that never spends."""
    cells = [Cell(f"wrkspc_{chance.randrange(9)}", f"claude-{n % 3}", f"apikey_{n}") for n in range(12)]
    return [
        {
            "source_id": source,
            "day": FIRST + number * DAY,
            "workspace": cell.workspace,
            "model": cell.model,
            "api_key": cell.api_key,
            "hours": [0.0 if at == 3 else chance.choice([0.0, chance.uniform(0, 9)]) for _ in range(24)],
        }
        for source in (SOURCE, "src_other")
        for number in range(DAYS)
        for at, cell in enumerate(cells)
        if chance.random() < 0.7
    ]


@pytest.mark.parametrize(
    "window",
    [
        Window(START, START + DAYS * DAY),
        Window(START + 5 * HOUR, START + 3 * DAY + 7 * HOUR),
        Window(START + 5 * HOUR, START + 9 * HOUR),
        Window(START - 30 * HOUR, START + (DAYS + 2) * DAY),
        Window(START - 9 * DAY, START - DAY),
    ],
)
async def test_columns_hold_the_stored_hours(engine: AsyncEngine, window: Window) -> None:
    async with engine.begin() as connection:
        await connection.execute(insert(usage_day_profiles), rows(random.Random(4)))
        stored = await hours_between(connection, SOURCE, window)
        cells, held = HeldCells(), HeldHours()
        for _ in range(2):
            read = await hour_columns_in(connection, SOURCE, window, cells, held)
            assert dict(read) == {cell: hours for cell, hours in stored.items() if any(hours)}
            assert list(read) == sorted(read, key=lambda cell: (cell.workspace, cell.model, cell.api_key))


async def test_the_last_hours_of_columns_are_those_of_lists(engine: AsyncEngine) -> None:
    window = Window(START, START + DAYS * DAY)
    async with engine.begin() as connection:
        await connection.execute(insert(usage_day_profiles), rows(random.Random(5)))
        read = await hour_columns_in(connection, SOURCE, window, HeldCells(), HeldHours())
    for place in (0, 1, 24 * DAYS - 2):
        assert dict(read.since(place)) == {cell: hours[place:] for cell, hours in read.items() if any(hours[place:])}
    known = [*list(read)[2:5], Cell("wrkspc_none", "claude-none", "apikey_none")]
    assert read.of(known).tolist() == [*(read[cell] for cell in known[:3]), [0.0] * (24 * DAYS)]
    assert timedelta(hours=read.spend.shape[1]) == window.end - window.start


CELL_DAY = usage_day_profiles.c.day, usage_day_profiles.c.api_key


async def _change(connection: AsyncConnection, chance: random.Random) -> None:
    """A cell's day is gone, is written as it was, or spends the same dollars in other hours."""
    place = FIRST + chance.randrange(DAYS) * DAY, f"apikey_{chance.randrange(12)}"
    where = [column == value for column, value in zip(CELL_DAY, place, strict=True)]
    gone = (await connection.execute(delete(usage_day_profiles).where(*where).returning(usage_day_profiles))).all()
    turned = [dict(row._mapping) | {"hours": row.hours[::-1] if chance.random() < 0.5 else row.hours} for row in gone]
    if turned and chance.random() < 0.7:
        await connection.execute(insert(usage_day_profiles), turned)


async def test_hours_that_are_remembered_are_those_that_are_stored(engine: AsyncEngine) -> None:
    chance, cells, held = random.Random(6), HeldCells(), HeldHours()
    async with engine.begin() as connection:
        await connection.execute(insert(usage_day_profiles), rows(chance))
    for number in range(20):
        window = Window(START + chance.randrange(60) * HOUR, START + DAYS * DAY + (number - 10) * HOUR)
        async with engine.begin() as connection:
            for _ in range(number % 4):
                await _change(connection, chance)
            known = await hour_columns_in(connection, SOURCE, window, cells, held)
            cold = await hour_columns_in(connection, SOURCE, window, HeldCells(), HeldHours())
        assert list(known.items()) == list(cold.items())


async def test_only_the_days_whose_hours_changed_are_read_again(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells, held, window = HeldCells(), HeldHours(), Window(START, START + DAYS * DAY)
    read: list[list[date]] = []

    async def noted(connection: AsyncConnection, statement: str, source_id: str, days: list[date]) -> list[TupleRow]:
        read.append(days)
        return await day_columns.rows_of(connection, statement, source_id, days)

    async with engine.begin() as connection:
        await connection.execute(insert(usage_day_profiles), rows(random.Random(7)))
        await hour_columns_in(connection, SOURCE, window, cells, held)
        monkeypatch.setattr(hour_columns, "rows_of", noted)
        await connection.execute(
            update(usage_day_profiles).where(usage_day_profiles.c.day == FIRST + DAY).values(hours=[1.0] * 24)
        )
        await hour_columns_in(connection, SOURCE, Window(START + DAY, START + 3 * DAY), cells, held)
        await hour_columns_in(connection, SOURCE, window, cells, held)
    assert read == [[FIRST + DAY]]
