"""Spend added up by line: whole days from the rows that were chosen for them, hours from usage."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.lines.rows import (
    NOTHING,
    PARTS,
    SUMS,
    LineSources,
    at_place,
    is_owned,
    is_shared_line,
    line_sources,
    usage_lines,
)
from service.adapters.postgres.spend.lines.shares import shared_lines
from service.adapters.postgres.spend.spend_groups import figure_of, total
from service.adapters.postgres.spend.spenders.days import SPENDER, spender_days
from service.adapters.postgres.spend.tables import CELL, held_by, usage_hours
from service.domain.spend.day_split import first_day_from
from service.domain.spend.lines import (
    NONE,
    NOT_ATTRIBUTABLE,
    CallerKind,
    LargestLines,
    LineDimension,
    LinePart,
    LineQuestion,
    SpendLine,
)
from service.domain.spend.rows import Width
from service.domain.values.money import Money
from service.domain.values.scopes import UNATTRIBUTED, Dimension, tells_spenders

_CALLER = LinePart.CALLER.value
_KEPT = (*CELL, *PARTS, _CALLER)
_ADDED = (*SUMS, "shared")


async def largest_lines(
    connection: AsyncConnection, question: LineQuestion, limit: int, skipped: int = 0
) -> LargestLines:
    """`limit` lines behind the `skipped` largest. A remainder of nothing is left out."""
    rows = _rows(question)
    ids = [_id_of(rows, one).label(f"id_{place}") for place, one in enumerate(question.by)]
    sums = [func.sum(rows.c[name]).label(name) for name in _ADDED]
    groups = (
        select(*ids, *sums)
        .where(*held_by(question.spend.scope, rows))
        .group_by(*(id.name for id in ids))
        .having(or_(~_is_remainder(rows, question), *(func.sum(rows.c[name]) != 0 for name in SUMS)))
        .subquery()
    )
    keys = [groups.c[id.name] for id in ids]
    totals = [func.sum(groups.c[name]).over() for name in SUMS]
    order = (groups.c.billed + groups.c.estimated).desc()
    statement = select(*keys, *(groups.c[name] for name in _ADDED), *totals).order_by(order, *keys)
    found = (await connection.execute(statement.limit(limit).offset(skipped))).all()
    if not found:
        return LargestLines((), await total(connection, question.spend))
    return LargestLines([_line(len(keys), row) for row in found], figure_of(*found[0][-len(SUMS) :]))


def _line(dimensions: int, row: Any) -> SpendLine:
    ids, sums = row[:dimensions], row[dimensions : dimensions + len(SUMS)]
    return SpendLine(tuple(ids), figure_of(*sums), Money(row[dimensions + len(SUMS)] or Decimal(0)))


def _id_of(rows: FromClause, dimension: LineDimension) -> ColumnElement[str]:
    """The remainder has no parts (null); a report that names none has the empty text."""
    column: ColumnElement[str] = rows.c[dimension.value]
    if isinstance(dimension, Dimension):
        return column
    return case((column.is_(None), NOT_ATTRIBUTABLE), (column == "", NONE), else_=column)


def _is_remainder(rows: FromClause, question: LineQuestion) -> ColumnElement[bool]:
    parts = [rows.c[one.value] for one in question.by if isinstance(one, LinePart)]
    return and_(*(func.bool_and(part.is_(None)) for part in parts)) if parts else false()


def _rows(question: LineQuestion) -> FromClause:
    """Rows of all lines, and of the remainder: what is stored, less all lines. It is nearly always nothing."""
    if question.spend.width is Width.HOUR:
        return _of_usage_alone(question).subquery()
    if tells_spenders(question.grain):
        return _of_spenders(question).subquery()
    found = line_sources(question.spend)
    if not any(isinstance(one, LinePart) for one in question.by):
        return _stored(found).subquery()
    bill = [_shared(found), _billed(found, ~is_shared_line(found))] if _tells_keys(question) else [_billed(found)]
    lines = union_all(*bill, _used(found)).cte("lines")
    return union_all(_stored(found), _less(lines), select(*(lines.c[name] for name in (*_KEPT, *_ADDED)))).subquery()


def _tells_keys(question: LineQuestion) -> bool:
    """Whether the answer depends on the keys that lines are of."""
    return bool(question.spend.scope.api_keys) or not {Dimension.API_KEY, LinePart.CALLER}.isdisjoint(question.by)


def _stored(found: LineSources) -> Select[Any]:
    return _row(found.stored, {name: found.stored.c[name] for name in SUMS})


def _less(lines: CTE) -> Select[Any]:
    return _row(lines, {name: -lines.c[name] for name in SUMS})


def _billed(found: LineSources, where: ColumnElement[bool] | None = None) -> Select[Any]:
    bill, places = found.bill, found.places
    caller = _caller(bill.c.api_key, places.c.named)
    values = {name: bill.c[name] for name in PARTS} | {_CALLER: caller, "billed": bill.c.amount}
    statement = _row(bill, values).join_from(bill, places, at_place(bill, places)).where(is_owned(found))
    return statement if where is None else statement.where(where)


def _shared(found: LineSources) -> Select[Any]:
    lines = shared_lines(found).cte("shared")
    caller = _caller(lines.c.api_key, lines.c.has_usage)
    values = {name: lines.c[name] for name in PARTS} | {_CALLER: caller}
    return _row(lines, values | {"billed": lines.c.amount, "shared": lines.c.amount})


def _used(found: LineSources) -> Select[Any]:
    """Usage is spend where it was chosen; the Priority Tier and unpriced tokens are told of everywhere."""
    used, places = found.used, found.places
    estimated = case((places.c.by_usage, used.c.cost), else_=NOTHING)
    return _row(used, _usage(used, estimated)).join_from(used, places, at_place(used, places))


def _of_usage_alone(question: LineQuestion) -> Select[Any]:
    used = usage_lines(question.spend, func.date_trunc("day", usage_hours.c.bucket)).cte("used")
    return _row(used, _usage(used, used.c.cost))


def _of_spenders(question: LineQuestion) -> Select[Any]:
    """The bill tells actors and products; of lines of theirs nothing is kept."""
    asked = question.spend
    days = spender_days([asked.source_id], first_day_from(asked.window.start), first_day_from(asked.window.end))
    return select(*(days.c[name] for name in (*CELL, *SPENDER, *SUMS)), NOTHING.label("shared"))


def _usage(used: CTE, estimated: ColumnElement[Any]) -> dict[str, ColumnElement[Any]]:
    values: dict[str, ColumnElement[Any]] = {name: used.c[name] for name in PARTS}
    values[_CALLER] = _caller(used.c.api_key, true())
    return values | {"estimated": estimated, "unpriced_tokens": used.c.unpriced, "priority": used.c.priority}


def _caller(api_key: ColumnElement[str], is_told: ColumnElement[bool]) -> ColumnElement[str | None]:
    """`is_told`: no key means that there was none, and not that the bill names none."""
    return case(
        (api_key != UNATTRIBUTED, literal(CallerKind.API_KEY.value)),
        (is_told, literal(CallerKind.WORKBENCH.value)),
        else_=cast(null(), Text),
    )


def _row(source: CTE, values: Mapping[str, ColumnElement[Any]]) -> Select[Any]:
    """Cells are the source's own; other columns are null, or nothing, where no value is given."""
    cells = [source.c[name] for name in CELL]
    parts = [values.get(name, cast(null(), Text)).label(name) for name in (*PARTS, _CALLER)]
    return select(*cells, *parts, *(values.get(name, NOTHING).label(name) for name in _ADDED))
