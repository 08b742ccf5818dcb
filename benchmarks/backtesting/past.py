"""A past of many days and series in a real database, most days restated two days after they ended."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.adapters.postgres.spend.partitions import PostgresStorage
from service.domain.sources.pricing import Measure
from service.domain.sources.source import Source, SourceKind, SourceState
from service.domain.spend.best_known import Spend, SpendDay
from service.domain.spend.rows import Bucket, Dimensions, UsageFact, Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.resources import Resource, Sealed
from service.domain.values.scopes import Cell
from service.workflows.ports.spend import Stamp
from service.workflows.ports.unit_of_work import UnitOfWork, UowFactory

DAYS, SERIES = 400, 200
SOURCE = "src_backtest"
FIRST = date(2025, 10, 1)
NOW = datetime.combine(FIRST + timedelta(days=DAYS), time(6), UTC)
CELLS = [Cell(f"wrkspc_{n % 8}", f"claude-model-{n % 4}", f"apikey_{n}") for n in range(SERIES)]
CALLERS = [Dimensions(c.workspace, c.model, token_type=Measure.OUTPUT, api_key=c.api_key) for c in CELLS]
SEED = 20261121


async def furnish(uow: UowFactory, engine: AsyncEngine) -> None:
    """Office weeks with noise; in every third week one workspace spends three times as much for two days.

    Usage is made of each day's dollars: every hour read four minutes after its end, two hours a day again after nine.
    """
    await PostgresStorage(engine).make_room(Window(_midnight(0), NOW))
    secret = Sealed("not a real ciphertext", "...fake", "0123456789abcdef")
    spec = Source(SourceKind.CLAUDE_ADMIN, "http://127.0.0.1:1", secret)
    async with uow() as unit:
        await unit.sources.add(Resource(SOURCE, SOURCE, 1, NOW, NOW, {}, spec))
        await unit.polling_states.add(SourceState(SOURCE, fence=0, next_poll_at=NOW))
    drawn, days = random.Random(SEED), list[dict[Cell, SpendDay]]()
    for number in range(DAYS):
        days.append(made(number, drawn))
        known = {FIRST + timedelta(days=number): days[-1]}
        if number >= 2:
            known[FIRST + timedelta(days=number - 2)] = restated(days[number - 2], drawn)
        at = datetime.combine(FIRST + timedelta(days=number), time(23), UTC)
        async with uow() as unit:
            await unit.facts.store_days(Stamp(SOURCE, "poll", at), known)
            await use(unit, number, days[-1], drawn)
    async with engine.begin() as connection:
        for statement in READ_BY_THE_HOUR:
            await connection.execute(text(statement), {"first": FIRST_READ, "again": READ_AGAIN})
        for table in ("revisions", "known_buckets", "usage_hours", "usage_day_profiles", "spend_day_versions"):
            await connection.execute(text(f"ANALYZE {table}"))


FIRST_READ, READ_AGAIN = timedelta(minutes=4), timedelta(minutes=9)
READ_BY_THE_HOUR = (
    """UPDATE known_buckets SET known_at = bucket + interval '1 hour' + :first,
       complete_at = bucket + interval '1 hour' + :first WHERE width = 'hour'""",
    """UPDATE revisions SET known_at = bucket + interval '1 hour'
       + CASE poll_id WHEN 'again' THEN :again ELSE :first END WHERE width = 'hour'""",
)
"""The days were loaded whole: what was read when is put right afterwards."""


async def use(unit: UnitOfWork, number: int, day: Mapping[Cell, SpendDay], drawn: random.Random) -> None:
    hours = [_hour(number, hour, day, drawn) for hour in range(24)]
    at = _midnight(number + 1)
    await unit.facts.replace_usage(Stamp(SOURCE, "first", at + FIRST_READ), Width.HOUR, hours)
    again = [_hour(number, hour, day, drawn) for hour in drawn.sample(range(24), 2)]
    await unit.facts.replace_usage(Stamp(SOURCE, "again", at + READ_AGAIN), Width.HOUR, again)


def _hour(number: int, hour: int, day: Mapping[Cell, SpendDay], drawn: random.Random) -> Bucket[UsageFact]:
    """Twice as much from nine to five as at night."""
    weight = (1.5 if 9 <= hour < 17 else 0.75) / 24
    start = _midnight(number) + timedelta(hours=hour)
    return Bucket(
        Window(start, start + timedelta(hours=1)),
        tuple(
            UsageFact(about, 1000, _dollars(float(known.spend.total.usd) * weight * drawn.lognormvariate(0, 0.15)))
            for about, known in zip(CALLERS, day.values(), strict=True)
        ),
    )


def _midnight(number: int) -> datetime:
    return datetime.combine(FIRST + timedelta(days=number), time(), UTC)


def _dollars(usd: float) -> Money:
    return Money(Decimal(f"{usd:.4f}"))


def made(number: int, drawn: random.Random) -> dict[Cell, SpendDay]:
    week = 0.5 if number % 7 in (3, 4) else 1.0
    loud = number // 2 % 4 if number % 21 in (10, 11) else None
    return {
        cell: spent((20 + place % 50) * week * drawn.lognormvariate(0, 0.15) * (3 if place % 8 == loud else 1))
        for place, cell in enumerate(CELLS)
    }


def restated(day: dict[Cell, SpendDay], drawn: random.Random) -> dict[Cell, SpendDay]:
    """A tenth of the cells by a few percent."""
    return day | {
        cell: spent(float(day[cell].spend.total.usd) * drawn.uniform(0.97, 1.06))
        for cell in drawn.sample(CELLS, SERIES // 10)
    }


def spent(usd: float) -> SpendDay:
    return SpendDay(Spend(billed=_dollars(usd)))
