"""Hours of figures as columns: arrays as bytes from the stored profiles, no object a cell and hour on the way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, timedelta

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.memory.day_columns import HASH, HeldCells, rows_of
from service.adapters.postgres.spend.memory.hour_blocks import HOURS, NO_HOURS, HeldHours, HourBlock, hour_marks_in
from service.domain.detectors.columns import CellHours, spent_hours
from service.domain.values.periods import Window
from service.domain.values.utc import DAY, HOUR, utc_day

DAYS_AT_ONCE = 7
"""Days that one statement reads: of 10,000 cells 22 MB."""

_WANTED = "FROM usage_day_profiles WHERE source_id = %s AND day = ANY (%s)"
_PROFILES = f"SELECT day, string_agg(int8send({HASH}), ''), string_agg(array_send(hours), '') {_WANTED} GROUP BY day"
_PROFILE = np.dtype([("head", "V20"), ("hours", [("size", ">i4"), ("dollars", ">f8")], HOURS)])
"""An array of 24 floats as the server sends it: five numbers about it, and before each float its size."""


async def hour_columns_in(
    connection: AsyncConnection, source_id: str, window: Window, cells: HeldCells, held: HeldHours
) -> CellHours:
    """Every whole hour of a window, in a row, of the cells that spent anything in it. `cells` learns those it lacks.

    Only the days that have changed since they were read are read; the very object of before where none has.
    """
    days = _days(window)
    # Before the hours: what changes meanwhile is read again.
    marks = await hour_marks_in(connection, source_id, days)
    blocks = held.still(marks)
    changed = [day for day in days if day not in blocks]
    if not changed and held.last and held.last[0] == window:
        return held.last[1]
    read: dict[date, HourBlock] = {}
    for start in range(0, len(changed), DAYS_AT_ONCE):
        read |= await _read(connection, source_id, changed[start : start + DAYS_AT_ONCE], cells)
    held.keep(marks, read, days[-1])
    held.last = None  # two of them are not held at once
    hours = _in_order(blocks | read, window, cells)
    held.last = window, hours
    return hours


async def _read(
    connection: AsyncConnection, source_id: str, days: list[date], cells: HeldCells
) -> dict[date, HourBlock]:
    found: dict[date, HourBlock] = {}
    for day, hashes, sent in await rows_of(connection, _PROFILES, source_id, days):
        places = await cells.places_of(connection, _WANTED, source_id, day, hashes)
        dollars = np.frombuffer(sent, dtype=_PROFILE)["hours"]["dollars"].astype(np.float64)
        found[day] = HourBlock(places, dollars)
    return {day: found.get(day, NO_HOURS) for day in days}


def _days(window: Window) -> list[date]:
    first = window.start.astimezone(UTC).date()
    last = (window.end - timedelta.resolution).astimezone(UTC).date()
    return [first + number * DAY for number in range((last - first).days + 1)]


def _overlap(skipped: int, hours: int) -> tuple[slice, slice]:
    """The hours of the window that lie in a day, and which of the day's they are. `skipped`: of the day before it."""
    first, end = max(0, skipped), min(HOURS, skipped + hours)
    return slice(first - skipped, end - skipped), slice(first, end)


def _in_order(blocks: Mapping[date, HourBlock], window: Window, cells: HeldCells) -> CellHours:
    order, names = cells.roll.ordered()
    there = np.zeros(len(names), dtype=np.bool_)
    for block in blocks.values():
        there[block.places] = True
    chosen = order[there[order]]
    row_of = np.zeros(len(names), dtype=np.int64)
    row_of[chosen] = np.arange(chosen.size)
    spend = np.zeros((chosen.size, (window.end - window.start) // HOUR))
    for day, block in blocks.items():
        held, shown = _overlap((window.start - utc_day(day).start) // HOUR, spend.shape[1])
        spend[row_of[block.places], held] = block.dollars[:, shown]
    listed = names if there.all() else tuple(cells.roll.cells[place] for place in chosen.tolist())
    return spent_hours(listed, spend)
