"""The present figures that rules read, one row a cell: float copies, of which no amount of money is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Double, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from service.adapters.postgres.spend.hour_columns import hour_columns_in
from service.adapters.postgres.spend.known_buckets import (
    PRESENT,
    Knowledge,
    hours_complete_until,
    hours_read,
    known_hours,
    settled_until,
    unknown_days,
)
from service.adapters.postgres.spend.memory.day_columns import FigureMemory, columns_in
from service.adapters.postgres.spend.spenders.days import SPENDER, spender_days
from service.adapters.postgres.spend.tables import CELL, TOKENS
from service.adapters.postgres.tables import source_states
from service.domain.detectors.memory.baselines import Memo
from service.domain.rules.view import NOTHING, Cells, DayFigures, HourFigures, KnownFigures, StoredCells
from service.domain.spend.lateness import MOST_LATE_DAYS, late_since, mature_until
from service.domain.values.periods import Window
from service.domain.values.scopes import FINEST, Cell, Grain, tells_spenders
from service.domain.values.utc import DAY, HOUR, hour_start, midnight


@dataclass(frozen=True, slots=True)
class Stretch:
    """The days and the hours that figures are asked for, at an instant."""

    as_of: datetime
    days: Sequence[date]
    hours: Window

    @property
    def first(self) -> date:
        return self.days[0]

    @property
    def today(self) -> date:
        return self.days[-1]


def stretch(as_of: datetime, days: int, hours: int) -> Stretch:
    """The last `days` UTC days, today included, and the last `hours` hours that are over."""
    as_of = as_of.astimezone(UTC)
    end = hour_start(as_of)
    span = [as_of.date() - back * DAY for back in range(max(days, 1) - 1, -1, -1)]
    return Stretch(as_of, span, Window(end - hours * HOUR, end))


async def figures_in(
    connection: AsyncConnection,
    memory: FigureMemory,
    source_id: str,
    now: datetime,
    *,
    days: int,
    hours: int,
    grain: Grain = FINEST,
) -> KnownFigures:
    """The figures at `now`, which is the present."""
    asked = stretch(now, days, hours)
    cells: Cells
    if tells_spenders(grain):
        cells, memo = await _spender_cells(connection, source_id, asked), Memo()
    else:
        held = await columns_in(connection, source_id, asked.days, memory)
        cells, memo = StoredCells(held.columns), held.memo
    hourly = None
    if hours:
        known = memory.of(source_id)
        found = await hour_columns_in(connection, source_id, asked.hours, known.cells, known.hours)
        read_at = await usage_read_at(connection, source_id)
        hourly = await hour_figures(connection, source_id, asked.hours, found, PRESENT, read_at)
    return KnownFigures(
        as_of=asked.as_of,
        days=asked.days,
        cells=cells,
        unknown_days=await unknown_days(connection, source_id, asked.days, asked.as_of, PRESENT),
        settled_until=await settled_until(connection, source_id, PRESENT),
        late_since=await read_late_since(connection, source_id, asked),
        hours=hourly,
        memo=memo,
    )


async def read_late_since(connection: AsyncConnection, source_id: str, asked: Stretch) -> date | None:
    """The first closed day that is judged because it was read late; None where none is."""
    since = midnight(asked.today - 2 * MOST_LATE_DAYS * DAY)  # with what was read before an outage
    return late_since(asked.today, await hours_read(connection, source_id, since), asked.as_of)


async def _spender_cells(connection: AsyncConnection, source_id: str, asked: Stretch) -> Cells:
    """The days by actor and product, read each time: few sources tell people apart."""
    days = spender_days([source_id], asked.first, asked.today + DAY)
    cell = [days.c[name] for name in (*CELL, *SPENDER)]
    figures = [func.sum(part) for part in figures_of(days.c)]
    rows = await connection.execute(select(days.c.day, *cell, *figures).group_by(days.c.day, *cell))
    cells: dict[Cell, dict[date, DayFigures]] = {}
    for day, *row in rows:
        known = DayFigures(*row[len(cell) :])
        if known != NOTHING:
            cells.setdefault(Cell(*row[: len(cell)]), {})[day] = known
    return cells


def figures_of(columns: ReadOnlyColumnCollection[str, Any]) -> list[ColumnElement[float]]:
    """The parts of DayFigures, in their order."""
    parts = (columns.billed + columns.estimated, *(columns[name] for name in TOKENS), columns.priority)
    return [cast(part, Double) for part in parts]


async def hour_figures(
    connection: AsyncConnection,
    source_id: str,
    hours: Window,
    cells: Mapping[Cell, Sequence[float]],
    knowledge: Knowledge,
    read_at: datetime | None,
) -> HourFigures:
    """Hours of a window. `cells`: those that spent in it. `read_at`: when usage was read last, None if never."""
    known = [False] * ((hours.end - hours.start) // HOUR)
    for bucket in await known_hours(connection, source_id, hours, knowledge):
        known[(bucket - hours.start) // HOUR] = True
    mature = mature_until(await hours_complete_until(connection, source_id, knowledge), read_at)
    return HourFigures(hours.start, known, cells, mature)


async def usage_read_at(connection: AsyncConnection, source_id: str) -> datetime | None:
    read_at: datetime | None = await connection.scalar(
        select(source_states.c.usage_read_at).where(source_states.c.source_id == source_id)
    )
    return read_at
