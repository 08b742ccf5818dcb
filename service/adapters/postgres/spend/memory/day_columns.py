"""Days of figures as columns, read only where they have changed since this process read them last.

Whatever changes a day's spend writes its version in the same transaction (`day_versions.py`), so that the row of that
version tells whether the day is still as it was read. A day without a version is always read.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import psycopg
from psycopg.rows import TupleRow
from sqlalchemy.ext.asyncio import AsyncConnection

from service.adapters.postgres.spend.day_versions import Mark, marks_in
from service.adapters.postgres.spend.memory.hour_blocks import HeldHours
from service.adapters.postgres.spend.memory.sums import SumMemory
from service.adapters.postgres.spend.tables import CELL, TOKENS
from service.domain.detectors.arrays import Whole
from service.domain.detectors.columns import SPEND, CellDays, DayBlock, Roll
from service.domain.detectors.memory.baselines import Memo
from service.domain.spend.best_known import Spend
from service.domain.values.scopes import Cell

DAYS_AT_ONCE = 28
"""Days that one statement reads."""
MOST_CELLS = 12_000
"""Cells that are held in all, of the sources evaluated last; one source alone may have more. 10,000 take some 60 MB."""
MOST_SUMS, MOST_RECENT = 50_000, 5_000
"""Cells and marks of the sums that are held, and of the rows of ten weeks: some 15 MB each."""


class _Places:
    """The place in the roll of a cell's hash. That two of 10,000 cells share one has odds of 1 in 400,000,000,000."""

    def __init__(self) -> None:
        self._hashes = self._places = np.zeros(0, dtype=np.int64)

        self._last: tuple[bytes, Whole] = b"", self._places

    def find(self, sent: bytes) -> Whole:
        """The places of hashes as the server sends them; -1 where one is not known. Most days have the same cells."""
        if sent != self._last[0]:
            self._last = sent, self._found(np.frombuffer(sent, dtype=_WHOLE).astype(np.int64))
        return self._last[1]

    def _found(self, hashes: Whole) -> Whole:
        if not self._hashes.size:
            return np.full(hashes.size, -1)
        at = np.minimum(np.searchsorted(self._hashes, hashes), self._hashes.size - 1)
        return np.where(self._hashes[at] == hashes, self._places[at], -1)

    def add(self, hashes: Iterable[int], places: Iterable[int]) -> None:
        known = dict(zip(self._hashes.tolist(), self._places.tolist(), strict=True)) | dict(
            zip(hashes, places, strict=True)
        )
        self._hashes = np.array(sorted(known), dtype=np.int64)
        self._places = np.array([known[one] for one in self._hashes.tolist()], dtype=np.int64)
        self._last = b"", np.zeros(0, dtype=np.int64)


@dataclass(slots=True)
class HeldCells:
    """The cells of one source that are known by their hashes."""

    roll: Roll = field(default_factory=Roll)
    _places: _Places = field(default_factory=_Places)

    async def places_of(
        self, connection: AsyncConnection, wanted: str, source_id: str, day: date, hashes: bytes
    ) -> Whole:
        """The places of a day's cells in the roll. Where one is missing, the cells that are `wanted` are added."""
        places = self._places.find(hashes)
        if (places < 0).any():
            rows = await rows_of(connection, _CELLS + wanted, source_id, [day])
            self._places.add([row[0] for row in rows], [self.roll.place(Cell(*row[1:])) for row in rows])
            places = self._places.find(hashes)
        return places

    def known(self, hashes: bytes) -> Whole:
        """The places of cells that have one."""
        return self._places.find(hashes)


@dataclass(slots=True)
class _Held:
    """The days and hours of one source with their marks, and the memo of the days up to `today`.

    `most`: how many days somebody has asked for, so that who asks for fewer does not have them forgotten.
    """

    cells: HeldCells = field(default_factory=HeldCells)
    days: dict[date, tuple[Mark | None, DayBlock]] = field(default_factory=dict)
    hours: HeldHours = field(default_factory=HeldHours)
    memo: Memo = field(default_factory=Memo)
    today: date = date.min
    most: int = 0

    def turn_to(self, days: Sequence[date]) -> None:
        """Learning begins with the first day that is looked at, which moves on with today."""
        self.most = max(self.most, len(days))
        if self.today != days[-1]:
            self.today, self.memo = days[-1], Memo()
            self.days = {day: known for day, known in self.days.items() if (self.today - day).days < self.most}


class FigureMemory:
    """The days that a process holds, by source. Never an input: each is read again by what marks it."""

    def __init__(self) -> None:
        self._sources: OrderedDict[str, _Held] = OrderedDict()
        self.spend: SumMemory[Spend] = SumMemory(MOST_SUMS)
        self.recent: SumMemory[tuple[float, ...]] = SumMemory(MOST_RECENT)

    def __len__(self) -> int:
        """How many sources are held."""
        return len(self._sources)

    def of(self, source_id: str) -> _Held:
        held = self._sources.setdefault(source_id, _Held())
        self._sources.move_to_end(source_id)
        while len(self._sources) > 1 and sum(len(one.cells.roll.cells) for one in self._sources.values()) > MOST_CELLS:
            self._sources.popitem(last=False)
        return held


@dataclass(frozen=True, slots=True)
class HeldDays:
    """`memo`: what was learnt of these very days before."""

    columns: CellDays
    memo: Memo


async def columns_in(
    connection: AsyncConnection, source_id: str, days: Sequence[date], memory: FigureMemory
) -> HeldDays:
    """The figures of days in a row, the last of which is today."""
    held = memory.of(source_id)
    held.turn_to(days)
    # Before the days: what changes meanwhile is read again.
    marks = await marks_in(connection, source_id, days[0], days[-1])
    fresh = [day for day in days if day in marks and day in held.days and held.days[day][0] == marks[day]]
    blocks = {day: held.days[day][1] for day in fresh}
    changed = [day for day in days if day not in blocks]
    for start in range(0, len(changed), DAYS_AT_ONCE):
        blocks |= await _read(connection, source_id, changed[start : start + DAYS_AT_ONCE], held)
    held.days |= {day: (marks.get(day), blocks[day]) for day in changed}
    return HeldDays(CellDays(held.cells.roll, {day: blocks[day] for day in days if blocks[day].places.size}), held.memo)


HASH = f"hashtextextended({CELL[0]}, hashtextextended({CELL[1]}, hashtextextended({CELL[2]}, 0)))"
_WANTED = "FROM spend_days WHERE source_id = %s AND day = ANY (%s)"
_BLOCKS = (
    f"SELECT day, string_agg(int8send({HASH}), ''), string_agg(float8send((billed + estimated)::float8), ''), "
    + ", ".join(f"string_agg(int8send({name}), '')" for name in TOKENS)
    + f", string_agg(int8send({HASH}), '') FILTER (WHERE priority <> 0)"
    + f", string_agg(float8send(priority::float8), '') FILTER (WHERE priority <> 0) {_WANTED} GROUP BY day"
)
_CELLS = f"SELECT {HASH}, {', '.join(CELL)} "
_WHOLE, _FLOAT = np.dtype(">i8"), np.dtype(">f8")
"""Numbers in the order of bytes that the server sends."""


async def _read(connection: AsyncConnection, source_id: str, days: list[date], held: _Held) -> dict[date, DayBlock]:
    """Arrays as bytes: no object is made of a cell's day on the way."""
    found: dict[date, DayBlock] = {}
    for day, hashes, spend, *tokens, few, priority in await rows_of(connection, _BLOCKS, source_id, days):
        places = await held.cells.places_of(connection, _WANTED, source_id, day, hashes)
        figures = np.zeros((len(tokens) + 2, places.size))
        figures[SPEND] = np.frombuffer(spend, dtype=_FLOAT)
        for row, each in enumerate(tokens, SPEND + 1):
            figures[row] = np.frombuffer(each, dtype=_WHOLE)
        if few is not None:
            with_priority = held.cells.known(few)
            at = np.isin(places, with_priority)
            order = np.argsort(places[at]), np.argsort(with_priority)
            figures[-1, np.flatnonzero(at)[order[0]]] = np.frombuffer(priority, dtype=_FLOAT)[order[1]]
        there = figures.any(axis=0)
        found[day] = DayBlock(places[there], figures[:, there])
    return {day: found.get(day, _NO_CELLS) for day in days}


_NO_CELLS = DayBlock(np.zeros(0, dtype=np.int64), np.zeros((len(TOKENS) + 2, 0)))


async def rows_of(connection: AsyncConnection, statement: str, source_id: str, days: list[date]) -> list[TupleRow]:
    """The answer to a statement about some days of a source, numbers as the server sends them."""
    raw: Any = (await connection.get_raw_connection()).driver_connection
    assert isinstance(raw, psycopg.AsyncConnection)
    async with raw.cursor(binary=True) as cursor:
        await cursor.execute(statement, (source_id, days))
        return await cursor.fetchall()
