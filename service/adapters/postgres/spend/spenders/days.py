"""Spend by who made the calls and through what: the bill's own series, laid over the spend by day and cell.

Nothing of it is stored beside the series: who takes the actors out of these has taken them out of all answers.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    Text,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import array

from service.adapters.postgres.spend.bill_and_usage import day_of
from service.adapters.postgres.spend.tables import AMOUNTS, CELL, cost_points, series, spend_days
from service.domain.values.scopes import SPENDER_DIMENSIONS
from service.domain.values.utc import utc_day

SPENDER = tuple(dimension.value for dimension in SPENDER_DIMENSIONS)
_PLACE = ("source_id", "day", *CELL)


def spender_days(source_ids: Collection[str], first: date, end: date) -> Subquery:
    """The days from `first` up to, not including, `end`: shaped like `spend_days`, each cell's by actor and product.

    What the bill names is billed. The rest of a cell's spend has neither: it is estimated, or of the Admin reports. The
    two add up to the cell's spend exactly. Tokens are known by cell alone.
    """
    told = billed_by_spender(cost_points, source_ids, first, end).cte("told")
    return union_all(_billed(told), _rest(told, source_ids, first, end)).subquery("spender_days")


def billed_by_spender(points: FromClause, source_ids: Collection[str], first: date, end: date) -> Select[Any]:
    """Amounts by day, cell, actor and product, as far as the bill names them. `points`: cost by bucket and series."""
    spender = [func.coalesce(series.c.extra[name].astext, "").label(name) for name in SPENDER]
    place = [points.c.source_id, day_of(points).label("day"), *(series.c[name] for name in CELL), *spender]
    return (
        select(*place, func.sum(points.c.amount).label("amount"))
        .join_from(points, series, series.c.id == points.c.series_id)
        .where(
            points.c.source_id.in_(source_ids),
            points.c.bucket >= utc_day(first).start,
            points.c.bucket < utc_day(end).start,
            series.c.extra.has_any(array(SPENDER)),
        )
        .group_by(*place)
    )


def _billed(told: CTE) -> Select[Any]:
    amounts = (told.c.amount.label(name) if name == "billed" else literal(0).label(name) for name in AMOUNTS)
    return select(*(told.c[name] for name in (*_PLACE, *SPENDER)), *amounts)


def _rest(told: CTE, source_ids: Collection[str], first: date, end: date) -> Select[Any]:
    """Summed, not joined: a month that was just read has no statistics, and each day would look at all others."""
    days = spend_days.c
    stored = select(*(days[name] for name in (*_PLACE, *AMOUNTS))).where(
        days.source_id.in_(source_ids), days.day >= first, days.day < end
    )
    less = (-told.c.amount if name == "billed" else literal(0) for name in AMOUNTS)
    parts = union_all(stored, select(*(told.c[name] for name in _PLACE), *less)).subquery()
    place = [parts.c[name] for name in _PLACE]
    left = select(*place, *(func.sum(parts.c[name]).label(name) for name in AMOUNTS)).group_by(*place).subquery().c
    amounts: dict[str, ColumnElement[Any]] = {name: left[name] for name in AMOUNTS}
    amounts |= {"billed": func.greatest(left.billed, 0), "estimated": left.estimated + func.least(left.billed, 0)}
    nobody = (cast(literal(""), Text).label(name) for name in SPENDER)
    return select(*(left[name] for name in _PLACE), *nobody, *(one.label(name) for name, one in amounts.items()))
