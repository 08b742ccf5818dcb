"""Days as their bill was known by actor and product, which `day_versions` do not tell apart: from the revisions."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.bill_and_usage import day_of
from service.adapters.postgres.spend.spenders.days import SPENDER
from service.adapters.postgres.spend.tables import CELL, revisions, series
from service.domain.spend.best_known import DayVersion, Spend, SpendDay
from service.domain.spend.rows import Width
from service.domain.values.money import ZERO, Money
from service.domain.values.scopes import Cell
from service.domain.values.utc import utc_day

Amounts = dict[int, tuple[Cell, Decimal]]
"""The newest amount of each series."""


async def spender_versions_in(connection: AsyncConnection, source_id: str, first: date, end: date) -> list[DayVersion]:
    """The bill's part of each day that names an actor or product, in the order in which it became known.

    Whether the day was settled is not told: no version is said to be.
    """
    revision = revisions.c
    spender = [func.coalesce(series.c.extra[name].astext, "").label(name) for name in SPENDER]
    rows = await connection.execute(
        select(day_of(revisions), revision.known_at, revision.assumed, revision.series_id, revision.amount)
        .add_columns(*(series.c[name] for name in CELL), *spender)
        .join_from(revisions, series, series.c.id == revision.series_id)
        .where(
            revision.source_id == source_id,
            revision.width == Width.DAY.value,
            revision.bucket >= utc_day(first).start,
            revision.bucket < utc_day(end).start,
            series.c.extra.has_any(array(SPENDER)),
        )
        .order_by(revision.id)
    )
    read = [(known_at.astimezone(UTC).date(), day, *rest) for day, known_at, *rest in rows]
    known: dict[date, Amounts] = defaultdict(dict)
    versions = []
    for (known_on, day), changes in groupby(sorted(read, key=itemgetter(0, 1)), itemgetter(0, 1)):
        assumed = True
        for _, _, is_assumed, series_id, amount, *ids in changes:
            assumed = assumed and is_assumed
            known[day][series_id] = Cell(*ids), amount or Decimal()
        versions.append(DayVersion(day, known_on, assumed, settled=False, cells=_cells(known[day])))
    return versions


def _cells(amounts: Amounts) -> dict[Cell, SpendDay]:
    billed: dict[Cell, Money] = defaultdict(lambda: ZERO)
    for cell, amount in amounts.values():
        billed[cell] += Money(amount)
    return {cell: SpendDay(Spend(spent)) for cell, spent in billed.items() if spent}
