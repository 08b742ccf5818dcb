"""Input tokens by their way through a cache, read from stored hours."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from service.domain.sources.pricing import Measure, UsageKind
from service.domain.spend.caching import InputDay
from service.domain.spend.questions import SpendQuestion
from service.domain.spend.rows import PRIORITY_TIER, Width
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell, Dimension, Scope
from service.domain.values.utc import HOUR
from tests.adapters.postgres.feeding import read
from tests.adapters.postgres.reports import SOURCE, facts_of, hour_of, make_room, used
from tests.factories import utc

NINTH, TENTH = utc("2026-11-09"), utc("2026-11-10")
WINDOW = Window(NINTH, TENTH + 24 * HOUR)
SONNET, FIRST, SECOND = "claude-sonnet-4-5", "apikey_1", "apikey_2"
STANDARD = UsageKind(SONNET, "standard")


@pytest.fixture(autouse=True)
async def _stored(engine: AsyncEngine) -> None:
    await make_room(engine)
    hours = [
        hour_of(NINTH + 3 * HOUR, used(10, "1", measure=Measure.UNCACHED_INPUT), used(99, "2")),
        hour_of(
            NINTH + 4 * HOUR, used(5, "1", measure=Measure.UNCACHED_INPUT), used(7, "1", measure=Measure.CACHE_READ)
        ),
        hour_of(
            TENTH,
            used(3, "1", measure=Measure.CACHE_WRITE_5M, api_key=SECOND),
            used(4, "1", measure=Measure.CACHE_WRITE_1H, api_key=SECOND),
            used(8, "1", measure=Measure.CACHE_READ, tier=PRIORITY_TIER),
            used(6, "0.5", measure=Measure.CACHE_READ, tier="batch"),
        ),
    ]
    await read(engine, utc("2026-11-10T12:00"), [], hours)


def asked(scope: Scope = Scope(), window: Window = WINDOW) -> SpendQuestion:
    return SpendQuestion(SOURCE, window, Width.DAY, scope, Dimension.ORGANISATION)


async def test_days_add_up_their_hours_and_leave_out_output_and_the_priority_tier(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        assert await facts.input_days(asked()) == [
            InputDay(NINTH.date(), Cell("wrkspc_a", SONNET, FIRST), STANDARD, 15, 7, 0, 0),
            InputDay(TENTH.date(), Cell("wrkspc_a", SONNET, FIRST), UsageKind(SONNET, "batch"), 0, 6, 0, 0),
            InputDay(TENTH.date(), Cell("wrkspc_a", SONNET, SECOND), STANDARD, 0, 0, 3, 4),
        ]


async def test_filters_and_the_window_hold(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        of_key = await facts.input_days(asked(Scope(api_keys=(SECOND,))))
        of_day = await facts.input_days(asked(window=Window(NINTH, TENTH)))
        assert [day.cell.api_key for day in of_key] == [SECOND]
        assert [day.uncached for day in of_day] == [15]
        assert await facts.input_days(asked(Scope(models=("claude-novel",)))) == []
