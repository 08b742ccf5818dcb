"""Bills by actor and product as they became known, from the revisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy.ext.asyncio import AsyncEngine

from service.domain.spend.best_known import Spend, SpendDay
from service.domain.values.money import Money
from service.domain.values.scopes import Cell
from service.domain.values.utc import DAY, HOUR
from tests.adapters.postgres.feeding import read
from tests.adapters.postgres.reports import ALPHA, BETA, SOURCE, day_of, facts_of, make_room
from tests.factories import utc

ADA = "person_aaaaaaaaaaaaaaaa"
NINTH = utc("2026-11-09")
HERS = replace(ALPHA, extra=(("actor", ADA), ("product", "claude_code")))
CHATS = replace(ALPHA, extra=(("actor", ADA), ("product", "chat")))
BY_CODE, BY_CHAT = (Cell(ALPHA.workspace, ALPHA.model, "", ADA, product) for product in ("claude_code", "chat"))


def spent(dollars: str) -> SpendDay:
    return SpendDay(Spend(Money.of(dollars)))


async def test_a_version_is_what_was_known_of_a_day_at_the_end_of_the_day_on_which_it_changed(
    engine: AsyncEngine,
) -> None:
    await make_room(engine)
    await read(engine, NINTH + 12 * HOUR, [day_of(NINTH.date(), {HERS: "1", BETA: "7"})])
    await read(engine, NINTH + 13 * HOUR, [day_of(NINTH.date(), {HERS: "2", BETA: "7"})])
    await read(engine, NINTH + DAY + HOUR, [day_of(NINTH.date(), {HERS: "5", CHATS: "3", BETA: "9"})])
    await read(engine, NINTH + 2 * DAY, [day_of(NINTH.date(), {CHATS: "3", BETA: "9"})])
    async with facts_of(engine) as facts:
        versions = await facts.spender_versions(SOURCE, NINTH.date(), NINTH.date() + DAY)
    assert [(one.day, one.known_on, dict(one.cells)) for one in versions] == [
        (date(2026, 11, 9), date(2026, 11, 9), {BY_CODE: spent("2")}),
        (date(2026, 11, 9), date(2026, 11, 10), {BY_CODE: spent("5"), BY_CHAT: spent("3")}),
        (date(2026, 11, 9), date(2026, 11, 11), {BY_CHAT: spent("3")}),
    ]
    assert not any(one.assumed or one.settled for one in versions)
