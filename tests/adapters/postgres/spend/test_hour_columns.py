"""Hours that are read as columns are those that are stored, whatever the window cuts off."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.spend.hour_columns import DAYS_AT_ONCE, hour_columns_in
from service.adapters.postgres.spend.hour_profiles import hours_between
from service.adapters.postgres.spend.memory.day_columns import HeldCells
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
        held = HeldCells()
        for _ in range(2):
            read = await hour_columns_in(connection, SOURCE, window, held)
            assert dict(read) == {cell: hours for cell, hours in stored.items() if any(hours)}
            assert list(read) == sorted(read, key=lambda cell: (cell.workspace, cell.model, cell.api_key))


async def test_the_last_hours_of_columns_are_those_of_lists(engine: AsyncEngine) -> None:
    window = Window(START, START + DAYS * DAY)
    async with engine.begin() as connection:
        await connection.execute(insert(usage_day_profiles), rows(random.Random(5)))
        read = await hour_columns_in(connection, SOURCE, window, HeldCells())
    for place in (0, 1, 24 * DAYS - 2):
        assert dict(read.since(place)) == {cell: hours[place:] for cell, hours in read.items() if any(hours[place:])}
    known = [*list(read)[2:5], Cell("wrkspc_none", "claude-none", "apikey_none")]
    assert read.of(known).tolist() == [*(read[cell] for cell in known[:3]), [0.0] * (24 * DAYS)]
    assert timedelta(hours=read.spend.shape[1]) == window.end - window.start
