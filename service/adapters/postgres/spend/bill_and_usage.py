"""The stored facts by day: the bill by workspace and model, and usage by cell, priced or by its input."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from sqlalchemy import ARRAY, ColumnElement, Date, DateTime, FromClause, Select, and_, cast, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.tables import held_by, series, usage_hours
from service.domain.sources.pricing import Measure, UsageKind
from service.domain.spend.best_known import BilledDay, EstimatedDay
from service.domain.spend.caching import InputDay
from service.domain.spend.questions import SpendQuestion
from service.domain.spend.rows import PRIORITY_TIER, TOKEN_COST
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell
from service.domain.values.utc import utc_day

_WEB_SEARCH = literal(Measure.WEB_SEARCH.value, literal_execute=True)
"""Part of the statement's text: prepared with a parameter, it would be planned for one series instead of most."""
_INPUT = (Measure.UNCACHED_INPUT, Measure.CACHE_READ, Measure.CACHE_WRITE_5M, Measure.CACHE_WRITE_1H)
_COUNTED = tuple(
    [literal(measure.value, literal_execute=True) for measure in measures]
    for measures in (_INPUT, (Measure.CACHE_READ,), (Measure.OUTPUT,))
)
"""The measures that count as input, as read from a cache, and as output."""

Bill: TypeAlias = dict[Cell, BilledDay]
Usage: TypeAlias = dict[Cell, EstimatedDay]


async def hours_in(
    connection: AsyncConnection, source_id: str, window: Window
) -> list[tuple[datetime, Cell, EstimatedDay]]:
    """Priced usage in the hours that begin in the window, in order."""
    rows = await connection.execute(
        usage_by(usage_hours.c.bucket, usage_hours, between(window, source_id)).order_by("time")
    )
    return [
        (time, Cell(workspace, model, api_key), _estimate(*estimate))
        for time, workspace, model, api_key, *estimate in rows
    ]


async def costs_in(
    connection: AsyncConnection, source_id: str, stretches: Sequence[Window]
) -> dict[Cell, dict[Window, Money]]:
    """Estimated cost by cell and stretch; the stretches follow each other and hold whole hours."""
    starts = cast([stretch.start for stretch in stretches], ARRAY(DateTime(timezone=True)))
    number = func.width_bucket(usage_hours.c.bucket, starts)
    span = Window(stretches[0].start, stretches[-1].end)
    costs: dict[Cell, dict[Window, Money]] = defaultdict(dict)
    for which, workspace, model, api_key, cost, *_ in await connection.execute(
        usage_by(number, usage_hours, between(span, source_id))
    ):
        costs[Cell(workspace, model, api_key)][stretches[which - 1]] = Money(cost or Decimal(0))
    return costs


async def bill_in(
    connection: AsyncConnection, source_id: str, days: Sequence[date], points: FromClause
) -> dict[date, Bill]:
    """The bill of each day. `points`: cost by bucket and series, as stored or as it was once known."""
    is_tokens = series.c.cost_type == TOKEN_COST
    place = (day_of(points), series.c.workspace, series.c.model, series.c.api_key)
    amount = func.sum(points.c.amount)
    rows = await connection.execute(
        select(*place, func.coalesce(amount.filter(is_tokens), 0), func.coalesce(amount.filter(~is_tokens), 0))
        .join_from(points, series, series.c.id == points.c.series_id)
        .where(*on_days(days, points, source_id))
        .group_by(*place)
    )
    bill: dict[date, Bill] = defaultdict(dict)
    for at, workspace, model, api_key, tokens, other in rows:
        bill[at][Cell(workspace, model, api_key)] = BilledDay(Money(tokens), Money(other))
    return bill


async def usage_in(
    connection: AsyncConnection, source_id: str, days: Sequence[date], hours: FromClause
) -> dict[date, Usage]:
    """The priced usage of each day. `hours`: tokens and cost by hour and series, as stored or as once known."""
    usage: dict[date, Usage] = defaultdict(dict)
    statement = usage_by(day_of(hours), hours, on_days(days, hours, source_id))
    for at, workspace, model, api_key, *estimate in await connection.execute(statement):
        usage[at][Cell(workspace, model, api_key)] = _estimate(*estimate)
    return usage


async def input_days(connection: AsyncConnection, question: SpendQuestion) -> list[InputDay]:
    """The window's days, whatever they are grouped by. The Priority Tier is left out: it is paid for in another way."""
    place = (series.c.workspace, series.c.model, series.c.api_key)
    kind = (series.c.service_tier, series.c.context_window, series.c.inference_geo)
    day = day_of(usage_hours).label("day")
    counted = (func.sum(usage_hours.c.quantity).filter(series.c.token_type == way.value) for way in _INPUT)
    rows = await connection.execute(
        select(day, *place, *kind, *counted)
        .join_from(usage_hours, series, series.c.id == usage_hours.c.series_id)
        .where(
            *between(question.window, question.source_id),
            series.c.token_type.in_([way.value for way in _INPUT]),
            series.c.service_tier != PRIORITY_TIER,
            *held_by(question.scope, series),
        )
        .group_by("day", *place, *kind)
        .order_by("day", *place, *kind)
    )
    return [
        InputDay(at, Cell(workspace, model, key), UsageKind(model, *of), *(int(each or 0) for each in tokens))
        for at, workspace, model, key, *rest in rows
        for of, tokens in [(rest[:3], rest[3:])]
    ]


def usage_by(time: ColumnElement[Any], hours: FromClause, where: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Time, cell, cost, Priority Tier cost, unpriced tokens, and input, cache-read and output tokens.

    Summed by series before the dimensions are joined: their texts are many times as wide as a fact. Web searches
    are left out: the bill has them as a cost of their own, and comparing tokens with tokens is what keeps them
    from being counted twice on a day that is not settled.
    """
    facts = (
        select(
            time.label("time"),
            hours.c.series_id,
            func.sum(hours.c.cost).label("cost"),
            func.sum(hours.c.quantity).label("quantity"),
            func.sum(hours.c.quantity).filter(hours.c.cost.is_(None)).label("unpriced"),
        )
        .where(*where)
        .group_by("time", hours.c.series_id)
        .subquery()
    )
    place = (facts.c.time, series.c.workspace, series.c.model, series.c.api_key)
    is_priority = series.c.service_tier == PRIORITY_TIER
    cost, tokens = func.sum(facts.c.cost), func.sum(facts.c.quantity)
    counted = (tokens.filter(~is_priority, series.c.token_type.in_(measures)) for measures in _COUNTED)
    return (
        select(
            *place,
            cost.filter(~is_priority).label("cost"),
            cost.filter(is_priority).label("priority"),
            func.sum(facts.c.unpriced).label("unpriced"),
            *counted,
        )
        .join_from(facts, series, series.c.id == facts.c.series_id)
        .where(series.c.token_type != _WEB_SEARCH)
        .group_by(*place)
    )


def is_spend() -> ColumnElement[bool]:
    """Whether `usage_by` counts the cost of a series of usage as spend."""
    return and_(series.c.token_type != _WEB_SEARCH, series.c.service_tier != PRIORITY_TIER)


def _estimate(cost: Decimal | None, priority: Decimal | None, *tokens: Decimal | None) -> EstimatedDay:
    """`tokens`: unpriced, input, cache read, output."""
    return EstimatedDay(Money(cost or Decimal(0)), Money(priority or Decimal(0)), *(int(one or 0) for one in tokens))


def day_of(table: FromClause) -> ColumnElement[date]:
    return cast(func.timezone("UTC", table.c.bucket), Date)


def between(window: Window, source_id: str) -> tuple[ColumnElement[bool], ...]:
    hours = usage_hours.c
    return hours.source_id == source_id, hours.bucket >= window.start, hours.bucket < window.end


def on_days(days: Sequence[date], table: FromClause, source_id: str) -> tuple[ColumnElement[bool], ...]:
    """The range is for the index and the partitions, the list for days that are not in a row."""
    return (
        table.c.source_id == source_id,
        table.c.bucket >= utc_day(min(days)).start,
        table.c.bucket < utc_day(max(days)).end,
        day_of(table).in_(days),
    )
