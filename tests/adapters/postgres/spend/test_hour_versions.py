"""What each hour was known to be: what was read while it was the present, and in the end the profiles."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from service.domain.detectors.hourly.known import NEVER, HourVersions, KnownHours
from service.domain.rules.view import HourFigures
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell
from service.domain.values.utc import DAY, HOUR
from tests.adapters.postgres.feeding import figures, read
from tests.adapters.postgres.reports import SOURCE, facts_of, hour_of, make_room, used
from tests.adapters.postgres.spend.test_past_figures import START, Organisation
from tests.factories import utc

LATELY = 60
BEGIN, END = START - 3 * DAY, START + 12 * DAY
NINE = utc("2026-11-10T09:00")
KEY, OTHER = Cell("wrkspc_a", "claude-sonnet-4-5", "apikey_1"), Cell("wrkspc_a", "claude-sonnet-4-5", "apikey_2")


@pytest.fixture(autouse=True)
async def _room(engine: AsyncEngine) -> None:
    await make_room(engine)


async def versions(engine: AsyncEngine, most: int = 1_000_000) -> HourVersions:
    async with facts_of(engine) as facts:
        return await facts.hour_versions(SOURCE, Window(BEGIN, END), most=most)


def lately(known: KnownHours, now: datetime) -> tuple[list[bool], dict[Cell, list[float]]]:
    end = (now - known.first) // HOUR
    rows = zip(known.cells, known.amounts[:, end - LATELY : end].tolist(), strict=True)
    return known.known[end - LATELY : end].tolist(), {cell: row for cell, row in rows if any(row)}


@pytest.mark.parametrize("seed", [1, 2, pytest.param(3, marks=pytest.mark.fuzz)])
async def test_every_instant_knows_the_hours_that_were_known_when_it_was_the_present(
    engine: AsyncEngine, seed: int
) -> None:
    """Hours that come late, are restated, vanish, have no price or are of the Priority Tier; readings that fail."""
    organisation = Organisation(seed)
    seen: dict[datetime, HourFigures | None] = {}
    for number in range(1, 45):
        now = START + number * 6 * HOUR
        organisation.live(now)
        await read(engine, now, organisation.bill(now), organisation.hours(now))
        seen[now] = (await figures(engine, now, days=12, hours=LATELY)).hours
    told = await versions(engine)
    assert told.restated.at.size > 20
    known = KnownHours(told)
    for now, then in seen.items():
        known.learn_until(now)
        assert then is not None
        assert lately(known, now) == (list(then.known), dict(then.cells)), now


async def test_an_hour_is_what_it_was_when_it_was_first_read_whole_and_then_what_it_became(engine: AsyncEngine) -> None:
    await read(engine, NINE + 0.5 * HOUR, hours=[hour_of(NINE, used(10, "1"))])
    await read(engine, NINE + HOUR, hours=[hour_of(NINE, used(30, "3"))])
    await read(engine, NINE + 3 * HOUR, hours=[hour_of(NINE, used(30, "3"), used(50, "5", api_key="apikey_2"))])
    known, place, seen = KnownHours(await versions(engine)), (NINE - BEGIN) // HOUR, []
    for passed in (0.5, 1, 2.9, 3):
        known.learn_until(NINE + passed * HOUR)
        spent = dict(zip(known.cells, known.amounts[:, place].tolist(), strict=True))
        seen.append((bool(known.known[place]), spent[KEY], spent[OTHER]))
    assert seen == [(True, 0.0, 0.0), (True, 3.0, 0.0), (True, 3.0, 0.0), (True, 3.0, 5.0)]


async def test_a_backfilled_hour_counts_as_known_a_day_after_its_end(engine: AsyncEngine) -> None:
    await read(engine, NINE + 9 * DAY, hours=[hour_of(NINE, used(10, "1"))])
    told, place = await versions(engine), (NINE - BEGIN) // HOUR
    day_after = (NINE + HOUR + DAY).timestamp()
    assert (told.known_at[place], told.complete_at[place]) == (day_after, day_after)
    assert (told.known_at[place + 1], told.amounts[0, place]) == (NEVER, 1.0)


async def test_of_more_than_can_be_held_the_first_days_are_left_out(engine: AsyncEngine) -> None:
    await read(engine, NINE + HOUR, hours=[hour_of(NINE, used(10, "1"), used(10, "2", api_key="apikey_2"))])
    told = await versions(engine, most=2 * 24 * 5 + 1)
    assert (told.first, told.hours) == (END - 5 * DAY, 5 * 24)
    assert told.amounts.sum() == 3.0
    assert (await versions(engine)).first == BEGIN
