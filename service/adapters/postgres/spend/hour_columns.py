"""Hours of figures as columns: arrays as bytes from the stored profiles, no object a cell and hour on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.hour_profiles import HOURS
from service.adapters.postgres.spend.memory.day_columns import HASH, HeldCells, rows_of
from service.domain.detectors.arrays import Floats, Whole
from service.domain.detectors.columns import CellHours
from service.domain.values.periods import Window
from service.domain.values.utc import DAY, HOUR, utc_day

DAYS_AT_ONCE = 7
"""Days that one statement reads: of 10,000 cells 22 MB."""

_WANTED = "FROM usage_day_profiles WHERE source_id = %s AND day = ANY (%s)"
_PROFILES = f"SELECT day, string_agg(int8send({HASH}), ''), string_agg(array_send(hours), '') {_WANTED} GROUP BY day"
_PROFILE = np.dtype([("head", "V20"), ("hours", [("size", ">i4"), ("dollars", ">f8")], HOURS)])
"""An array of 24 floats as the server sends it: five numbers about it, and before each float its size."""


@dataclass(slots=True)
class _Table:
    """Dollars of a window's hours by the cells' places: [places, hours]. It grows as cells are named."""

    hours: int
    spend: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.spend = np.zeros((0, self.hours))

    def put(self, places: Whole, hours: slice, dollars: Floats) -> None:
        missing = int(places.max(initial=-1)) + 1 - self.spend.shape[0]
        if missing > 0:
            self.spend = np.concatenate([self.spend, np.zeros((missing, self.hours))])
        self.spend[places, hours] = dollars


async def hour_columns_in(connection: AsyncConnection, source_id: str, window: Window, cells: HeldCells) -> CellHours:
    """Every whole hour of a window, in a row, of the cells that spent anything in it. `cells` learns those it lacks."""
    table = _Table((window.end - window.start) // HOUR)
    for days in _stretches(window):
        for day, hashes, sent in await rows_of(connection, _PROFILES, source_id, days):
            places = await cells.places_of(connection, _WANTED, source_id, day, hashes)
            dollars = np.frombuffer(sent, dtype=_PROFILE)["hours"]["dollars"]
            skipped = (window.start - utc_day(day).start) // HOUR
            held, shown = _overlap(skipped, table.hours)
            table.put(places, held, dollars[:, shown])
    return _in_order(table.spend, cells)


def _stretches(window: Window) -> Iterator[list[date]]:
    first = window.start.astimezone(UTC).date()
    last = (window.end - timedelta.resolution).astimezone(UTC).date()
    days = [first + number * DAY for number in range((last - first).days + 1)]
    for start in range(0, len(days), DAYS_AT_ONCE):
        yield days[start : start + DAYS_AT_ONCE]


def _overlap(skipped: int, hours: int) -> tuple[slice, slice]:
    """The hours of the window that lie in a day, and which of the day's they are. `skipped`: of the day before it."""
    first, end = max(0, skipped), min(HOURS, skipped + hours)
    return slice(first - skipped, end - skipped), slice(first, end)


def _in_order(spend: Floats, cells: HeldCells) -> CellHours:
    order, names = cells.roll.ordered()
    there = np.zeros(len(names), dtype=np.bool_)
    there[: spend.shape[0]] = spend.any(axis=1)
    chosen = there[order]
    listed = names if chosen.all() else tuple(name for name, has in zip(names, chosen.tolist(), strict=True) if has)
    return CellHours(listed, spend[order[chosen]])
