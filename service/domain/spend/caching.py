"""Prompt caching in tokens and dollars: what reads saved, what writes cost, and what was written for nobody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TypeVar

from service.domain.sources.pricing import Measure, PriceBook, UsageKind
from service.domain.values.money import ZERO, Money
from service.domain.values.scopes import Cell
from service.domain.values.utc import midnight


@dataclass(frozen=True, slots=True)
class InputDay:
    """The input tokens of one cell and one kind of usage on a UTC day. Writes are those of 5 minutes and of 1 hour."""

    day: date
    cell: Cell
    kind: UsageKind
    uncached: int
    read: int
    written_5m: int
    written_1h: int


@dataclass(frozen=True, slots=True)
class CacheFigure:
    """Input tokens by their way through a cache, and dollars at list prices or the operator's own.

    `saved` is what the same input would have cost uncached, less what it cost; below zero where writes cost more than
    reads saved. `unread_5m` and `unread_1h` are part of it: at least so much was paid, beyond the price of uncached
    input, for tokens that were written and read by nobody. Tokens of a model without a known price are `unpriced`, and
    in no amount.
    """

    uncached: int = 0
    read: int = 0
    written_5m: int = 0
    written_1h: int = 0
    saved: Money = field(default=ZERO)
    unread_5m: Money = field(default=ZERO)
    unread_1h: Money = field(default=ZERO)
    unpriced: int = 0

    @property
    def tokens(self) -> int:
        """All input."""
        return self.uncached + self.read + self.written_5m + self.written_1h

    @property
    def hit_share(self) -> Decimal | None:
        """The share of the input that a cache served, 0 to 1; None without input."""
        return Decimal(self.read) / self.tokens if self.tokens else None

    def __add__(self, other: CacheFigure) -> CacheFigure:
        return CacheFigure(
            self.uncached + other.uncached,
            self.read + other.read,
            self.written_5m + other.written_5m,
            self.written_1h + other.written_1h,
            self.saved + other.saved,
            self.unread_5m + other.unread_5m,
            self.unread_1h + other.unread_1h,
            self.unpriced + other.unpriced,
        )


UnitPrices = Mapping[Measure, Decimal | None]
Group = TypeVar("Group", bound=Hashable)


def summed(days: Iterable[InputDay], prices: PriceBook, group: Callable[[InputDay], Group]) -> dict[Group, CacheFigure]:
    """The figures of each group of days, at the prices of each day's midnight UTC."""
    units: dict[tuple[UsageKind, date], UnitPrices] = {}
    found: dict[Group, CacheFigure] = defaultdict(CacheFigure)
    for day in days:
        place = day.kind, day.day
        if place not in units:
            units[place] = prices.unit_prices(day.kind, midnight(day.day))
        found[group(day)] += figure(day, units[place])
    return dict(found)


def figure(day: InputDay, unit: UnitPrices) -> CacheFigure:
    """The figure of one day. `unit`: US dollars a token.

    Each token that is read was written before, so that of W tokens written for 5 minutes at least W less all reads were
    read by nobody; the same for an hour. Reads of what was written before midnight make that a little less.
    """
    counted = CacheFigure(day.uncached, day.read, day.written_5m, day.written_1h)
    plain, read = unit[Measure.UNCACHED_INPUT], unit[Measure.CACHE_READ]
    short, long = unit[Measure.CACHE_WRITE_5M], unit[Measure.CACHE_WRITE_1H]
    if plain is None or read is None or short is None or long is None:
        return counted + CacheFigure(unpriced=counted.tokens)
    extra_5m, extra_1h = short - plain, long - plain
    saved = day.read * (plain - read) - day.written_5m * extra_5m - day.written_1h * extra_1h
    return counted + CacheFigure(
        saved=Money.rounded(saved),
        unread_5m=Money.rounded(max(0, day.written_5m - day.read) * extra_5m),
        unread_1h=Money.rounded(max(0, day.written_1h - day.read) * extra_1h),
    )
