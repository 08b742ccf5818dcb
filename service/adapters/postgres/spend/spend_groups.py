"""Spend added up in the database: by member of a dimension, and by bucket. Figures of hours are estimates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Numeric, Select, Text, cast, func, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.bill_and_usage import between, usage_by
from service.adapters.postgres.spend.spenders.days import SPENDER, spender_days
from service.adapters.postgres.spend.tables import CELL, held_by, spend_days, usage_hours
from service.domain.sources.ownership import NOBODY
from service.domain.spend.best_known import Spend
from service.domain.spend.day_split import first_day_from
from service.domain.spend.questions import BucketFigures, Figure, LargestGroups, SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Dimension, ScopeKey, tells_spenders
from service.domain.values.utc import midnight

_PARTS = ("billed", "estimated", "unpriced_tokens", "priority")


async def figures_by_bucket(connection: AsyncConnection, question: SpendQuestion, most: int) -> BucketFigures:
    """Figures of the first buckets of the window: as many as hold `most` figures together, at least one."""
    rows = (await connection.execute(_by_bucket(question).limit(most + 1))).all()
    if len(rows) <= most:
        return BucketFigures(_figures(question, rows), question.window.end)
    cut = _start(rows[-1].time)
    whole = [row for row in rows if _start(row.time) < cut]
    if whole:
        return BucketFigures(_figures(question, whole), cut)
    first = Window(cut, cut + question.width.length)
    rows = (await connection.execute(_by_bucket(replace(question, window=first)))).all()
    return BucketFigures(_figures(question, rows), first.end)


async def largest(connection: AsyncConnection, question: SpendQuestion, limit: int, skipped: int) -> LargestGroups:
    """Figures of the whole window by group: `limit` groups behind the `skipped` largest. The rows are read once."""
    rows = _rows_of(question)
    member = _member(question, rows).label("member")
    sums = (sum_.label(part) for part, sum_ in zip(_PARTS, _sums(rows), strict=True))
    groups = select(member, *sums).where(*held_by(question.scope, rows)).group_by(member).subquery()
    parts = [groups.c[part] for part in _PARTS]
    spent = func.coalesce(groups.c.billed, 0) + func.coalesce(groups.c.estimated, 0)
    statement = select(groups.c.member, *parts, *(func.sum(part).over() for part in parts))
    found = (
        await connection.execute(statement.order_by(spent.desc(), groups.c.member).limit(limit).offset(skipped))
    ).all()
    if not found:
        return LargestGroups((), await total(connection, question))
    figures = [(ScopeKey(question.group_by, id), figure_of(*sums[: len(_PARTS)])) for id, *sums in found]
    return LargestGroups(figures, figure_of(*found[0][-len(_PARTS) :]))


async def total(connection: AsyncConnection, question: SpendQuestion) -> Figure:
    """The figure of the whole window, whatever it is grouped by."""
    rows = _rows_of(question)
    (sums,) = await connection.execute(select(*_sums(rows)).where(*held_by(question.scope, rows)))
    return figure_of(*sums)


_BEHIND_DAYS = text(
    "EXPLAIN (FORMAT JSON) SELECT FROM spend_days WHERE source_id = :source AND day >= :first AND day < :last"
)
_BEHIND_HOURS = text(
    "EXPLAIN (FORMAT JSON) SELECT FROM usage_hours WHERE source_id = :source AND bucket >= :start AND bucket < :end"
)


async def rows_behind(connection: AsyncConnection, question: SpendQuestion) -> int:
    """About how many rows the question adds up, by the statistics of the planner: it reads none of them."""
    source, window = {"source": question.source_id}, question.window
    if question.width is Width.DAY:
        days = {"first": first_day_from(window.start), "last": first_day_from(window.end)}
        plan = await connection.scalar(_BEHIND_DAYS, source | days)
    else:
        plan = await connection.scalar(_BEHIND_HOURS, source | {"start": window.start, "end": window.end})
    return int(plan[0]["Plan"]["Plan Rows"])


def _by_bucket(question: SpendQuestion) -> Select[Any]:
    rows = _rows_of(question)
    member = _member(question, rows).label("member")
    statement = select(rows.c.time, member, *_sums(rows)).where(*held_by(question.scope, rows))
    return statement.group_by(rows.c.time, member).order_by(rows.c.time)


def _member(question: SpendQuestion, rows: FromClause) -> ColumnElement[str]:
    """The group of a row: the member of its dimension, or who is answerable for it."""
    attribution = question.attribution
    if attribution is None:
        return rows.c[question.group_by.value]
    named = (
        cast(dict(of_ids), JSONB)[rows.c[dimension.value]].astext
        for dimension, of_ids in (
            (Dimension.API_KEY, attribution.api_keys),
            (Dimension.WORKSPACE, attribution.workspaces),
        )
    )
    return func.coalesce(*named, NOBODY)


def _figures(question: SpendQuestion, rows: Iterable[Sequence[Any]]) -> dict[datetime, dict[ScopeKey, Figure]]:
    found: dict[datetime, dict[ScopeKey, Figure]] = defaultdict(dict)
    for time, id, *parts in rows:
        found[_start(time)][ScopeKey(question.group_by, id)] = figure_of(*parts)
    return dict(found)


def _sums(rows: FromClause) -> list[ColumnElement[Any]]:
    return [func.sum(rows.c[part]) for part in _PARTS]


_WHOLE = cast(literal(""), Text).label(Dimension.ORGANISATION.value)
"""The member that every row belongs to."""


def _rows_of(question: SpendQuestion) -> FromClause:
    return _days(question) if question.width is Width.DAY else _hours(question)


def _days(question: SpendQuestion) -> FromClause:
    first, end = first_day_from(question.window.start), first_day_from(question.window.end)
    is_by_spender = tells_spenders(question.grain)
    days: FromClause = spender_days([question.source_id], first, end) if is_by_spender else spend_days
    column, cell = days.c, (*CELL, *SPENDER) if is_by_spender else CELL
    return (
        select(column.day.label("time"), _WHOLE, *(column[name] for name in (*cell, *_PARTS)))
        .where(column.source_id == question.source_id, column.day >= first, column.day < end)
        .subquery()
    )


def _hours(question: SpendQuestion) -> FromClause:
    hours = usage_by(usage_hours.c.bucket, usage_hours, between(question.window, question.source_id)).subquery()
    nobody = (cast(literal(""), Text).label(name) for name in SPENDER)
    return select(
        *(hours.c.time, _WHOLE, hours.c.workspace, hours.c.model, hours.c.api_key, *nobody),
        cast(literal(0), Numeric).label("billed"),
        hours.c.cost.label("estimated"),
        hours.c.unpriced.label("unpriced_tokens"),
        hours.c.priority,
    ).subquery()


def _start(time: datetime | date) -> datetime:
    return time.astimezone(UTC) if isinstance(time, datetime) else midnight(time)


def figure_of(*parts: Decimal | None) -> Figure:
    """A sum of nulls is null: of usage that has no price, for example."""
    billed, estimated, unpriced_tokens, priority = (part or Decimal(0) for part in parts)
    return Figure(Spend(Money(billed), Money(estimated)), int(unpriced_tokens), Money(priority))
