"""Spend added up in the database: by member of a dimension, and by bucket. Figures of hours are estimates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Numeric, Text, cast, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.bill_and_usage import between, usage_by
from service.adapters.postgres.spend.tables import spend_days, usage_hours
from service.domain.spend.best_known import Spend
from service.domain.spend.day_split import first_day_from
from service.domain.spend.questions import Figure, SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.domain.values.scopes import Dimension, Scope, ScopeKey
from service.domain.values.utc import midnight

_PARTS = ("billed", "estimated", "unpriced_tokens", "priority")


async def figures_by_bucket(
    connection: AsyncConnection, question: SpendQuestion
) -> dict[datetime, dict[ScopeKey, Figure]]:
    """The figures by bucket start and group, in order of time. Buckets without spend are not in it."""
    rows = _rows_of(question)
    member, *sums = _summed(rows, question)
    statement = select(rows.c.time, member, *sums).where(*_inside(question.scope, rows))
    found: dict[datetime, dict[ScopeKey, Figure]] = defaultdict(dict)
    for time, id, *parts in await connection.execute(statement.group_by(rows.c.time, member).order_by(rows.c.time)):
        found[_start(time)][ScopeKey(question.group_by, id)] = _figure(*parts)
    return dict(found)


async def figures_by_group(connection: AsyncConnection, question: SpendQuestion) -> dict[ScopeKey, Figure]:
    """The figures of the whole window by group."""
    rows = _rows_of(question)
    member, *sums = _summed(rows, question)
    statement = select(member, *sums).where(*_inside(question.scope, rows)).group_by(member)
    return {ScopeKey(question.group_by, id): _figure(*parts) for id, *parts in await connection.execute(statement)}


def _summed(rows: FromClause, question: SpendQuestion) -> list[ColumnElement[Any]]:
    """The member that a row belongs to, and the sums of the parts of a figure."""
    return [rows.c[question.group_by.value], *(func.sum(rows.c[part]) for part in _PARTS)]


_WHOLE = cast(literal(""), Text).label(Dimension.ORGANISATION.value)
"""The member that every row belongs to."""


def _rows_of(question: SpendQuestion) -> FromClause:
    return _days(question) if question.width is Width.DAY else _hours(question)


def _days(question: SpendQuestion) -> FromClause:
    column, window = spend_days.c, question.window
    return (
        select(
            column.day.label("time"),
            _WHOLE,
            column.workspace,
            column.model,
            column.api_key,
            *(column[p] for p in _PARTS),
        )
        .where(
            column.source_id == question.source_id,
            column.day >= first_day_from(window.start),
            column.day < first_day_from(window.end),
        )
        .subquery()
    )


def _hours(question: SpendQuestion) -> FromClause:
    hours = usage_by(usage_hours.c.bucket, usage_hours, between(question.window, question.source_id)).subquery()
    return select(
        *(hours.c.time, _WHOLE, hours.c.workspace, hours.c.model, hours.c.api_key),
        cast(literal(0), Numeric).label("billed"),
        hours.c.cost.label("estimated"),
        hours.c.unpriced.label("unpriced_tokens"),
        hours.c.priority,
    ).subquery()


def _inside(scope: Scope, rows: FromClause) -> Iterator[ColumnElement[bool]]:
    wanted = {"workspace": scope.workspaces, "model": scope.models, "api_key": scope.api_keys}
    return (rows.c[name].in_(ids) for name, ids in wanted.items() if ids)


def _start(time: datetime | date) -> datetime:
    return time.astimezone(UTC) if isinstance(time, datetime) else midnight(time)


def _figure(*parts: Decimal | None) -> Figure:
    """A sum of nulls is null: of usage that has no price, for example."""
    billed, estimated, unpriced_tokens, priority = (part or Decimal(0) for part in parts)
    return Figure(Spend(Money(billed), Money(estimated)), int(unpriced_tokens), Money(priority))
