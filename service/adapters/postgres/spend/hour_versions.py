"""Versions of hours of usage: today's profiles, and the revisions of hours that were restated since a first reading.

Most hours are read once after their end and never change: their profile is all there is. Only the restated hours of a
cell are put together from its revisions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import ARRAY, CTE, ColumnElement, Double, Select, and_, any_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.column_types import Instant
from service.adapters.postgres.spend.bill_and_usage import is_spend
from service.adapters.postgres.spend.hour_profiles import HOURS, profiles_in
from service.adapters.postgres.spend.packed_doubles import PackedDoubles
from service.adapters.postgres.spend.partitions import without_nested_loops
from service.adapters.postgres.spend.tables import CELL, known_buckets, revisions, series, usage_day_profiles
from service.domain.detectors.hourly.known import NEVER, HourVersions, Restated
from service.domain.spend.rows import Width
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell
from service.domain.values.utc import DAY, HOUR

READ_AT_ONCE = 31 * DAY
A_MICROSECOND = 1e-6
"""In seconds: as exactly as instants are stored."""

Floats = npt.NDArray[np.float64]


@dataclass
class _Amounts:
    """Amounts as they are put together: [cells, hours]; and restatements, one list for each column of `Restated`."""

    window: Window
    rows: dict[Cell, int]
    amounts: Floats
    known_at: Floats
    complete_at: Floats
    restated: list[tuple[Floats, ...]] = field(default_factory=list)

    def place(self, instant: datetime) -> int:
        return (instant - self.window.start) // HOUR


async def hour_versions_in(connection: AsyncConnection, source_id: str, window: Window, most: int) -> HourVersions:
    cells = await _cells(connection, source_id, window)
    window = _shortened(window, max(1, most // max(1, len(cells))))
    hours = (window.end - window.start) // HOUR
    known = _Amounts(
        window,
        {cell: row for row, cell in enumerate(cells)},
        np.zeros((len(cells), hours)),
        np.full(hours, NEVER),
        np.full(hours, NEVER),
    )
    await _read_buckets(connection, source_id, known)
    for part in _parts(window):
        await _read_profiles(connection, source_id, part, known)
    async with without_nested_loops(connection):
        for part in _parts(window):
            await _read_restated(connection, source_id, part, known)
    return HourVersions(window.start, cells, known.amounts, known.known_at, known.complete_at, _restated(known))


async def _cells(connection: AsyncConnection, source_id: str, window: Window) -> list[Cell]:
    profile = usage_day_profiles.c
    cell = [profile[name] for name in CELL]
    rows = await connection.execute(
        select(*cell)
        .where(profile.source_id == source_id, profile.day >= window.start.date(), profile.day < window.end.date())
        .group_by(*cell)
        .order_by(*cell)
    )
    return [Cell(*names) for names in rows]


def _shortened(window: Window, hours: int) -> Window:
    """The last days of the window, of so many hours at most."""
    days = min(max(1, hours // HOURS), (window.end - window.start) // DAY)
    return Window(window.end - days * DAY, window.end)


def _parts(window: Window) -> Iterable[Window]:
    start = window.start
    while start < window.end:
        end = min(start + READ_AT_ONCE, window.end)
        yield Window(start, end)
        start = end


async def _read_buckets(connection: AsyncConnection, source_id: str, known: _Amounts) -> None:
    """Notes when hours were read. One whose reading was not noted counts as known at its end."""
    bucket = known_buckets.c
    rows = await connection.execute(
        select(bucket.bucket, bucket.known_at, bucket.complete, bucket.complete_at).where(
            bucket.source_id == source_id, *_within(bucket.bucket, known.window), bucket.width == Width.HOUR.value
        )
    )
    for start, known_at, is_complete, complete_at in rows:
        place, end = known.place(start), start + HOUR
        known.known_at[place] = (known_at or end).timestamp()
        if is_complete:
            known.complete_at[place] = (complete_at or end).timestamp()


async def _read_profiles(connection: AsyncConnection, source_id: str, part: Window, known: _Amounts) -> None:
    """Fills in the amounts as they are known now."""
    first: date = part.start.date()
    offset, days = known.place(part.start), (part.end - part.start) // DAY
    for cell, (numbers, hours) in (await profiles_in(connection, source_id, first, first + days * DAY)).items():
        row = known.amounts[known.rows[cell], offset : offset + days * HOURS].reshape(days, HOURS)
        row[numbers] = hours


async def _read_restated(connection: AsyncConnection, source_id: str, part: Window, known: _Amounts) -> None:
    """Sets amounts back to those of the first complete reading of their hours; keeps the restatements."""
    restated = list(await connection.scalars(_restated_buckets(source_id, part)))
    if not restated:
        return
    for workspace, model, api_key, starts, instants, dollars in await connection.execute(_by_cell(source_id, restated)):
        row = known.rows.get(Cell(workspace, model, api_key))
        if row is None:
            continue
        hours = (starts - known.window.start.timestamp()) / HOUR.total_seconds()
        places = np.rint(hours).astype(np.int64)
        later = instants > known.complete_at[places] + A_MICROSECOND / 2
        known.amounts[row, places] = 0.0  # an hour without the cell was read before the first of these
        known.amounts[row, places[~later]] = dollars[~later]
        rows = np.full(int(later.sum()), float(row))
        known.restated.append((instants[later], rows, places[later].astype(np.float64), dollars[later]))


_TOLD_AGAIN = and_(
    known_buckets.c.source_id == revisions.c.source_id,
    known_buckets.c.width == revisions.c.width,
    known_buckets.c.bucket == revisions.c.bucket,
    revisions.c.known_at > known_buckets.c.complete_at,
)
"""Whether a revision came after its hour had been read whole."""


def _restated_buckets(source_id: str, part: Window) -> Select[Any]:
    """The hours that some cell was restated in: of most days a few, and only these are read whole."""
    bucket = revisions.c.bucket
    return (
        select(bucket)
        .distinct()
        .join_from(revisions, known_buckets, _TOLD_AGAIN)
        .where(*_of_hours(source_id), *_within(bucket, part))
    )


def _by_cell(source_id: str, hours: Sequence[datetime]) -> Select[Any]:
    """Hours, instants and amounts (dollars) of every restated hour, by cell.

    Cells go by the number of one of their series: sorting by their names would take most of the time.
    """
    cell = tuple(series.c[name] for name in CELL)
    numbered = (
        select(series.c.id, func.min(series.c.id).over(partition_by=cell).label("cell"))
        .where(series.c.source_id == source_id, is_spend())
        .cte("numbered")
    )
    states = _states(source_id, hours, numbered).subquery()
    columns = (_epoch(states.c.bucket), _epoch(states.c.known_at), states.c.amount)
    lists = (
        select(states.c.cell, *(func.array_agg(column, type_=PackedDoubles()).label(None) for column in columns))
        .group_by(states.c.cell)
        .subquery()
    )
    return select(*cell, *list(lists.c)[1:]).join_from(lists, series, series.c.id == lists.c.cell)


def _states(source_id: str, hours: Sequence[datetime], numbered: CTE) -> Select[Any]:
    """The amounts of each of these cells' hours, and the instant from which each was known."""
    moves = _moves(source_id, hours, numbered).subquery()
    key = (moves.c.cell, moves.c.bucket)
    total = func.sum(func.sum(moves.c.moved)).over(partition_by=key, order_by=moves.c.known_at)
    return select(*key, moves.c.known_at, cast(total, Double).label("amount")).group_by(*key, moves.c.known_at)


def _moves(source_id: str, hours: Sequence[datetime], numbered: CTE) -> Select[Any]:
    """How much each revision of these cells' hours moved its amount."""
    revision, restated = revisions.c, _restated_hours(source_id, hours, numbered).subquery()
    amount = func.coalesce(revision.amount, 0)
    earlier = func.lag(amount, 1, 0).over(partition_by=(revision.bucket, revision.series_id), order_by=revision.id)
    return (
        select(numbered.c.cell, revision.bucket, revision.known_at, (amount - earlier).label("moved"))
        .join_from(revisions, numbered, numbered.c.id == revision.series_id)
        .join(restated, and_(restated.c.cell == numbered.c.cell, restated.c.bucket == revision.bucket))
        .where(*_of_hours(source_id), _among(hours))
    )


def _restated_hours(source_id: str, hours: Sequence[datetime], numbered: CTE) -> Select[Any]:
    """The hours of cells that were restated after their first complete reading."""
    return (
        select(revisions.c.bucket, numbered.c.cell)
        .distinct()
        .join_from(revisions, numbered, numbered.c.id == revisions.c.series_id)
        .join(known_buckets, _TOLD_AGAIN)
        .where(*_of_hours(source_id), _among(hours))
    )


def _of_hours(source_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return revisions.c.source_id == source_id, revisions.c.width == Width.HOUR.value


def _among(hours: Sequence[datetime]) -> ColumnElement[bool]:
    return revisions.c.bucket == any_(cast(hours, ARRAY(Instant)))


def _epoch(instant: ColumnElement[datetime]) -> ColumnElement[float]:
    return cast(func.extract("epoch", instant), Double)


def _within(bucket: ColumnElement[datetime], window: Window) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return bucket >= window.start, bucket < window.end


def _restated(known: _Amounts) -> Restated:
    """In the order in which they became known."""
    columns = [np.concatenate(parts) for parts in zip(*known.restated, strict=True)] or [np.zeros(0)] * 4
    order = np.argsort(columns[0], kind="stable")
    at, rows, places, amounts = (column[order] for column in columns)
    return Restated(at, rows.astype(np.int64), places.astype(np.int64), amounts)
