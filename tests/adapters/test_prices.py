"""The list prices against a table copied by hand from the vendor's price page (US dollars a million)."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest

from service.adapters.prices import list_price_book, list_prices
from service.domain.sources.pricing import Measure, PriceBook, UsageKind, priced
from service.domain.values.money import Money

NOW = datetime(2026, 11, 21, tzinfo=UTC)
TOKENS: list[Measure] = [measure for measure in Measure if measure is not Measure.WEB_SEARCH]
TABLE = {  # in the order of TOKENS: input, output, cache read, 5-minute write, 1-hour write
    "claude-fable-5-2": ("8", "40", "0.20", "10", "16"),
    "claude-mythos-5-2": ("8", "40", "0.20", "10", "16"),
    "claude-fable-5-1": ("10", "50", "0.25", "12.5", "20"),
    "claude-mythos-5-1": ("10", "50", "0.25", "12.5", "20"),
    "claude-fable-5": ("10", "50", "1.00", "12.5", "20"),
    "claude-mythos-5": ("10", "50", "1.00", "12.5", "20"),
    "claude-opus-5-5": ("4", "20", "0.20", "5", "8"),
    "claude-opus-5": ("5", "25", "0.50", "6.25", "10"),
    "claude-opus-4-8": ("5", "25", "0.50", "6.25", "10"),
    "claude-opus-4-7": ("5", "25", "0.50", "6.25", "10"),
    "claude-opus-4-6": ("5", "25", "0.50", "6.25", "10"),
    "claude-opus-4-5": ("5", "25", "0.50", "6.25", "10"),
    "claude-opus-4-1": ("15", "75", "1.50", "18.75", "30"),
    "claude-opus-4": ("15", "75", "1.50", "18.75", "30"),
    "claude-sonnet-5-5": ("2", "10", "0.10", "2.5", "4"),
    "claude-sonnet-5": ("2", "10", "0.20", "2.5", "4"),
    "claude-sonnet-4-6": ("3", "15", "0.30", "3.75", "6"),
    "claude-sonnet-4-5": ("3", "15", "0.30", "3.75", "6"),
    "claude-haiku-5-5": ("0.10", "0.50", "0.01", "0.125", "0.20"),
    "claude-haiku-4-5": ("1", "5", "0.10", "1.25", "2"),
    "claude-3-5-haiku": ("0.80", "4", "0.08", "1", "1.60"),
}
FAST = {
    "claude-fable-5-2": ("16", "80", "0.40", "20", "32"),
    "claude-opus-5-5": ("8", "40", "0.40", "10", "16"),
    "claude-opus-5": ("10", "50", "1.00", "12.5", "20"),
    "claude-opus-4-8": ("10", "50", "1.00", "12.5", "20"),
}


@pytest.fixture(scope="module")
def book() -> PriceBook:
    return list_price_book()


def million(book: PriceBook, kind: UsageKind, measure: Measure, at: datetime = NOW) -> Money | None:
    return priced(book.unit_price(kind, measure, at), 1_000_000)


@pytest.mark.parametrize("model", TABLE)
def test_every_listed_rate_is_the_price_page_s(book: PriceBook, model: str) -> None:
    found = [million(book, UsageKind(model), measure) for measure in TOKENS]
    assert found == [Money.of(usd) for usd in TABLE[model]]


@pytest.mark.parametrize("model", FAST)
def test_fast_mode_replaces_every_rate(book: PriceBook, model: str) -> None:
    found = [million(book, UsageKind(model, speed="fast"), measure) for measure in TOKENS]
    assert found == [Money.of(usd) for usd in FAST[model]]


@pytest.mark.parametrize("model", TABLE)
def test_batch_halves_every_rate_of_every_model(book: PriceBook, model: str) -> None:
    batch = UsageKind(model, service_tier="batch")
    found = [million(book, batch, measure) for measure in TOKENS]
    assert found == [Money.rounded(Decimal(usd) / 2) for usd in TABLE[model]]


@pytest.mark.parametrize(
    ("model", "factor"),
    [
        ("claude-opus-4-6", "1.1"),
        ("claude-haiku-5-5", "1.1"),
        ("claude-fable-5-2", "1.1"),
        ("claude-sonnet-4-5", "1"),
        ("claude-haiku-4-5", "1"),
        ("claude-opus-4-1", "1"),
    ],
)
def test_us_inference_costs_more_from_the_4_6_models_on(book: PriceBook, model: str, factor: str) -> None:
    found = million(book, UsageKind(model, inference_geo="us"), Measure.OUTPUT)
    assert found == Money.of(TABLE[model][1]) * Decimal(factor)


def test_the_amount_of_a_real_invoice_line_is_its_tokens_times_the_rate(book: PriceBook) -> None:
    kind = UsageKind("claude-sonnet-4-5-20250929", "standard", "0-200k", "not_available")
    at = datetime(2025, 10, 16, tzinfo=UTC)
    found = priced(book.unit_price(kind, Measure.CACHE_WRITE_5M, at), 2_070_021)
    assert found == Money.of("7.76257875")


def test_a_large_bucket_of_short_prompts_is_not_charged_at_the_long_context_rate(book: PriceBook) -> None:
    kind = UsageKind("claude-sonnet-4-5", context_window="0-200k")
    assert priced(book.unit_price(kind, Measure.UNCACHED_INPUT, NOW), 1_000_000_000) == Money.of("3000")
    haiku = UsageKind("claude-haiku-5-5", context_window="0-200k")
    assert priced(book.unit_price(haiku, Measure.OUTPUT, NOW), 1_000_000_000) == Money.of("500")


@pytest.mark.parametrize(
    ("model", "cheap", "dear"), [("claude-opus-4-6", "25", "37.5"), ("claude-sonnet-4-6", "15", "22.5")]
)
def test_the_long_context_premium_of_the_4_6_models_ended_on_12_march(
    book: PriceBook, model: str, cheap: str, dear: str
) -> None:
    kind = UsageKind(model, context_window="200k-1M")
    last = datetime(2026, 3, 12, 23, 59, tzinfo=UTC)
    assert million(book, kind, Measure.OUTPUT, last) == Money.of(dear)
    assert million(book, kind, Measure.OUTPUT, datetime(2026, 3, 13, tzinfo=UTC)) == Money.of(cheap)
    assert million(book, UsageKind(model), Measure.OUTPUT, last) == Money.of(cheap)


def test_sonnet_5_5_cache_reads_were_halved_on_7_october(book: PriceBook) -> None:
    kind = UsageKind("claude-sonnet-5-5")
    before = datetime(2026, 10, 6, 23, 59, tzinfo=UTC)
    assert million(book, kind, Measure.CACHE_READ, before) == Money.of("0.20")
    assert million(book, kind, Measure.CACHE_READ, datetime(2026, 10, 7, tzinfo=UTC)) == Money.of("0.10")
    assert million(book, kind, Measure.OUTPUT, before) == Money.of("10")


def test_haiku_5_5_is_priced_at_its_low_rate_because_prompt_length_is_not_reported(book: PriceBook) -> None:
    assert million(book, UsageKind("claude-haiku-5-5"), Measure.UNCACHED_INPUT) == Money.of("0.10")
    long = UsageKind("claude-haiku-5-5", context_window="200k-1M")
    assert million(book, long, Measure.UNCACHED_INPUT) == Money.of("0.50")


def test_a_model_that_is_not_listed_is_not_priced_like_its_neighbour(book: PriceBook) -> None:
    assert million(book, UsageKind("claude-opus-4-10"), Measure.OUTPUT) is None
    assert million(book, UsageKind("claude-opus-9"), Measure.OUTPUT) is None


def test_at_most_one_listed_price_holds_at_any_instant() -> None:
    spans: dict[str, list[tuple[datetime, datetime]]] = {}
    lowest, highest = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    for price in list_prices():
        spans.setdefault(price.model, []).append((price.valid_from or lowest, price.valid_to or highest))
    for found in spans.values():
        ordered = sorted(found)
        assert all(one[1] <= after[0] for one, after in pairwise(ordered))
