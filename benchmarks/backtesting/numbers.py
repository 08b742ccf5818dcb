"""A past of many days and series in numbers: office weeks with noise, most days restated two days after they ended."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from service.domain.sources.pricing import Measure
from service.domain.spend.best_known import Spend, SpendDay
from service.domain.spend.rows import Bucket, Dimensions, UsageFact
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell

DAYS, SERIES = 400, 200
SOURCE = "src_backtest"
FIRST = date(2025, 10, 1)
NOW = datetime.combine(FIRST + timedelta(days=DAYS), time(6), UTC)
CELLS = [Cell(f"wrkspc_{n % 8}", f"claude-model-{n % 4}", f"apikey_{n}") for n in range(SERIES)]
CALLERS = [Dimensions(c.workspace, c.model, token_type=Measure.OUTPUT, api_key=c.api_key) for c in CELLS]
FIRST_READ, READ_AGAIN = timedelta(minutes=4), timedelta(minutes=9)
"""How long after its end an hour is read, and some a second time."""
SEED = 20261121


@dataclass(frozen=True, slots=True)
class DrawnDay:
    """One day: what became `known` of days at its end, its hours, and those of them that were read `again`."""

    number: int
    known: Mapping[date, Mapping[Cell, SpendDay]]
    hours: Sequence[Bucket[UsageFact]]
    again: Sequence[Bucket[UsageFact]]


def drawn_days() -> Iterator[DrawnDay]:
    """The same numbers each time: in every third week one workspace spends three times as much for two days."""
    drawn, days = random.Random(SEED), list[dict[Cell, SpendDay]]()
    for number in range(DAYS):
        days.append(made(number, drawn))
        known = {FIRST + timedelta(days=number): days[-1]}
        if number >= 2:
            known[FIRST + timedelta(days=number - 2)] = restated(days[number - 2], drawn)
        hours = [_hour(number, hour, days[-1], drawn) for hour in range(24)]
        again = [_hour(number, hour, days[-1], drawn) for hour in drawn.sample(range(24), 2)]
        yield DrawnDay(number, known, hours, again)


def _hour(number: int, hour: int, day: Mapping[Cell, SpendDay], drawn: random.Random) -> Bucket[UsageFact]:
    """Twice as much from nine to five as at night."""
    weight = (1.5 if 9 <= hour < 17 else 0.75) / 24
    start = midnight_of(number) + timedelta(hours=hour)
    return Bucket(
        Window(start, start + timedelta(hours=1)),
        tuple(
            UsageFact(about, 1000, _dollars(float(known.spend.total.usd) * weight * drawn.lognormvariate(0, 0.15)))
            for about, known in zip(CALLERS, day.values(), strict=True)
        ),
    )


def midnight_of(number: int) -> datetime:
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
