from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from service.domain.sources.pricing import (
    AppliedPrice,
    Measure,
    ModelPrice,
    PriceBook,
    PriceOverride,
    UsageKind,
    canonical_model,
    priced,
)
from service.domain.values.money import Money

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CHANGE = datetime(2026, 10, 1, tzinfo=UTC)
TOKENS: list[Measure] = [measure for measure in Measure if measure is not Measure.WEB_SEARCH]
FLAT = {measure: Decimal(10) for measure in TOKENS}
DOUBLE = {measure: Decimal(20) for measure in TOKENS}
ORIGINAL = {measure: Decimal(40) for measure in TOKENS}
BOOK = PriceBook(
    (
        ModelPrice("toll", ORIGINAL, valid_to=CHANGE),
        ModelPrice("toll", FLAT, DOUBLE, fast_rates=DOUBLE, us_factor=Decimal("1.1"), valid_from=CHANGE),
        ModelPrice("short", FLAT, long_prompt_rates=ORIGINAL),
    )
)


def overridden(*overrides: PriceOverride) -> PriceBook:
    return PriceBook(BOOK.prices, overrides)


def per_million(book: PriceBook, kind: UsageKind, measure: Measure = Measure.OUTPUT) -> Decimal | None:
    unit = book.unit_price(kind, measure, NOW)
    return None if unit is None else unit * 1_000_000


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (UsageKind("toll"), "10"),
        (UsageKind("toll", service_tier="priority"), "10"),
        (UsageKind("toll", service_tier="batch"), "5"),
        (UsageKind("toll", inference_geo="us"), "11"),
        (UsageKind("toll", service_tier="batch", inference_geo="us"), "5.5"),
        (UsageKind("toll", context_window="200k-1M"), "20"),
        (UsageKind("toll", context_window="0-200k"), "10"),
        (UsageKind("toll", speed="fast"), "20"),
        (UsageKind("toll", speed="fast", service_tier="batch"), "20"),
        (UsageKind("short", inference_geo="us"), "10"),
        (UsageKind("short", context_window="200k-1M"), "40"),
    ],
)
def test_the_dimensions_of_a_row_decide_its_rate(kind: UsageKind, expected: str) -> None:
    assert per_million(BOOK, kind) == Decimal(expected)


def test_an_unknown_model_is_unpriced_and_not_free() -> None:
    unknown = UsageKind("nobody-9")
    assert BOOK.unit_price(unknown, Measure.OUTPUT, NOW) is None
    assert priced(BOOK.unit_price(unknown, Measure.OUTPUT, NOW), 1_000) is None


def test_fast_mode_of_a_model_that_lists_none_is_unpriced() -> None:
    assert BOOK.unit_price(UsageKind("short", speed="fast"), Measure.OUTPUT, NOW) is None


def test_a_rate_holds_until_the_very_instant_of_its_change() -> None:
    last = datetime(2026, 9, 30, 23, 59, 59, tzinfo=UTC)
    assert priced(BOOK.unit_price(UsageKind("toll"), Measure.OUTPUT, last), 1_000_000) == Money.of("40")
    assert priced(BOOK.unit_price(UsageKind("toll"), Measure.OUTPUT, CHANGE), 1_000_000) == Money.of("10")


def test_a_web_search_costs_a_cent_whatever_the_model_tier_or_place() -> None:
    kind = UsageKind("nobody-9", service_tier="batch", inference_geo="us")
    assert priced(BOOK.unit_price(kind, Measure.WEB_SEARCH, NOW), 1_000) == Money.of("10")


def test_an_override_wins_over_the_list_only_while_it_is_valid() -> None:
    override = PriceOverride("toll", Measure.OUTPUT, Decimal(7), CHANGE, datetime(2026, 12, 1, tzinfo=UTC))
    book = overridden(override)
    assert per_million(book, UsageKind("toll")) == 7
    assert per_million(book, UsageKind("toll"), Measure.UNCACHED_INPUT) == 10
    later = datetime(2026, 12, 1, tzinfo=UTC)
    assert priced(book.unit_price(UsageKind("toll"), Measure.OUTPUT, later), 1_000_000) == Money.of("10")


def test_batch_and_us_factors_apply_to_an_override_and_the_later_override_wins() -> None:
    book = overridden(*(PriceOverride("toll", Measure.OUTPUT, Decimal(usd), CHANGE) for usd in ("7", "8")))
    assert per_million(book, UsageKind("toll", service_tier="batch", inference_geo="us")) == Decimal("4.4")
    assert per_million(book, UsageKind("toll", speed="fast")) == 20


def test_an_override_prices_a_model_that_the_list_does_not_know() -> None:
    book = overridden(PriceOverride("claude-next-1", Measure.OUTPUT, Decimal(3), CHANGE))
    assert per_million(book, UsageKind("claude-next-1-20261101")) == 3
    assert per_million(book, UsageKind("claude-next-1"), Measure.CACHE_READ) is None


def test_a_rate_hidden_from_the_reports_is_estimated_at_its_low_end() -> None:
    assert per_million(BOOK, UsageKind("short", service_tier="batch")) == Decimal(5)


def test_an_amount_finer_than_twelve_places_is_rounded_half_even() -> None:
    override = PriceOverride("toll", Measure.OUTPUT, Decimal("0.0000005"), CHANGE)
    book = overridden(override)
    assert priced(book.unit_price(UsageKind("toll"), Measure.OUTPUT, NOW), 1) == Money.of("0")
    assert priced(book.unit_price(UsageKind("toll"), Measure.OUTPUT, NOW), 3) == Money.of("0.000000000002")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("claude-haiku-5-5@20260901", "claude-haiku-5-5"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku"),
        ("claude-opus-4-10", "claude-opus-4-10"),
    ],
)
def test_a_snapshot_date_does_not_make_another_model(given: str, expected: str) -> None:
    assert canonical_model(given) == expected


def test_what_applies_says_since_when_and_whose_it_is() -> None:
    mine = PriceOverride("toll", Measure.OUTPUT, Decimal(7), CHANGE, per=1_000)
    book = overridden(mine)
    before = CHANGE - timedelta(days=1)
    assert book.applied("toll-20260101", Measure.OUTPUT, NOW) == AppliedPrice(Decimal(7), 1_000, CHANGE, None, mine)
    assert book.applied("toll", Measure.CACHE_READ, NOW) == AppliedPrice(Decimal(10), 1_000_000, CHANGE)
    assert book.applied("toll", Measure.OUTPUT, before) == AppliedPrice(Decimal(40), 1_000_000, None, CHANGE)
    assert book.applied("nobody's", Measure.OUTPUT, NOW) is None
