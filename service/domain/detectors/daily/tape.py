"""The newest days of many series, of which the next day's share all but one: a day more is written once, not copied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

Cell = TypeVar("Cell", bound=np.generic)

ROOM = 28
"""Days that fit behind a window before it moves to an array of its own. Few: who looks back keeps the one before it."""


class _Roll(Generic[Cell]):
    """[days, series]; the first `written` days are, and never change."""

    def __init__(self, days: npt.NDArray[Cell], written: int) -> None:
        self.days, self.written = days, written


@dataclass(frozen=True, slots=True, eq=False)
class Tape(Generic[Cell]):
    """A window of `width` days that ends before day `end` of a roll. A value: `pushed` gives a new one."""

    _roll: _Roll[Cell]
    width: int
    end: int

    @classmethod
    def of(cls, cells: npt.NDArray[Cell]) -> Tape[Cell]:
        """`cells`: [series, days]."""
        series, width = cells.shape
        days = np.empty((width + ROOM, series), dtype=cells.dtype)
        days[:width] = cells.T
        return cls(_Roll(days, width), width, width)

    @property
    def cells(self) -> npt.NDArray[Cell]:
        """[series, days], the newest day last; a day's cells lie side by side in memory."""
        window = self._roll.days[self.end - self.width : self.end].T
        window.flags.writeable = False
        return window

    def pushed(self, newest: npt.NDArray[Cell]) -> Tape[Cell]:
        """The window moved on by one day: `newest` is [series]."""
        roll = self._roll
        if self.end < roll.written or self.end == roll.days.shape[0]:
            return Tape.of(self.cells).pushed(newest)  # another day was written here, or the roll is full
        roll.days[self.end] = newest
        roll.written += 1
        return Tape(roll, self.width, self.end + 1)
