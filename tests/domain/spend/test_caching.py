"""Caches in dollars, checked with a pencil and against the price of every token."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from service.adapters.prices import list_price_book
from service.domain.sources.pricing import MILLION, Measure, PriceBook, UsageKind
from service.domain.spend.caching import CacheFigure, InputDay, figure, summed
from service.domain.values.money import ZERO, Money
from service.domain.values.scopes import Cell
from service.domain.values.utc import midnight

DAY = date(2026, 11, 16)
ENG = Cell("wrkspc_eng", "claude-sonnet-4-5", "apikey_ci")
BOOK = list_price_book(())
WAYS = (Measure.UNCACHED_INPUT, Measure.CACHE_READ, Measure.CACHE_WRITE_5M, Measure.CACHE_WRITE_1H)
UNITS = dict(zip(Measure, (Decimal(rate) / MILLION for rate in ("3", "15", "0.30", "3.75", "6", "0")), strict=True))
"""Dollars a million: input 3, output 15, read 0.30, written for 5 minutes 3.75, for an hour 6."""
M = 1_000_000
TOKENS = st.integers(0, 10**12)


def used(
    uncached: int = 0, read: int = 0, written_5m: int = 0, written_1h: int = 0, model: str = "claude-sonnet-4-5"
) -> InputDay:
    return InputDay(DAY, ENG, UsageKind(model), uncached, read, written_5m, written_1h)


def test_a_read_saves_nine_tenths_of_the_price_of_input() -> None:
    assert figure(used(uncached=5 * M, read=2 * M), UNITS).saved == Money.of("5.40")


def test_a_write_is_paid_beyond_the_price_of_input_by_its_lifetime() -> None:
    figures = figure(used(read=M, written_5m=M, written_1h=M), UNITS)
    assert figures.saved == Money.of("-1.05")  # 2.70 saved, 0.75 and 3.00 paid
    assert (figures.unread_5m, figures.unread_1h) == (ZERO, ZERO)


def test_what_was_written_beyond_all_reads_was_read_by_nobody() -> None:
    figures = figure(used(read=M, written_5m=5 * M, written_1h=3 * M), UNITS)
    assert (figures.unread_5m, figures.unread_1h) == (Money.of("3.00"), Money.of("6.00"))


def test_days_do_not_pay_for_each_others_writes() -> None:
    """A day that reads much says nothing of another one that wrote for nobody."""
    found = summed([used(read=9 * M), used(written_5m=M)], BOOK, lambda day: day.day)
    assert found[DAY].unread_5m == Money.of("0.75")


def test_tokens_without_a_price_are_in_no_amount() -> None:
    figures = summed([used(1, 2, 3, 4, model="claude-novel")], BOOK, lambda day: day.cell)[ENG]
    assert (figures.unpriced, figures.saved, figures.unread_1h, figures.tokens) == (10, ZERO, ZERO, 10)


def test_the_share_of_hits_is_of_all_input() -> None:
    assert figure(used(uncached=1, read=7, written_5m=1, written_1h=1), UNITS).hit_share == Decimal("0.7")
    assert CacheFigure().hit_share is None


@given(st.tuples(TOKENS, TOKENS, TOKENS, TOKENS), st.sampled_from(["claude-sonnet-4-5", "claude-haiku-4-5"]))
def test_savings_are_the_input_at_the_price_of_input_less_its_cost(
    tokens: tuple[int, int, int, int], model: str
) -> None:
    price = PriceBook(BOOK.prices).unit_prices(UsageKind(model), midnight(DAY))
    uncached = price[Measure.UNCACHED_INPUT] or Decimal(0)
    cost = sum((price[way] or Decimal(0)) * count for way, count in zip(WAYS, tokens, strict=True))
    (figures,) = summed([used(*tokens, model=model)], BOOK, lambda day: day.day).values()
    assert figures.saved == Money.rounded(uncached * sum(tokens) - cost)
    assert figures.unread_5m.usd + figures.unread_1h.usd <= cost
