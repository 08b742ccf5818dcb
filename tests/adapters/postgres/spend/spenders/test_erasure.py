from __future__ import annotations

from dataclasses import replace

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.domain.spend.questions import SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Dimension, Scope
from service.domain.values.utc import DAY, HOUR
from tests.adapters.postgres.feeding import read
from tests.adapters.postgres.reports import ALPHA, SOURCE, day_of, facts_of, make_room
from tests.factories import utc

ADA = "person_aaaaaaaaaaaaaaaa"
NINTH, TENTH = utc("2026-11-09"), utc("2026-11-10")
NOW = utc("2026-11-10T12:00")
OF_NOBODY = replace(ALPHA, extra=(("product", "claude_code"),))
OF_ADA = replace(ALPHA, extra=(("actor", ADA), ("product", "claude_code")))
BY_ACTOR = SpendQuestion(SOURCE, Window(NINTH, TENTH + DAY), Width.DAY, Scope(), Dimension.ACTOR)


async def actors(engine: AsyncEngine) -> dict[str, Money]:
    async with facts_of(engine) as facts:
        return {key.id: figure.spend.total for key, figure in (await facts.largest(BY_ACTOR, 10)).groups}


async def test_nothing_of_an_actor_stays_and_no_dollar_is_lost(engine: AsyncEngine) -> None:
    await make_room(engine)
    await read(engine, NOW, [day_of(NINTH.date(), {OF_ADA: "4"}), day_of(TENTH.date(), {OF_ADA: "5"})])
    async with facts_of(engine) as facts:
        await facts.erase_actors("src_other")
    assert (await actors(engine))[ADA] == Money.of("9")
    async with facts_of(engine) as facts:
        await facts.erase_actors(SOURCE)
    assert await actors(engine) == {"": Money.of("9")}
    async with engine.connect() as connection:
        rows = (await connection.execute(text("SELECT series::text FROM series"))).scalars().all()
    assert not [row for row in rows if ADA in row]
    await read(engine, NOW + HOUR, [day_of(TENTH.date(), {OF_NOBODY: "6"})])
    assert await actors(engine) == {"": Money.of("10")}, "the tenth is read again, not read twice"


async def test_who_is_known_again_after_an_erasure_is_known_from_then_on(engine: AsyncEngine) -> None:
    await make_room(engine)
    await read(engine, NOW, [day_of(NINTH.date(), {OF_ADA: "4"}), day_of(TENTH.date(), {OF_ADA: "5"})])
    async with facts_of(engine) as facts:
        await facts.erase_actors(SOURCE)
    await read(engine, NOW + HOUR, [day_of(TENTH.date(), {OF_ADA: "5"})])
    assert await actors(engine) == {ADA: Money.of("5"), "": Money.of("4")}
