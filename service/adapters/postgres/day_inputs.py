"""What a day's spend follows from: its bill by workspace and model, its priced usage by cell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from sqlalchemy import ARRAY, ColumnElement, Date, DateTime, Integer, Select, Table, cast, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.fact_tables import cost_points, known_buckets, series, usage_hours
from service.domain.day_split import utc_day
from service.domain.money import Money
from service.domain.periods import Window
from service.domain.pricing import Measure
from service.domain.scopes import Cell
from service.domain.spend import PRIORITY_TIER, TOKEN_COST, BilledDay, EstimatedDay, Width
from service.workflows.ports import DayInputs

_WEB_SEARCH = literal(Measure.WEB_SEARCH.value, literal_execute=True)
"""Part of the statement's text: once prepared with a parameter it is planned for one series instead of most."""

Bill: TypeAlias = dict[tuple[str, str], BilledDay]
Usage: TypeAlias = dict[Cell, EstimatedDay]


async def day_inputs(connection: AsyncConnection, source_id: str, days: Sequence[date]) -> dict[date, DayInputs]:
    """Of every day asked for, also of those without a row."""
    if not days:
        return {}
    bill = await _bill(connection, source_id, days)
    usage = await _usage(connection, source_id, days)
    settled = await _settled(connection, source_id, days)
    return {day: DayInputs(bill[day], usage[day], day in settled) for day in days}


async def hours_in(
    connection: AsyncConnection, source_id: str, window: Window
) -> list[tuple[datetime, Cell, EstimatedDay]]:
    """The hours that begin in the window, in order."""
    rows = await connection.execute(_usage_by(usage_hours.c.bucket, _between(window, source_id)).order_by("time"))
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
        _usage_by(number, _between(span, source_id))
    ):
        costs[Cell(workspace, model, api_key)][stretches[which - 1]] = Money(cost or Decimal(0))
    return costs


async def hours_of_day_in(connection: AsyncConnection, source_id: str, window: Window) -> dict[Cell, tuple[float, ...]]:
    """Estimated cost by cell and hour of the UTC day, 24 of them, summed over the window. Copies, not money."""
    hour = cast(func.extract("hour", func.timezone("UTC", usage_hours.c.bucket)), Integer)
    costs: dict[Cell, list[float]] = defaultdict(lambda: [0.0] * 24)
    for which, workspace, model, api_key, cost, *_ in await connection.execute(
        _usage_by(hour, _between(window, source_id))
    ):
        costs[Cell(workspace, model, api_key)][which] = float(cost or 0)
    return {cell: tuple(hours) for cell, hours in costs.items()}


async def _bill(connection: AsyncConnection, source_id: str, days: Sequence[date]) -> dict[date, Bill]:
    is_tokens = series.c.cost_type == TOKEN_COST
    day = _day_of(cost_points)
    place = (day, series.c.workspace, series.c.model)
    amount = func.sum(cost_points.c.amount)
    rows = await connection.execute(
        select(*place, func.coalesce(amount.filter(is_tokens), 0), func.coalesce(amount.filter(~is_tokens), 0))
        .join_from(cost_points, series, series.c.id == cost_points.c.series_id)
        .where(*_on(days, cost_points, source_id))
        .group_by(*place)
    )
    bill: dict[date, Bill] = defaultdict(dict)
    for at, workspace, model, tokens, other in rows:
        bill[at][workspace, model] = BilledDay(Money(tokens), Money(other))
    return bill


async def _usage(connection: AsyncConnection, source_id: str, days: Sequence[date]) -> dict[date, Usage]:
    usage: dict[date, Usage] = defaultdict(dict)
    statement = _usage_by(_day_of(usage_hours), _on(days, usage_hours, source_id))
    for at, workspace, model, api_key, *estimate in await connection.execute(statement):
        usage[at][Cell(workspace, model, api_key)] = _estimate(*estimate)
    return usage


def _usage_by(time: ColumnElement[Any], where: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Time, cell, cost, Priority Tier cost and unpriced tokens.

    Summed by series before the dimensions are joined: their texts are many times as wide as a fact. Web searches
    are left out: the bill has them as a cost of their own, and comparing tokens with tokens is what keeps them
    from being counted twice on a day that is not settled.
    """
    hours = usage_hours.c
    facts = (
        select(
            time.label("time"),
            hours.series_id,
            func.sum(hours.cost).label("cost"),
            func.sum(hours.quantity).filter(hours.cost.is_(None)).label("unpriced"),
        )
        .where(*where)
        .group_by("time", hours.series_id)
        .subquery()
    )
    place = (facts.c.time, series.c.workspace, series.c.model, series.c.api_key)
    is_priority = series.c.service_tier == PRIORITY_TIER
    cost = func.sum(facts.c.cost)
    return (
        select(*place, cost.filter(~is_priority), cost.filter(is_priority), func.sum(facts.c.unpriced))
        .join_from(facts, series, series.c.id == facts.c.series_id)
        .where(series.c.token_type != _WEB_SEARCH)
        .group_by(*place)
    )


def _estimate(cost: Decimal | None, priority: Decimal | None, unpriced: Decimal | None) -> EstimatedDay:
    return EstimatedDay(Money(cost or Decimal(0)), Money(priority or Decimal(0)), int(unpriced or 0))


async def _settled(connection: AsyncConnection, source_id: str, days: Sequence[date]) -> set[date]:
    rows = await connection.execute(
        select(_day_of(known_buckets)).where(
            *_on(days, known_buckets, source_id),
            known_buckets.c.width == Width.DAY.value,
            known_buckets.c.complete,
        )
    )
    return set(rows.scalars())


def _day_of(table: Table) -> ColumnElement[date]:
    return cast(func.timezone("UTC", table.c.bucket), Date)


def _between(window: Window, source_id: str) -> tuple[ColumnElement[bool], ...]:
    hours = usage_hours.c
    return hours.source_id == source_id, hours.bucket >= window.start, hours.bucket < window.end


def _on(days: Sequence[date], table: Table, source_id: str) -> tuple[ColumnElement[bool], ...]:
    """The range is for the index and the partitions, the list for days that are not in a row."""
    return (
        table.c.source_id == source_id,
        table.c.bucket >= utc_day(min(days)).start,
        table.c.bucket < utc_day(max(days)).end,
        _day_of(table).in_(days),
    )
