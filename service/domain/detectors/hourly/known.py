"""Hours of many cells as they became known: the amount of each when first read, and its restatements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from service.domain.detectors.arrays import Flags, Floats, Whole
from service.domain.spend.lateness import mature_until
from service.domain.values.scopes import Cell
from service.domain.values.utc import HOUR

NEVER = np.inf
"""The instant of what has not happened."""


@dataclass(frozen=True, slots=True, eq=False)
class Restated:
    """Amounts that an hour had from a later instant on, in the order in which they became known.

    Each [restatements]. `at`: POSIX seconds. `rows` and `places`: where in the amounts. `amounts`: US dollars.
    """

    at: Floats
    rows: Whole
    places: Whole
    amounts: Floats


NOTHING_RESTATED = Restated(
    np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float64)
)


@dataclass(frozen=True, slots=True, eq=False)
class HourVersions:
    """Estimated US dollars of consecutive UTC hours, the first of which starts at `first`. Copies, not money.

    `cells` names the cell of every row; rows of one cell are added up. `amounts`: [rows, hours], as first read after
    the hour's end. `known_at`: when a report first contained the hour, `complete_at`: when it was first read after its
    end; each [hours], POSIX seconds, NEVER where that has not happened.
    """

    first: datetime
    cells: Sequence[Cell]
    amounts: Floats
    known_at: Floats
    complete_at: Floats
    restated: Restated = NOTHING_RESTATED

    @property
    def hours(self) -> int:
        return int(self.amounts.shape[1])

    def since(self, first: datetime) -> HourVersions:
        """The hours from an instant on; all, where they begin no earlier."""
        gone, restated = max(0, (first - self.first) // HOUR), self.restated
        later = restated.places >= gone
        return HourVersions(
            self.first + gone * HOUR,
            self.cells,
            self.amounts[:, gone:],
            self.known_at[gone:],
            self.complete_at[gone:],
            Restated(restated.at[later], restated.rows[later], restated.places[later] - gone, restated.amounts[later]),
        )

    def followed_by(self, later: HourVersions) -> HourVersions:
        """These hours and those that come right after them. Each has every cell once."""
        rows = {cell: row for row, cell in enumerate(dict.fromkeys([*self.cells, *later.cells]))}
        mine, theirs = (np.array([rows[cell] for cell in each.cells], dtype=np.int64) for each in (self, later))
        amounts = np.zeros((len(rows), self.hours + later.hours))
        amounts[mine, : self.hours] = self.amounts
        amounts[theirs, self.hours :] = later.amounts
        told, more = self.restated, later.restated
        at = np.concatenate([told.at, more.at])
        order = np.argsort(at, kind="stable")
        restated = Restated(
            at[order],
            np.concatenate([mine[told.rows], theirs[more.rows]])[order],
            np.concatenate([told.places, more.places + self.hours])[order],
            np.concatenate([told.amounts, more.amounts])[order],
        )
        known_at = np.concatenate([self.known_at, later.known_at])
        complete_at = np.concatenate([self.complete_at, later.complete_at])
        return HourVersions(self.first, list(rows), amounts, known_at, complete_at, restated)


@dataclass(frozen=True, slots=True)
class LearntHours:
    """The places of the hours of which an instant has brought news: of their amounts, or that a report has them."""

    places: Whole
    heard: Whole

    def reaches_before(self, place: int) -> bool:
        """Whether some of them lie before a place."""
        return bool((self.places < place).any() or (self.heard < place).any())


class KnownHours:
    """The hours as they are known at an instant that only moves on.

    `cells` are those of the versions, each once; `amounts`: [cells, hours], 0 where nothing was read (or not since the
    hour has ended: while an hour runs, what is read of it is not kept). `known`: [hours].
    """

    def __init__(self, versions: HourVersions) -> None:
        self.first = versions.first
        self.cells, self._order, self._starts = _parted(versions.cells)
        self.amounts: Floats = np.zeros((len(self.cells), versions.hours))
        self.known: Flags = np.zeros(versions.hours, dtype=np.bool_)
        self.read_at = -NEVER
        self._versions = versions
        self._rows: Floats = np.zeros_like(versions.amounts)
        self._heard = _Instants(versions.known_at)
        self._closed = _Instants(versions.complete_at)
        self._restated = 0
        self._complete = -1

    def learn_until(self, now: datetime) -> LearntHours:
        """Takes in what became known up to an instant."""
        at, versions, restated = now.timestamp(), self._versions, self._versions.restated
        heard, closed = self._heard.until(at), self._closed.until(at)
        self.known[heard] = True
        self._rows[:, closed] = versions.amounts[:, closed]
        upto = int(np.searchsorted(restated.at, at, side="right"))
        again = slice(self._restated, upto)
        self._restated = upto
        self._rows[restated.rows[again], restated.places[again]] = restated.amounts[again]
        places = np.unique(np.concatenate([closed, restated.places[again]])) if upto > again.start else closed
        if self.cells and places.size:
            self.amounts[:, places] = self._by_cell(self._rows[:, places])
        self._note_reading(heard, closed)
        return LearntHours(places, heard)

    def first_read(self, start: int, end: int) -> Floats:
        """The hours from a place to before another as they are first read, whether that has happened yet or not."""
        return self._by_cell(self._versions.amounts[:, start:end])

    def _by_cell(self, rows: Floats) -> Floats:
        return np.asarray(np.add.reduceat(rows[self._order], self._starts, axis=0), dtype=np.float64)

    def newest(self, start: int, end: int, most: int) -> list[int]:
        """The places of the last known hours from `start` to before `end`, in their order."""
        found: list[int] = []
        for place in range(end - 1, start - 1, -1):
            if self.known[place]:
                found.append(place)
            if len(found) == most:
                break
        return found[::-1]

    def mature_until(self) -> datetime | None:
        """The end of the newest hour that is as complete as it gets."""
        if self._complete < 0:
            return None
        return mature_until(self.first + (self._complete + 1) * HOUR, datetime.fromtimestamp(self.read_at, UTC))

    def _note_reading(self, heard: Whole, closed: Whole) -> None:
        """When something new was read last, and the newest hour that was read whole."""
        read = [instants[places].max() for instants, places in self._news(heard, closed) if places.size]
        self.read_at = max([self.read_at, *map(float, read)])
        self._complete = max(self._complete, int(closed.max(initial=-1)))

    def _news(self, heard: Whole, closed: Whole) -> Sequence[tuple[Floats, Whole]]:
        return (self._versions.known_at, heard), (self._versions.complete_at, closed)


class _Instants:
    """Places in the order of their instants, taken one stretch after the other."""

    def __init__(self, instants: Floats) -> None:
        order = np.argsort(instants, kind="stable")
        self._places = np.asarray(order[np.isfinite(instants[order])], dtype=np.int64)
        self._instants = instants[self._places]
        self._taken = 0

    def until(self, at: float) -> Whole:
        upto = int(np.searchsorted(self._instants, at, side="right"))
        taken = self._places[self._taken : upto]
        self._taken = max(self._taken, upto)
        return taken


def _parted(cells: Sequence[Cell]) -> tuple[tuple[Cell, ...], Whole, Whole]:
    """Each cell once; the rows in the order of their cells; and where in that order each cell begins."""
    rows: dict[Cell, list[int]] = {}
    for row, cell in enumerate(cells):
        rows.setdefault(cell, []).append(row)
    order = np.array([row for each in rows.values() for row in each], dtype=np.int64)
    counts = np.array([len(each) for each in rows.values()], dtype=np.int64)
    return tuple(rows), order, np.cumsum(counts) - counts
