"""Prices of tokens: effective-dated list prices, the vendor's modifiers and the operator's overrides.

Only the report's own dimensions choose a rate. A bucket of a million tokens says nothing about how long
each prompt was, so the long-context rate applies when `context_window` says so, and never by quantity.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from service.domain.values.money import Money

MILLION = Decimal(1_000_000)
LONG_CONTEXT = "200k-1M"
BATCH_FACTOR = Decimal("0.5")  # of every token rate, cache included; fast mode is not sold in batches
US_FACTOR = Decimal("1.1")  # inference_geo "us", models 4.6 and newer
WEB_SEARCH_USD = Decimal("0.01")  # $10 a thousand, whatever the model

_SNAPSHOT_SUFFIX = re.compile(r"([-@]\d{8}|-latest)$")


class Measure(StrEnum):
    """The measures that are counted and priced; the values are the cost report's `token_type` names."""

    UNCACHED_INPUT = "uncached_input_tokens"
    OUTPUT = "output_tokens"
    CACHE_READ = "cache_read_input_tokens"
    CACHE_WRITE_5M = "cache_creation.ephemeral_5m_input_tokens"
    CACHE_WRITE_1H = "cache_creation.ephemeral_1h_input_tokens"
    WEB_SEARCH = "web_search_requests"


Rates = Mapping[Measure, Decimal]
"""US dollars per million tokens, by token measure."""


@dataclass(frozen=True, slots=True)
class UsageKind:
    """The properties of usage that decide a unit price besides the measure. An empty string means not known."""

    model: str
    service_tier: str = ""
    context_window: str = ""
    inference_geo: str = ""
    speed: str = "standard"


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """One model's list prices from `valid_from` up to, not including, `valid_to` (None: open).

    `long_prompt_rates` are charged beyond a prompt length that no dimension of the reports shows
    (Claude Haiku 5.5 above 100,000 tokens): they are charged for certain only in the "200k-1M" window,
    where every prompt is beyond it.
    """

    model: str
    rates: Rates
    long_context_rates: Rates | None = None
    fast_rates: Rates | None = None
    long_prompt_rates: Rates | None = None
    us_factor: Decimal = Decimal(1)
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def rates_for(self, kind: UsageKind) -> Rates | None:
        """The rates before modifiers; None where the vendor lists none (fast mode of most models)."""
        if kind.speed == "fast":
            return self.fast_rates
        if kind.context_window == LONG_CONTEXT:
            return self.long_context_rates or self.long_prompt_rates or self.rates
        return self.rates


@dataclass(frozen=True, slots=True)
class PriceOverride:
    """The operator's own rate: `usd` for every `per` tokens (or searches) of a model, for a span of time.

    It takes the place of the list rate at standard speed, long context included; batch and US factors
    still apply to it. It also prices a model the list does not know.
    """

    model: str
    measure: Measure
    usd: Decimal
    valid_from: datetime
    valid_to: datetime | None = None
    per: int = 1_000_000


@dataclass(frozen=True, slots=True)
class AppliedPrice:
    """The price of a measure at standard speed, before the batch and US factors: `usd` for every `per` tokens (or
    searches), from `since` up to, not including, `until` (None: open). `override` is None for a list price.
    """

    usd: Decimal
    per: int
    since: datetime | None = None
    until: datetime | None = None
    override: PriceOverride | None = None


@dataclass(frozen=True)
class PriceBook:
    """Every price known, by model and date. Unknown is None, never zero."""

    prices: tuple[ModelPrice, ...]
    overrides: tuple[PriceOverride, ...] = ()
    _by_model: dict[str, list[ModelPrice]] = field(init=False, repr=False, compare=False)
    _by_override: dict[tuple[str, Measure], list[PriceOverride]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_model: dict[str, list[ModelPrice]] = {}
        for price in self.prices:
            by_model.setdefault(canonical_model(price.model), []).append(price)
        by_override: dict[tuple[str, Measure], list[PriceOverride]] = {}
        for override in self.overrides:
            by_override.setdefault((canonical_model(override.model), override.measure), []).append(override)
        object.__setattr__(self, "_by_model", by_model)
        object.__setattr__(self, "_by_override", by_override)

    @property
    def fingerprint(self) -> str:
        """Identifies these prices: books that differ in any price or date have different ones."""
        return hashlib.sha256(repr((self.prices, self.overrides)).encode()).hexdigest()

    def unit_price(self, kind: UsageKind, measure: Measure, at: datetime) -> Decimal | None:
        """US dollars per token (or per web search) at an instant; None when unpriced."""
        override = self._override(kind.model, measure, at)
        if measure is Measure.WEB_SEARCH:
            return override.usd / override.per if override else WEB_SEARCH_USD
        listed = self._listed(kind.model, at)
        if override and kind.speed != "fast":
            us_factor = listed.us_factor if listed else US_FACTOR
            return override.usd / override.per * _factor(kind, us_factor)
        rates = listed.rates_for(kind) if listed else None
        if listed is None or rates is None:
            return None
        return rates[measure] / MILLION * _factor(kind, listed.us_factor)

    def unit_prices(self, kind: UsageKind, at: datetime) -> dict[Measure, Decimal | None]:
        """The unit price of every measure at an instant."""
        return {measure: self.unit_price(kind, measure, at) for measure in Measure}

    def applied(self, model: str, measure: Measure, at: datetime) -> AppliedPrice | None:
        """Returns the price that holds at an instant; None when unpriced."""
        own = self._override(model, measure, at)
        if own is not None:
            return AppliedPrice(own.usd, own.per, own.valid_from, own.valid_to, own)
        if measure is Measure.WEB_SEARCH:
            return AppliedPrice(WEB_SEARCH_USD, 1)
        listed = self._listed(model, at)
        return AppliedPrice(listed.rates[measure], int(MILLION), listed.valid_from, listed.valid_to) if listed else None

    def _listed(self, model: str, at: datetime) -> ModelPrice | None:
        candidates = self._by_model.get(canonical_model(model), ())
        return next((price for price in candidates if _holds(price.valid_from, price.valid_to, at)), None)

    def _override(self, model: str, measure: Measure, at: datetime) -> PriceOverride | None:
        candidates = self._by_override.get((canonical_model(model), measure), [])
        return next((one for one in reversed(candidates) if _holds(one.valid_from, one.valid_to, at)), None)


def priced(unit: Decimal | None, quantity: int) -> Money | None:
    """The price of a quantity, half-even to twelve places; None when unpriced.

    Priority Tier tokens cost the same as standard ones here: the estimate has to show them,
    although the bill never does.
    """
    return None if unit is None else Money.rounded(unit * quantity)


@lru_cache(maxsize=1024)
def canonical_model(model: str) -> str:
    """The model's name without its snapshot date: "claude-sonnet-4-5-20250929" is "claude-sonnet-4-5".

    Nothing looser: a prefix match would price a future claude-opus-4-10 as claude-opus-4-1.
    """
    return _SNAPSHOT_SUFFIX.sub("", model.strip().lower())


def _factor(kind: UsageKind, us_factor: Decimal) -> Decimal:
    batch = BATCH_FACTOR if kind.service_tier == "batch" and kind.speed != "fast" else Decimal(1)
    return batch * (us_factor if kind.inference_geo == "us" else Decimal(1))


def _holds(valid_from: datetime | None, valid_to: datetime | None, at: datetime) -> bool:
    return (valid_from is None or valid_from <= at) and (valid_to is None or at < valid_to)
