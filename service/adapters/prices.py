"""List prices of the Claude models: the rates of `genai-prices`, and what that data set leaves out.

Only its *rates* are read. Its own price computation picks a tier by the size of one request and would
charge an aggregated bucket at the long-prompt rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal

from genai_prices import types as genai
from genai_prices.data_snapshot import get_snapshot

from service.domain.sources.pricing import (
    US_FACTOR,
    Measure,
    ModelPrice,
    PriceBook,
    PriceOverride,
    Rates,
    canonical_model,
)

_FIELDS = {
    Measure.UNCACHED_INPUT: "input_mtok",
    Measure.OUTPUT: "output_mtok",
    Measure.CACHE_READ: "cache_read_mtok",
    Measure.CACHE_WRITE_5M: "cache_write_mtok",
    Measure.CACHE_WRITE_1H: "cache_write_1h_mtok",
}
# Multiples of the input rate for a cache rate the data set does not give (prompt-caching price page).
_CACHE_MULTIPLES = {
    Measure.CACHE_READ: Decimal("0.1"),
    Measure.CACHE_WRITE_5M: Decimal("1.25"),
    Measure.CACHE_WRITE_1H: Decimal(2),
}
# Ids that name a model the data set files under another one.
_ALIASES = {
    "claude-opus-4-0": ("claude-opus-4",),
    "claude-sonnet-4-0": ("claude-sonnet-4",),
    "claude-fable-5": ("claude-mythos-5",),
    "claude-fable-5-1": ("claude-mythos-5-1",),
    "claude-fable-5-2": ("claude-mythos-5-2",),
}
_LONG_CONTEXT_START = 200_000  # tiers from here on are the report's "200k-1M" window; others are invisible to it
_WITHOUT_US_PREMIUM = (
    "claude-v", "claude-2", "claude-3-", "claude-opus-4-0", "claude-opus-4-1", "claude-opus-4-5",
    "claude-sonnet-4-0", "claude-sonnet-4-5", "claude-haiku-4-5",
)  # fmt: skip
_SONNET_5_5_CACHE_CUT = datetime(2026, 10, 7, tzinfo=UTC)
_SONNET_5_5_CACHE_READ_BEFORE = Decimal("0.20")


def list_price_book(overrides: tuple[PriceOverride, ...] = ()) -> PriceBook:
    """Today's knowledge of every Claude price, past ones included, under the operator's overrides."""
    return PriceBook(tuple(list_prices()), overrides)


def list_prices() -> Iterator[ModelPrice]:
    """Effective-dated prices of every Claude model known, one entry for each id, alias and span."""
    for provider in get_snapshot().providers:
        if provider.id != "anthropic":
            continue
        listed = {canonical_model(info.id) for info in provider.models}
        for info in provider.models:
            name = canonical_model(info.id)
            names = (name, *(alias for alias in _ALIASES.get(name, ()) if alias not in listed))
            for price in _corrected(_spans(info)):
                yield from (replace(price, model=each) for each in names)


def _spans(info: genai.ModelInfo) -> Iterator[ModelPrice]:
    """The model's price changes as half-open spans; the data set only says when each one starts."""
    if isinstance(info.prices, genai.ModelPrice):
        yield _model_price(info, info.prices, None, None)
        return
    starts = [_start(conditional) for conditional in info.prices]
    for index, conditional in enumerate(info.prices):
        end = starts[index + 1] if index + 1 < len(starts) else None
        yield _model_price(info, conditional.prices, starts[index], end)


def _start(conditional: genai.ConditionalPrice) -> datetime | None:
    constraint = conditional.constraint
    if isinstance(constraint, genai.StartDateConstraint):
        return datetime.combine(constraint.start_date, time(), UTC)
    if constraint is None:
        return None
    raise ValueError(f"a price by the hour of day is not understood: {constraint}")


def _model_price(
    info: genai.ModelInfo, prices: genai.ModelPrice, valid_from: datetime | None, valid_to: datetime | None
) -> ModelPrice:
    name = canonical_model(info.id)
    above, long_rates = _upper_tier(prices)
    return ModelPrice(
        model=name,
        rates=_rates(prices),
        long_context_rates=long_rates if above >= _LONG_CONTEXT_START else None,
        long_prompt_rates=long_rates if above < _LONG_CONTEXT_START else None,
        fast_rates=_fast_rates(info),
        us_factor=Decimal(1) if name.startswith(_WITHOUT_US_PREMIUM) else US_FACTOR,
        valid_from=valid_from,
        valid_to=valid_to,
    )


def _rates(prices: genai.ModelPrice) -> Rates:
    return _with_cache({measure: _base(_field(prices, measure)) for measure in _FIELDS})


def _upper_tier(prices: genai.ModelPrice) -> tuple[int, Rates | None]:
    """Where the more expensive tier starts, in prompt tokens, and its rates; (0, None) for a flat price."""
    tiered = _field(prices, Measure.UNCACHED_INPUT)
    if not isinstance(tiered, genai.TieredPrices) or not tiered.tiers:
        return 0, None
    return tiered.tiers[-1].start, _with_cache({measure: _top(_field(prices, measure)) for measure in _FIELDS})


def _fast_rates(info: genai.ModelInfo) -> Rates | None:
    variants = info.price_variants or []
    return next((_rates(one.prices) for one in variants if one.when == {"speed": "fast"}), None)


def _field(prices: genai.ModelPrice, measure: Measure) -> Decimal | genai.TieredPrices | None:
    value: Decimal | genai.TieredPrices | None = getattr(prices, _FIELDS[measure], None)
    return value


def _base(value: Decimal | genai.TieredPrices | None) -> Decimal | None:
    return value.base if isinstance(value, genai.TieredPrices) else value


def _top(value: Decimal | genai.TieredPrices | None) -> Decimal | None:
    return value.tiers[-1].price if isinstance(value, genai.TieredPrices) else value


def _with_cache(given: dict[Measure, Decimal | None]) -> Rates:
    base = given[Measure.UNCACHED_INPUT]
    if base is None or given[Measure.OUTPUT] is None:
        raise ValueError("a model without an input or an output rate")
    return {measure: base * _CACHE_MULTIPLES[measure] if rate is None else rate for measure, rate in given.items()}


def _corrected(spans: Iterable[ModelPrice]) -> Iterator[ModelPrice]:
    """The spans, with the one past price that the data set does not keep: Sonnet 5.5's earlier cache reads."""
    for price in spans:
        if price.model != "claude-sonnet-5-5" or price.valid_from is not None:
            yield price
            continue
        earlier = {**price.rates, Measure.CACHE_READ: _SONNET_5_5_CACHE_READ_BEFORE}
        yield replace(price, rates=earlier, valid_to=_SONNET_5_5_CACHE_CUT)
        yield replace(price, valid_from=_SONNET_5_5_CACHE_CUT)
