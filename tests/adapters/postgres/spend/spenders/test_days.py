from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from service.domain.spend.best_known import Spend
from service.domain.spend.questions import SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import FINEST, SPENDERS, Cell, Dimension, Scope, ScopeKey
from service.domain.values.utc import DAY, HOUR
from tests.adapters.postgres.feeding import read
from tests.adapters.postgres.reports import ALPHA, BETA, SOURCE, day_of, facts_of, hour_of, make_room, used
from tests.factories import utc

ADA, BOB = "person_aaaaaaaaaaaaaaaa", "person_bbbbbbbbbbbbbbbb"
NINTH, TENTH = utc("2026-11-09"), utc("2026-11-10")
NOW = utc("2026-11-10T12:00")
WINDOW = Window(NINTH, TENTH + DAY)
KEY = replace(ALPHA, api_key="apikey_1")
OF_ADA = replace(KEY, extra=(("actor", ADA), ("product", "claude_code")))
OF_BOB = replace(KEY, extra=(("actor", BOB), ("product", "claude_code")))
OF_NOBODY = replace(KEY, extra=(("product", "messages_api"),))
HOME = ("wrkspc_a", "claude-sonnet-4-5", "apikey_1")


@pytest.fixture(autouse=True)
async def _stored(engine: AsyncEngine) -> None:
    """The ninth is billed more than was used; the tenth's bill lags behind what was used: $9 by the key."""
    await make_room(engine)
    bills = [
        day_of(NINTH.date(), {OF_ADA: "4", OF_BOB: "2", OF_NOBODY: "1", BETA: "3"}),
        day_of(TENTH.date(), {OF_ADA: "5"}),
    ]
    await read(engine, NOW, bills, [hour_of(TENTH + 3 * HOUR, used(10, "9"))])


async def test_what_the_bill_names_is_billed_and_the_rest_adds_up_to_the_cells(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        found = await facts.spend(SOURCE, WINDOW, NOW, SPENDERS)
        whole = await facts.spend(SOURCE, WINDOW, NOW)
    told = {cell: spend for cell, spend in found.items() if spend != Spend()}
    assert told == {
        Cell(*HOME, ADA, "claude_code"): Spend(Money.of("9")),
        Cell(*HOME, BOB, "claude_code"): Spend(Money.of("2")),
        Cell(*HOME, "", "messages_api"): Spend(Money.of("1")),
        Cell(*HOME): Spend(estimated=Money.of("4")),
        Cell("wrkspc_b", "claude-haiku-5-5", ""): Spend(Money.of("3")),
    }
    assert {cell: spend.total for cell, spend in whole.items()} == {
        home: Money.total(spend.total for cell, spend in found.items() if cell.at(FINEST) == home) for home in whole
    }


async def test_spend_is_grouped_and_filtered_by_actor_and_product(engine: AsyncEngine) -> None:
    by_actor = SpendQuestion(SOURCE, WINDOW, Width.DAY, Scope(products=("claude_code",)), Dimension.ACTOR)
    by_product = SpendQuestion(SOURCE, WINDOW, Width.DAY, Scope(), Dimension.PRODUCT)
    async with facts_of(engine) as facts:
        actors = (await facts.largest(by_actor, 10)).groups
        products = await facts.largest(by_product, 10)
        days = (await facts.figures_by_bucket(by_actor, 10)).figures
    assert [(key.id, figure.spend.total) for key, figure in actors] == [(ADA, Money.of("9")), (BOB, Money.of("2"))]
    assert {key.id: figure.spend.total for key, figure in products.groups} == {
        "claude_code": Money.of("11"),
        "messages_api": Money.of("1"),
        "": Money.of("7"),
    }
    assert products.total.spend.total == Money.of("19")
    assert days[TENTH] == {ScopeKey(Dimension.ACTOR, ADA): days[TENTH][ScopeKey(Dimension.ACTOR, ADA)]}


async def test_a_day_that_a_zone_cuts_is_split_by_the_hours_of_the_key(engine: AsyncEngine) -> None:
    """All of the tenth was used at three: what lies before that is nobody's."""
    half = Window(TENTH + 2 * HOUR, TENTH + 5 * HOUR)
    async with facts_of(engine) as facts:
        spent = await facts.spend(SOURCE, half, NOW, FINEST | {Dimension.ACTOR})
    assert spent[Cell(*HOME, ADA)].total == Money.of("5")


async def test_rules_see_the_days_of_actors_and_as_they_were_known_then(engine: AsyncEngine) -> None:
    later = utc("2026-11-11T12:00")
    await read(engine, later, [day_of(TENTH.date(), {OF_ADA: "50"})])
    cell = Cell(*HOME, ADA, "claude_code")
    async with facts_of(engine) as facts:
        now = await facts.figures(SOURCE, later, days=14, hours=0, grain=SPENDERS)
        then = await facts.figures_at(SOURCE, NOW, days=14, hours=0, grain=SPENDERS)
        whole = await facts.figures_at(SOURCE, NOW, days=14, hours=0)
    assert now.cells[cell][TENTH.date()].spend == 50.0
    assert then.cells[cell][TENTH.date()].spend == 5.0
    assert sum(days[TENTH.date()].spend for days in then.cells.values() if TENTH.date() in days) == 9.0
    assert sum(days[TENTH.date()].spend for days in whole.cells.values() if TENTH.date() in days) == 9.0


async def test_forecasts_learn_from_the_days_of_actors(engine: AsyncEngine) -> None:
    async with facts_of(engine) as facts:
        recent = await facts.recent(SOURCE, NOW, FINEST | {Dimension.ACTOR}, Scope(actors=(ADA,)))
    assert {cell: (row[-2], row[-1]) for cell, row in recent.spend.items()} == {Cell(*HOME, ADA): (4.0, 5.0)}


async def test_an_actor_that_is_named_no_more_keeps_the_days_before(engine: AsyncEngine) -> None:
    await read(engine, NOW + HOUR, [day_of(TENTH.date(), {OF_BOB: "6"})])
    question = SpendQuestion(SOURCE, WINDOW, Width.DAY, Scope(actors=(ADA,)), Dimension.ACTOR)
    async with facts_of(engine) as facts:
        assert (await facts.total(question)).spend.total == Money.of("4")
