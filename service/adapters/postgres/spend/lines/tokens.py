"""Tokens by cell in the hours of a window."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.bill_and_usage import between
from service.adapters.postgres.spend.tables import CELL, held_by, series, usage_hours
from service.domain.sources.pricing import Measure
from service.domain.spend.questions import SpendQuestion
from service.domain.spend.rows import PRIORITY_TIER
from service.domain.spend.tokens import TokenCounts
from service.domain.values.money import Money
from service.domain.values.scopes import Cell

_COUNTED = (
    Measure.UNCACHED_INPUT,
    Measure.CACHE_READ,
    Measure.CACHE_WRITE_5M,
    Measure.CACHE_WRITE_1H,
    Measure.OUTPUT,
)
"""In the order of TokenCounts."""


async def tokens_in(connection: AsyncConnection, question: SpendQuestion, tier: str | None) -> dict[Cell, TokenCounts]:
    """Tokens in the hours that begin in the window, whatever the question groups by. `tier`: of this one alone."""
    of_tier = [series.c.service_tier == tier] if tier is not None else []
    place = [series.c[name] for name in CELL]
    rows = await connection.execute(
        select(*place, *_counts())
        .join_from(usage_hours, series, series.c.id == usage_hours.c.series_id)
        .where(*between(question.window, question.source_id), *held_by(question.scope, series), *of_tier)
        .group_by(*place)
    )
    return {Cell(*row[: len(CELL)]): _counted(*row[len(CELL) :]) for row in rows}


def _counted(*row: Decimal | None) -> TokenCounts:
    *counts, estimate = row
    uncached, read, written_5m, written_1h, output, priority, unpriced, searches = (int(one or 0) for one in counts)
    return TokenCounts(
        uncached, read, written_5m, written_1h, output, priority, unpriced, searches, Money(estimate or Decimal(0))
    )


def _counts() -> list[ColumnElement[Any]]:
    """The fields of TokenCounts, in their order."""
    quantity, way = func.sum(usage_hours.c.quantity), series.c.token_type
    is_priority, is_search = series.c.service_tier == PRIORITY_TIER, way == Measure.WEB_SEARCH.value
    return [
        *(quantity.filter(~is_priority, way == measure.value) for measure in _COUNTED),
        quantity.filter(is_priority, ~is_search),
        quantity.filter(usage_hours.c.cost.is_(None), ~is_search),
        quantity.filter(is_search),
        func.sum(usage_hours.c.cost).filter(is_priority, ~is_search),
    ]
