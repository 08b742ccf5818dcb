"""The rows of reports that the spend of a window of whole days was made of, and what was made of them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import CTE, ColumnElement, FromClause, Numeric, Select, and_, case, cast, func, literal, or_, select

from service.adapters.postgres.spend.bill_and_usage import between, day_of
from service.adapters.postgres.spend.tables import CELL, cost_points, series, spend_days, usage_hours
from service.domain.sources.pricing import Measure
from service.domain.spend.day_split import first_day_from
from service.domain.spend.questions import SpendQuestion
from service.domain.spend.rows import PRIORITY_TIER, TOKEN_COST
from service.domain.values.utc import midnight

PARTS = ("cost_type", "token_type", "service_tier", "context_window", "inference_geo")
SUMS = ("billed", "estimated", "unpriced_tokens", "priority")
KEY, PLACE = ("day", "workspace", "model"), "place"
"""The columns of a place, for each of which either the bill or usage was chosen, and its key in one column."""

NOTHING = cast(literal(Decimal(0)), Numeric)


@dataclass(frozen=True, slots=True)
class LineSources:
    """`stored` is best-known spend by day and cell, `bill` and `used` the rows behind it, by day.

    `places` has a row for each day, workspace and model: `by_usage` where its token spend is an estimate, `named` where
    the bill names keys, and the billed token cost.
    """

    stored: CTE
    bill: CTE
    used: CTE
    places: CTE


def line_sources(question: SpendQuestion) -> LineSources:
    stored, bill = _stored(question), _bill(question)
    return LineSources(stored, bill, _used(question), _places(stored, bill))


def _stored(question: SpendQuestion) -> CTE:
    columns = spend_days.c
    first, end = first_day_from(question.window.start), first_day_from(question.window.end)
    kept = [columns.day, *(columns[name] for name in (*CELL, *SUMS)), (columns.usage_cost > 0).label("has_usage")]
    days = columns.source_id == question.source_id, columns.day >= first, columns.day < end
    return _with_place(select(*kept).where(*days)).cte("stored")


def _bill(question: SpendQuestion) -> CTE:
    """Billed dollars by day, cell and parts of a line."""
    first, end = first_day_from(question.window.start), first_day_from(question.window.end)
    place = (day_of(cost_points).label("day"), *(series.c[name] for name in (*CELL, *PARTS)))
    points = cost_points.c
    return _with_place(
        select(*place, func.sum(points.amount).label("amount"))
        .join_from(cost_points, series, series.c.id == points.series_id)
        .where(
            points.source_id == question.source_id,
            points.bucket >= midnight(first),
            points.bucket < midnight(end),
        )
        .group_by(*place)
    ).cte("bill")


def _with_place(rows: Select[Any]) -> Select[Any]:
    """The key in one column: the planner takes conditions on three for a thousandth of the rows that they let pass."""
    found = rows.subquery()
    return select(*found.c, func.row(*(found.c[name] for name in KEY)).label(PLACE))


def _used(question: SpendQuestion) -> CTE:
    """Priced usage by day, cell and parts of a line, web searches left out: see `usage_by`."""
    return _with_place(usage_lines(question, day_of(usage_hours))).cte("used")


def usage_lines(question: SpendQuestion, time: ColumnElement[Any]) -> Select[Any]:
    """Time (`day`), cell and parts, with the cost of spend and of the Priority Tier, and unpriced tokens.

    Summed by series before the dimensions are joined: their texts are many times as wide as a fact.
    """
    facts = (
        select(
            time.label("day"),
            usage_hours.c.series_id,
            func.sum(usage_hours.c.cost).label("cost"),
            func.sum(usage_hours.c.quantity).filter(usage_hours.c.cost.is_(None)).label("unpriced"),
        )
        .where(*between(question.window, question.source_id))
        .group_by("day", usage_hours.c.series_id)
        .subquery()
    )
    cost = func.coalesce(facts.c.cost, 0)
    is_priority = series.c.service_tier == PRIORITY_TIER
    kept = {name: series.c[name] for name in (*CELL, *PARTS)} | {"cost_type": literal(TOKEN_COST)}
    return (
        select(
            facts.c.day,
            *(column.label(name) for name, column in kept.items()),
            case((is_priority, NOTHING), else_=cost).label("cost"),
            case((is_priority, cost), else_=NOTHING).label("priority"),
            func.coalesce(facts.c.unpriced, 0).label("unpriced"),
        )
        .join_from(facts, series, series.c.id == facts.c.series_id)
        .where(series.c.token_type != Measure.WEB_SEARCH.value)
    )


def _places(stored: CTE, bill: CTE) -> CTE:
    """`best_known` chose usage exactly where some of a place's spend is estimated."""
    chosen = (
        select(stored.c.place, (func.sum(stored.c.estimated) != 0).label("by_usage"))
        .group_by(stored.c.place)
        .subquery()
    )
    billed = (
        select(
            bill.c.place,
            func.bool_or(bill.c.api_key != "").label("named"),
            func.sum(bill.c.amount).filter(bill.c.cost_type == TOKEN_COST).label("tokens"),
        )
        .group_by(bill.c.place)
        .subquery()
    )
    return (
        select(
            chosen.c.place,
            chosen.c.by_usage,
            func.coalesce(billed.c.named, False).label("named"),
            func.coalesce(billed.c.tokens, 0).label("tokens"),
        )
        .join_from(chosen, billed, at_place(chosen, billed), isouter=True)
        .cte("places")
    )


def at_place(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    """Whether rows are of the same day, workspace and model."""
    is_same: ColumnElement[bool] = one.c[PLACE] == other.c[PLACE]
    return is_same


def is_owned(found: LineSources) -> ColumnElement[bool]:
    """Whether a row of the bill counts as it stands: usage has taken the place of billed tokens elsewhere."""
    return or_(found.bill.c.cost_type != TOKEN_COST, ~found.places.c.by_usage)


def is_shared_line(found: LineSources) -> ColumnElement[bool]:
    """Whether a row of the bill is divided among keys: tokens of a place whose bill names none."""
    return and_(found.bill.c.cost_type == TOKEN_COST, is_shared_place(found))


def is_shared_place(found: LineSources) -> ColumnElement[bool]:
    places = found.places.c
    return and_(~places.by_usage, ~places.named, places.tokens != 0)
