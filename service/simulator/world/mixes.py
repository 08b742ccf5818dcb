"""From dollars to tokens: how a day's money divides into kinds of tokens, for several kinds of work."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from service.domain.sources.pricing import Measure, PriceBook
from service.simulator.world.billing import TOKEN_FIELDS, kind_of
from service.simulator.world.records import Quantities, Stream

Mix = Mapping[Measure, Decimal]
"""The share of the money that each kind of token takes; shares add up to one."""


def _mix(uncached: str, output: str, read: str, write_5m: str, write_1h: str) -> Mix:
    shares = (uncached, output, read, write_5m, write_1h)
    return dict(zip(TOKEN_FIELDS, map(Decimal, shares), strict=True))


CHAT = _mix("0.30", "0.45", "0.12", "0.13", "0")
AGENT = _mix("0.10", "0.35", "0.35", "0.15", "0.05")
BULK = _mix("0.55", "0.45", "0", "0", "0")


def tokens_worth(usd: Decimal, mix: Mix, stream: Stream, prices: PriceBook, at: datetime) -> Quantities:
    """The whole tokens that so many dollars buy. Raises ValueError for a model without a price."""
    counts: dict[str, int] = {}
    for measure, name in TOKEN_FIELDS.items():
        unit = prices.unit_price(kind_of(stream), measure, at)
        if unit is None:
            raise ValueError(f"no price for {stream.model}")
        counts[name] = int(usd * mix[measure] / unit)
    return Quantities(**counts)
