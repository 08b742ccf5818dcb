"""Usage as facts: each measure of each row at the price of its bucket's own time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from service.domain.sources.pricing import Measure, PriceBook, UsageKind, priced
from service.domain.spend.rows import Bucket, Dimensions, UsageFact, UsageRow

_ByMeasure = Mapping[Measure, Dimensions]


async def price_usage(buckets: Sequence[Bucket[UsageRow]], prices: PriceBook) -> list[Bucket[UsageFact]]:
    """The facts of every bucket. Usage of an unknown model stays unpriced."""
    series: dict[Dimensions, _ByMeasure] = {}
    facts = []
    for bucket in buckets:
        facts.append(Bucket(bucket.window, tuple(_facts(bucket, prices, series))))
        await asyncio.sleep(0)  # a long report takes seconds: heartbeats and the deadline go on
    return facts


def _facts(bucket: Bucket[UsageRow], prices: PriceBook, series: dict[Dimensions, _ByMeasure]) -> Iterator[UsageFact]:
    """A series and a kind of usage come in many rows: each is looked up once, which is most of the work."""
    units: dict[UsageKind, Mapping[Measure, Decimal | None]] = {}
    for row in bucket.rows:
        seen = row.dimensions
        by_measure = series.get(seen)
        if by_measure is None:
            by_measure = series[seen] = {measure: replace(seen, token_type=measure.value) for measure in Measure}
        kind = UsageKind(seen.model, seen.service_tier, seen.context_window, seen.inference_geo)
        unit = units.get(kind)
        if unit is None:
            unit = units[kind] = prices.unit_prices(kind, bucket.window.start)
        for measure, quantity in row.quantities.items():
            if quantity:
                yield UsageFact(by_measure[measure], quantity, priced(unit[measure], quantity))
