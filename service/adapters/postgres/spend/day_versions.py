"""Versions of UTC days: each day as it was known at the end of every UTC day on which that changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from sys import intern
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Date,
    Row,
    Select,
    Table,
    and_,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.hour_profiles import named
from service.adapters.postgres.spend.known_buckets import settled_in
from service.adapters.postgres.spend.tables import AMOUNTS, CELL, day_versions, held_by, spend_day_versions
from service.domain.spend.best_known import DayVersion, EstimatedDay, Spend, SpendDay
from service.domain.spend.lateness import day_known
from service.domain.values.money import ZERO, Money
from service.domain.values.scopes import CELL_DIMENSIONS, EVERYTHING, FINEST, Cell, Grain, Scope
from service.workflows.ports.spend import Stamp

_KEY = ("day", *CELL)

Mark = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Version:
    """A version to be written. `is_news`: even if no cell has changed, because the day is new or newly settled."""

    day: date
    known_on: date
    assumed: bool
    settled: bool
    is_news: bool


async def note_versions(
    connection: AsyncConnection,
    stamp: Stamp,
    incoming: Table,
    days: Collection[date],
    backfilled: Collection[date],
    rewritten: Collection[date],
) -> None:
    """Keeps a version of these days as they are known from now on: `incoming` has the rows of all their cells.

    A second change on one UTC day replaces the version of the first; a cell that is gone becomes zeros. Days that were
    `rewritten` have one in any case, even if only cells of zeros came or went: it marks them (`marks_in`).
    """
    versions = await _versions(connection, stamp, list(days), backfilled)
    changed = await _note_cells(connection, stamp.source_id, incoming, versions) | set(rewritten)
    noted = [version for version in versions if version.is_news or version.day in changed]
    if noted:
        await _note_days(connection, stamp.source_id, noted)


async def _versions(
    connection: AsyncConnection, stamp: Stamp, days: list[date], backfilled: Collection[date]
) -> list[_Version]:
    settled = await settled_in(connection, stamp.source_id, days)
    known: dict[date, list[Row[Any]]] = defaultdict(list)
    rows = await connection.execute(
        select(day_versions)
        .where(day_versions.c.source_id == stamp.source_id, day_versions.c.day.in_(days))
        .order_by(day_versions.c.known_on)
    )
    for row in rows:
        known[row.day].append(row)
    return [_version(stamp, day, known[day], settled=day in settled, backfilled=day in backfilled) for day in days]


def _version(stamp: Stamp, day: date, known: Sequence[Row[Any]], *, settled: bool, backfilled: bool) -> _Version:
    since = day_known(day, stamp.known_at, [row.assumed for row in known], backfilled=backfilled)
    is_news = not known or known[-1].settled != settled
    return _Version(day, since.known_on, since.assumed, settled, is_news)


async def _note_cells(
    connection: AsyncConnection, source_id: str, incoming: Table, versions: Sequence[_Version]
) -> set[date]:
    """The days on which a cell differs from its newest version."""
    days = [version.day for version in versions]
    newest = newest_cells(source_id, spend_day_versions.c.day.in_(days)).subquery()
    known_on = (
        func.unnest(cast(days, ARRAY(Date)), cast([version.known_on for version in versions], ARRAY(Date)))
        .table_valued("day", "known_on", name="known")
        .render_derived()
    )
    amounts = {name: func.coalesce(incoming.c[name], 0) for name in AMOUNTS}
    key = [func.coalesce(incoming.c[name], newest.c[name]).label(name) for name in _KEY]
    differing = (
        select(*key, *(amount.label(name) for name, amount in amounts.items()))
        .select_from(incoming.join(newest, and_(*(incoming.c[n] == newest.c[n] for n in _KEY)), full=True))
        .where(or_(*(amount.is_distinct_from(newest.c[name]) for name, amount in amounts.items())))
        .subquery()
    )
    rows = select(literal(source_id), differing, known_on.c.known_on).join_from(
        differing, known_on, differing.c.day == known_on.c.day
    )
    added = insert(spend_day_versions).from_select(["source_id", *_KEY, *AMOUNTS, "known_on"], rows)
    written = await connection.execute(
        added.on_conflict_do_update(
            index_elements=list(spend_day_versions.primary_key.columns),
            set_={name: added.excluded[name] for name in AMOUNTS},
        ).returning(spend_day_versions.c.day)
    )
    return set(written.scalars())


async def _note_days(connection: AsyncConnection, source_id: str, versions: Sequence[_Version]) -> None:
    rows = [
        {
            "source_id": source_id,
            "day": version.day,
            "known_on": version.known_on,
            "assumed": version.assumed,
            "settled": version.settled,
        }
        for version in versions
    ]
    added = insert(day_versions)
    await connection.execute(
        added.on_conflict_do_update(
            index_elements=list(day_versions.primary_key.columns),
            set_={"assumed": added.excluded.assumed, "settled": added.excluded.settled},
        ),
        rows,
    )


def newest_cells(source_id: str, *where: ColumnElement[bool]) -> Select[Any]:
    """The newest version of every cell's day among those named: in the primary key's order, read backwards."""
    version = spend_day_versions.c
    cell_day = [version[name].desc() for name in _KEY]
    return (
        select(spend_day_versions)
        .ext(distinct_on(*(version[name] for name in _KEY)))
        .where(version.source_id == source_id, *where)
        .order_by(*cell_day, version.known_on.desc())
    )


async def marks_in(connection: AsyncConnection, source_id: str, first: date, last: date) -> dict[date, Mark]:
    """The mark of each day: who wrote each of its versions, and where it lies, which no other row ever had.

    While it is the same, so are the day's rows in `spend_days`. A day without versions has none. All versions count: a
    clock that is set back writes one that is not the newest. So does the server's start: one that was put back to an
    earlier instant, or took over from another, may write other rows in the same places.
    """
    version = day_versions.c
    written: ColumnElement[str] = aggregate_order_by(literal_column("xmin::text || ctid::text"), version.known_on)
    rows = await connection.execute(
        select(version.day, literal_column("pg_postmaster_start_time()::text"), func.array_agg(written))
        .where(version.source_id == source_id, version.day.between(first, last))
        .group_by(version.day)
    )
    return {day: (intern(started), *mark) for day, started, mark in rows}


async def versions_in(
    connection: AsyncConnection,
    source_id: str,
    first: date,
    end: date,
    grain: Grain = FINEST,
    within: Scope = EVERYTHING,
) -> list[DayVersion]:
    """Versions of the days from `first` up to, not including, `end`, in the order in which they became known.

    By cells of a grain, each the sum of those that `within` holds.
    """
    version = spend_day_versions.c
    where = (version.source_id == source_id, version.day >= first, version.day < end)
    changed = _of_cells(*where) if grain >= FINEST and within == EVERYTHING else _added_up(grain, within, *where)
    changes = await _changes(connection, changed, grain)
    noted = await connection.execute(
        select(day_versions)
        .where(day_versions.c.source_id == source_id, day_versions.c.day >= first, day_versions.c.day < end)
        .order_by(day_versions.c.day, day_versions.c.known_on)
    )
    versions: list[DayVersion] = []
    day, cells = date.min, dict[Cell, SpendDay]()
    for row in noted:
        cells = dict(cells) if row.day == day else {}
        day = row.day
        cells.update(changes.get((day, row.known_on), ()))
        there = {cell: known for cell, known in cells.items() if known != _NOTHING}
        versions.append(DayVersion(day, row.known_on, row.assumed, row.settled, there))
    return sorted(versions, key=lambda version: (version.known_on, version.day))


def _of_cells(*where: ColumnElement[bool]) -> Select[Any]:
    version = spend_day_versions.c
    return select(version.day, version.known_on, *(version[name] for name in (*CELL, *AMOUNTS))).where(*where)


def _added_up(grain: Grain, within: Scope, *where: ColumnElement[bool]) -> Select[Any]:
    """The sums of a grain's cells at every change of one of theirs: of how much each change has moved them."""
    version, amounts = spend_day_versions.c, [spend_day_versions.c[name] for name in AMOUNTS]
    key, known_on = [version[name] for name in _KEY], version.known_on
    moved = (
        select(
            known_on,
            *key,
            *(
                (amount - func.lag(amount, 1, 0).over(partition_by=key, order_by=known_on)).label(amount.name)
                for amount in amounts
            ),
        )
        .where(*where, *held_by(within, spend_day_versions))
        .subquery()
    ).c
    kept = [moved[dimension.value] for dimension in CELL_DIMENSIONS if dimension in grain]
    sums = (
        func.sum(func.sum(moved[name])).over(partition_by=[moved.day, *kept], order_by=moved.known_on)
        for name in AMOUNTS
    )
    totals = (cast(total, amount.type) for total, amount in zip(sums, amounts, strict=True))
    return select(moved.day, moved.known_on, *kept, *totals).group_by(moved.day, moved.known_on, *kept)


async def _changes(
    connection: AsyncConnection, changed: Select[Any], grain: Grain
) -> dict[tuple[date, date], list[tuple[Cell, SpendDay]]]:
    """The cells that changed, by day and by the UTC day on which that became known."""
    count = len(FINEST & grain)
    cells: dict[tuple[str, ...], Cell] = {}
    changes: dict[tuple[date, date], list[tuple[Cell, SpendDay]]] = defaultdict(list)
    for day, known_on, *values in await connection.execute(changed):
        ids = tuple(values[:count])
        if ids not in cells:
            cells[ids] = named(ids, grain)
        changes[day, known_on].append((cells[ids], _spend_day(*values[count:])))
    return changes


def _spend_day(
    billed: Decimal, estimated: Decimal, cost: Decimal, priority: Decimal, unpriced: int, *tokens: int
) -> SpendDay:
    spend = Spend(_money(billed), _money(estimated))
    return SpendDay(spend, EstimatedDay(_money(cost), _money(priority), unpriced, *tokens))


def _money(usd: Decimal) -> Money:
    """Most amounts are zero, and one zero is enough for all of them."""
    return Money(usd) if usd else ZERO


_NOTHING = SpendDay()
