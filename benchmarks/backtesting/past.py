"""A past of many days and series in a real database, most days restated two days after they ended."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from service.domain.money import Money
from service.domain.resources import Resource, Sealed
from service.domain.scopes import Cell
from service.domain.sources import Source, SourceKind, SourceState
from service.domain.spend import Spend, SpendDay
from service.workflows.ports import Stamp, UowFactory

DAYS, SERIES = 400, 200
SOURCE = "src_backtest"
FIRST = date(2025, 10, 1)
NOW = datetime.combine(FIRST + timedelta(days=DAYS), time(6), UTC)
CELLS = [Cell(f"wrkspc_{n % 8}", f"claude-model-{n % 4}", f"apikey_{n}") for n in range(SERIES)]
SEED = 20261121


async def furnish(uow: UowFactory) -> None:
    """Office weeks with noise; in every third week one workspace spends three times as much for two days."""
    secret = Sealed("not a real ciphertext", "...fake", "0123456789abcdef")
    spec = Source(SourceKind.CLAUDE_ADMIN, "http://127.0.0.1:1", secret)
    async with uow() as unit:
        await unit.sources.add(Resource(SOURCE, SOURCE, 1, NOW, NOW, {}, spec))
        await unit.feeds.add(SourceState(SOURCE, fence=0, next_poll_at=NOW))
    drawn, days = random.Random(SEED), list[dict[Cell, SpendDay]]()
    for number in range(DAYS):
        days.append(made(number, drawn))
        known = {FIRST + timedelta(days=number): days[-1]}
        if number >= 2:
            known[FIRST + timedelta(days=number - 2)] = restated(days[number - 2], drawn)
        at = datetime.combine(FIRST + timedelta(days=number), time(23), UTC)
        async with uow() as unit:
            await unit.facts.store_days(Stamp(SOURCE, "poll", at), known)


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
    return SpendDay(Spend(billed=Money(Decimal(f"{usd:.4f}"))))
