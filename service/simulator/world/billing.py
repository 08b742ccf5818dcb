"""From usage to a bill: tokens times the list price, in cents, exact."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from service.domain.sources.pricing import Measure, PriceBook, UsageKind, canonical_model
from service.simulator.world.records import Charge, CostLine, Quantities, Stream, Usage

FREE_EXECUTION_CENTIHOURS = 155_000  # 1,550 container-hours a calendar month and organisation
_EXECUTION_CENTS = Decimal("0.05")  # a hundredth of an hour at $0.05 an hour
_SESSION_CENTS = Decimal("0.08")
_CENTS = Decimal(100)

TOKEN_FIELDS = {
    Measure.UNCACHED_INPUT: "uncached_input",
    Measure.OUTPUT: "output",
    Measure.CACHE_READ: "cache_read",
    Measure.CACHE_WRITE_5M: "cache_write_5m",
    Measure.CACHE_WRITE_1H: "cache_write_1h",
}
_WORDS = {
    Measure.UNCACHED_INPUT: "Input Tokens",
    Measure.OUTPUT: "Output Tokens",
    Measure.CACHE_READ: "Input Tokens, Cache Hit",
    Measure.CACHE_WRITE_5M: "Input Tokens, Cache Write",
    Measure.CACHE_WRITE_1H: "Input Tokens, Cache Write",
}
_OTHERS = {
    "web_search": "Web Search Usage",
    "code_execution": "Code Execution Usage",
    "session_usage": "Managed Agents Session Usage",
}


def kind_of(stream: Stream) -> UsageKind:
    """The dimensions of a stream that decide its price."""
    return UsageKind(stream.model, stream.service_tier, stream.context_window, stream.inference_geo, stream.speed)


def bill(usage: Iterable[Usage], at: datetime, prices: PriceBook, free_centihours: int) -> list[CostLine]:
    """The lines of one day's bill, one for each distinct set of dimensions; nothing costs nothing.

    `free_centihours` is what is left of the month's free container time. Priority Tier tokens are paid
    for by commitment and never billed here; a model without a price is left out.
    """
    totals: dict[CostLine, Decimal] = {}
    for charge in charges(usage, at, prices, free_centihours):
        key = _line(charge)
        totals[key] = totals.get(key, Decimal(0)) + charge.amount
    return [replace(key, amount=amount) for key, amount in totals.items() if amount]


def charges(usage: Iterable[Usage], at: datetime, prices: PriceBook, free_centihours: int) -> Iterator[Charge]:
    """The charges for each kind of each stream's usage, at the prices of `at`."""
    for each in usage:
        stream, counts = each.stream, each.quantities
        if stream.service_tier != "priority":
            yield from _token_charges(stream, counts, at, prices)
        searches = prices.unit_price(kind_of(stream), Measure.WEB_SEARCH, at) or Decimal(0)
        yield _charge(stream, "web_search", searches * _CENTS * counts.web_searches)
        charged = max(0, counts.execution_centihours - free_centihours)
        free_centihours = max(0, free_centihours - counts.execution_centihours)
        yield _charge(stream, "code_execution", _EXECUTION_CENTS * charged)
        yield _charge(stream, "session_usage", _SESSION_CENTS * counts.session_centihours)


def _token_charges(stream: Stream, counts: Quantities, at: datetime, prices: PriceBook) -> Iterator[Charge]:
    for measure, name in TOKEN_FIELDS.items():
        unit = prices.unit_price(kind_of(stream), measure, at)
        if unit is not None:
            yield _charge(stream, "tokens", unit * _CENTS * int(getattr(counts, name)), measure.value)


def _charge(stream: Stream, cost_type: str, cents: Decimal, token_type: str | None = None) -> Charge:
    return Charge(stream, cost_type, cents, cents, token_type)


def _line(charge: Charge) -> CostLine:
    """The line of the bill that a charge belongs to, without its amount."""
    stream = charge.stream
    if charge.token_type is None:
        return CostLine(stream.workspace_id, _OTHERS[charge.cost_type], charge.cost_type, Decimal(0))
    return CostLine(
        workspace_id=stream.workspace_id,
        description=f"{display_name(stream.model)} Usage - {_WORDS[Measure(charge.token_type)]}",
        cost_type=charge.cost_type,
        amount=Decimal(0),
        model=stream.model,
        token_type=charge.token_type,
        service_tier=stream.service_tier,
        context_window=stream.context_window,
        inference_geo=stream.inference_geo,
    )


def display_name(model: str) -> str:
    """ "claude-3-5-haiku-20241022" and "claude-haiku-3-5" are both "Claude Haiku 3.5"."""
    words = canonical_model(model).removeprefix("claude-").split("-")
    family = " ".join(word.capitalize() for word in words if not re.fullmatch(r"\d+", word))
    version = ".".join(word for word in words if re.fullmatch(r"\d+", word))
    return " ".join(part for part in ("Claude", family, version) if part)
