"""Figures of many cells in many days as columns: no object a cell and day.

Float copies of dollars and tokens, by which spend is judged; no amount of money is made of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np

from service.domain.detectors.arrays import Floats, Whole
from service.domain.values.scopes import Cell

SPEND = 0
"""The first of the figures of a cell's day: its best-known dollars."""


class Roll:
    """Every cell ever seen of a source, each at a place that it keeps."""

    def __init__(self) -> None:
        self.cells: list[Cell] = []
        self._places: dict[Cell, int] = {}
        self._ordered: tuple[Whole, tuple[Cell, ...]] = np.zeros(0, dtype=np.int64), ()

    def place(self, cell: Cell) -> int:
        """The cell's place; a new one is added."""
        if cell not in self._places:
            self._places[cell] = len(self.cells)
            self.cells.append(cell)
        return self._places[cell]

    def find(self, cell: Cell) -> int | None:
        return self._places.get(cell)

    def places(self, cells: Iterable[Cell]) -> Whole:
        """The places of these cells; new ones are added."""
        return np.array([self.place(cell) for cell in cells], dtype=np.int64)

    def ordered(self) -> tuple[Whole, tuple[Cell, ...]]:
        """All places in the order of workspace, model and API key, and their cells; the same until one is new."""
        if len(self._ordered[1]) < len(self.cells):
            places = sorted(range(len(self.cells)), key=lambda at: in_order(self.cells[at]))
            self._ordered = np.array(places, dtype=np.int64), tuple(self.cells[at] for at in places)
        return self._ordered


@dataclass(frozen=True, slots=True, eq=False)
class DayBlock:
    """One day: the places of its cells in the roll, and their figures, [figures, cells]. Never written to."""

    places: Whole
    figures: Floats

    def with_at_least(self, places: Whole, dollars: Floats) -> DayBlock:
        """The same day with no less than so many dollars of each of these cells; one without figures is added."""
        size = 1 + max(int(places.max(initial=-1)), int(self.places.max(initial=-1)))
        there, figures = np.zeros(size, dtype=np.bool_), np.zeros((self.figures.shape[0], size))
        there[self.places], figures[:, self.places] = True, self.figures
        more = dollars > figures[SPEND, places]
        there[places[more]], figures[SPEND, places[more]] = True, dollars[more]
        found = np.flatnonzero(there)
        return DayBlock(found, figures[:, found])


def day_block(roll: Roll, days: Sequence[tuple[Cell, Sequence[float]]], figures: int) -> DayBlock:
    """One day of cells, with so many figures of each."""
    columns = np.array([each for _, each in days], dtype=np.float64).reshape(len(days), figures).T
    return DayBlock(roll.places(cell for cell, _ in days), np.ascontiguousarray(columns))


NO_CELLS = DayBlock(np.zeros(0, dtype=np.int64), np.zeros((1, 0)))


@dataclass(frozen=True, eq=False)
class CellDays:
    """The days of a source. `blocks`: a day without figures of any cell may be left out.

    `like`: other days of the same roll, most of which are these; what was made of them is made of the others alone.
    """

    roll: Roll
    blocks: Mapping[date, DayBlock]
    like: CellDays | None = None
    _found: dict[object, Floats] = field(default_factory=dict)
    _by_cell: _ByCell | None = None

    def with_more(self, blocks: Mapping[date, DayBlock]) -> CellDays:
        """The same with these days in place of what there was of them: no cell has lost its figures in them."""
        return CellDays(self.roll, {**self.blocks, **blocks}, like=self)

    def cells(self) -> tuple[Cell, ...]:
        """The cells with figures, in the order of workspace, model and API key."""
        return self._present[1]

    def members(self) -> Mapping[Cell, int]:
        """The places of `cells()`."""
        return self._members

    @cached_property
    def _members(self) -> Mapping[Cell, int]:
        return {cell: at for at, cell in enumerate(self.cells())}

    def spend(self, days: Sequence[date], cells: Sequence[Cell]) -> Floats:
        """Dollars of these cells in these days in a row, 0 where there is no figure: [cells, days], by day."""
        wanted = days[0], len(days)
        if wanted not in self._found:
            self._found[wanted] = self._spend(days)
        whole, known = self._found[wanted], self.cells()
        if cells == known:
            return whole
        places = self.members()
        rows = np.array([places.get(cell, -1) for cell in cells], dtype=np.int64)
        return (
            np.asfortranarray(np.where((rows >= 0)[:, None], whole[rows], 0.0))
            if known
            else np.zeros((len(cells), len(days)), order="F")
        )

    def of(self, cell: Cell) -> list[tuple[date, list[float]]]:
        """The figures of one cell by day."""
        place = self.roll.find(cell)
        if place is None:
            return []
        if self._by_cell is None:
            object.__setattr__(self, "_by_cell", _by_cell(self.blocks))
        assert self._by_cell is not None
        return self._by_cell.of(place)

    def spent_on(self, day: date, cells: Iterable[Cell]) -> list[float]:
        """The dollars of each of these cells on one day; 0 where there is no figure."""
        block = self.blocks.get(day, NO_CELLS)
        spent = dict(zip(block.places.tolist(), block.figures[SPEND].tolist(), strict=True))
        places = (self.roll.find(cell) for cell in cells)
        return [0.0 if place is None else spent.get(place, 0.0) for place in places]

    @cached_property
    def _present(self) -> tuple[Whole, tuple[Cell, ...]]:
        if self.like is not None and self._has_no_more(self.like):
            return self.like._present
        order, cells = self.roll.ordered()
        there = np.zeros(len(cells), dtype=np.bool_)
        for block in self.blocks.values():
            there[block.places] = True
        if there.all():
            return order, cells
        chosen = there[order]
        return order[chosen], tuple(cell for cell, is_there in zip(cells, chosen.tolist(), strict=True) if is_there)

    def _has_no_more(self, like: CellDays) -> bool:
        """Whether no cell has figures on the changed days that has none on the others."""
        there = np.zeros(len(self.roll.cells), dtype=np.bool_)
        there[like._present[0]] = True
        return all(there[block.places].all() for block in self._changed(like).values())

    def _changed(self, like: CellDays) -> Mapping[date, DayBlock]:
        return {day: block for day, block in self.blocks.items() if like.blocks.get(day) is not block}

    def _spend(self, days: Sequence[date]) -> Floats:
        order, cells = self._present
        at = np.zeros(len(self.roll.cells), dtype=np.int64)
        at[order] = np.arange(order.size)
        if self.like is not None and self.like._present[1] is cells:
            spend, blocks = self.like.spend(days, cells).T.copy(), self._changed(self.like)
        else:
            spend, blocks = np.zeros((len(days), len(cells))), self.blocks
        for row, day in enumerate(days):
            if day in blocks:
                spend[row] = 0.0
                spend[row, at[blocks[day].places]] = blocks[day].figures[SPEND]
        return np.asarray(spend.T, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _ByCell:
    """All figures in the order of their cells' places: [figures]; `days` are the numbers of their days."""

    names: tuple[date, ...]
    days: Whole
    places: Whole
    figures: Floats

    def of(self, place: int) -> list[tuple[date, list[float]]]:
        first, end = np.searchsorted(self.places, [place, place + 1])
        numbers, figures = self.days[first:end].tolist(), self.figures[:, first:end].T.tolist()
        return [(self.names[number], each) for number, each in zip(numbers, figures, strict=True)]


def _by_cell(blocks: Mapping[date, DayBlock]) -> _ByCell:
    held = list(blocks.values()) or [NO_CELLS]
    places = np.concatenate([block.places for block in held])
    order = np.argsort(places, kind="stable")
    days = np.repeat(np.arange(len(held)), [block.places.size for block in held])
    figures = np.concatenate([block.figures for block in held], axis=1)
    return _ByCell(tuple(blocks), days[order], places[order], figures[:, order])


@dataclass(frozen=True, eq=False)
class CellHours(Mapping[Cell, Sequence[float]]):
    """Consecutive hours of cells. `names`: in the order of workspace, model and API key, each with spend in some hour.

    `spend`: dollars, [cells, hours]. `foreseen`: those of the next hours, as far as a replay knows how they will be
    read. Nothing is found by them: what is made of them beforehand serves once the hours have come just so.
    """

    names: tuple[Cell, ...]
    spend: Floats
    foreseen: Floats | None = None

    @cached_property
    def _rows(self) -> Mapping[Cell, int]:
        return {cell: row for row, cell in enumerate(self.names)}

    def __getitem__(self, cell: Cell) -> Sequence[float]:
        hours: list[float] = self.spend[self._rows[cell]].tolist()
        return hours

    def __iter__(self) -> Iterator[Cell]:
        return iter(self.names)

    def __contains__(self, cell: object) -> bool:
        return cell in self._rows

    def __len__(self) -> int:
        return len(self.names)

    def of(self, cells: Sequence[Cell]) -> Floats:
        """The hours of these cells, 0 where there is no figure: [cells, hours]."""
        return self._of(cells, self.spend)

    def foreseen_of(self, cells: Sequence[Cell]) -> Floats | None:
        """The same of the hours to come; None where they are not foreseen."""
        return None if self.foreseen is None else self._of(cells, self.foreseen)

    def _of(self, cells: Sequence[Cell], hours: Floats) -> Floats:
        if cells == self.names:
            return hours
        rows = np.array([self._rows.get(cell, -1) for cell in cells], dtype=np.int64)
        found = np.zeros((len(cells), hours.shape[1]))
        found[rows >= 0] = hours[rows[rows >= 0]]
        return found

    def since(self, place: int) -> CellHours:
        """The hours from a place on."""
        return spent_hours(self.names, self.spend[:, place:], self.foreseen)


def spent_hours(cells: tuple[Cell, ...], hours: Floats, foreseen: Floats | None = None) -> CellHours:
    """The hours of those cells that have spent anything: [cells, hours]."""
    there = hours.any(axis=1)
    if there.all():
        return CellHours(cells, hours, foreseen)
    names = tuple(cells[row] for row in np.flatnonzero(there).tolist())
    return CellHours(names, hours[there], None if foreseen is None else foreseen[there])


def columns_of(rows: Iterable[Sequence[float]], width: int) -> Floats:
    """Rows of figures as columns: [rows, width], a column's side by side."""
    listed = list(rows)
    return np.asfortranarray(np.array(listed, dtype=np.float64).reshape(len(listed), width))


def with_gaps(cells: Floats, unknown: Iterable[int]) -> Floats:
    """The same with NaN in some of the columns."""
    places = [place for place in unknown if 0 <= place < cells.shape[1]]
    if not places:
        return cells
    gaps = cells.copy(order="K")
    gaps[:, places] = np.nan
    return gaps


def in_order(cell: Cell) -> tuple[str, ...]:
    return cell.workspace, cell.model, cell.api_key, cell.actor, cell.product
