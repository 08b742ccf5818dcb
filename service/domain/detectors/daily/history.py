"""The state of a daily detector from one day to the next: eight weeks of every series.

A history is a value. `fresh` starts it, `followed_by` adds one closed day, and the two corrections that people may
make (`accepting`, `taking_out`) give a new one. The raw amounts are never overwritten: `kept` is what baselines read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from service.domain.detectors.arrays import Flags, Floats, Whole, known_or_zero
from service.domain.detectors.daily.tape import Tape

WINDOW = 56
"""Days: eight whole weeks, so that column 0 is always today's weekday."""
WEEK = 7
MONTH = 28
SEEN = 98
"""Days that hold the last three of any monthly rhythm, first Mondays among them."""
RESTART_DAYS = 14


@dataclass(frozen=True, slots=True, eq=False)
class Tapes:
    """The days of a history. calm: the day was much like the same weekday of the week before, by `is_calm`.

    rose: its score was 1 or more, and its excess the gate's share. low: a steady series spent far less than was
    expected, and no calendar says why. above: dollars above normal of the last 98 days, of
    days that stood out, 0 of others.
    """

    raw: Tape[np.float64]
    kept: Tape[np.float64]
    expected: Tape[np.float64]
    known: Tape[np.bool_]
    calm: Tape[np.bool_]
    rose: Tape[np.bool_]
    low: Tape[np.bool_]
    above: Tape[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Arrays [series, 56 days], the newest day last; cells before a series' first spend are NaN.

    `tapes` holds them by day, so that a day more copies none of the others.
    raw: dollars as billed. kept: the same with anomalous days counted at the cap they had that day.
    expected: what was expected of the day.
    known: the day's amount was known. ages: days since the first spend. noise: a `Noise` class; `leaning` for `streak`
    days towards another one. since_accepted: days of a new, accepted level; 0 when none is in force.
    lows: closed days in a row far below what was expected. held: days in a row well above what was usual before them.
    """

    tapes: Tapes
    ages: Whole
    noise: Whole
    leaning: Whole
    streak: Whole
    since_accepted: Whole
    lows: Whole
    held: Whole

    @property
    def size(self) -> int:
        return int(self.ages.shape[0])

    @property
    def raw(self) -> Floats:
        return self.tapes.raw.cells

    @property
    def kept(self) -> Floats:
        return self.tapes.kept.cells

    @property
    def expected(self) -> Floats:
        return self.tapes.expected.cells

    @property
    def known(self) -> Flags:
        return self.tapes.known.cells

    def accepting(self, row: int, days: int) -> History:
        """The last `days` days of one series are a new level: they count as billed, earlier ones are lifted to it."""
        last = slice(WINDOW - _within(days), WINDOW)
        kept, since = self.kept.copy(), self.since_accepted.copy()
        kept[row, last] = np.maximum(self.raw[row, last], 0.0)
        since[row] = min(days, MONTH)
        rose, low, held = self.tapes.rose.cells.copy(), self.tapes.low.cells.copy(), self.held.copy()
        rose[row, last], low[row, last], held[row] = False, False, 0
        tapes = replace(self.tapes, kept=Tape.of(kept), rose=Tape.of(rose), low=Tape.of(low))
        return replace(self, tapes=tapes, since_accepted=since, held=held)

    def taking_out(self, row: int, day: int) -> History:
        """One day of one series was a real incident: it counts as what was expected then. `day` 1 is the newest.

        A level that began on that day is none, and so its other days count as what was expected, too; those of which
        the level was expected already, as the same weekday before it.
        """
        kept, since, held = self.kept.copy(), self.since_accepted.copy(), self.held.copy()
        cell = WINDOW - _within(day)
        out = slice(cell, WINDOW if since[row] == day else cell + 1)
        kept[row, out] = np.where(np.isfinite(self.expected[row, out]), self.expected[row, out], kept[row, out])
        for later in range(cell + WEEK, out.stop):
            kept[row, later] = min(kept[row, later], kept[row, later - WEEK])
        since[row], held[row] = 0 if since[row] == day else since[row], 0
        above = self.tapes.above.cells.copy()
        above[row, SEEN - day] = 0.0  # nor does it come again
        tapes = replace(self.tapes, kept=Tape.of(kept), above=Tape.of(above))
        return replace(self, tapes=tapes, since_accepted=since, held=held)

    def rows(self, chosen: Flags | Whole) -> History:
        """The history of some of the series, in the given order."""
        tapes = Tapes(*(Tape.of(getattr(self.tapes, name).cells[chosen]) for name in Tapes.__slots__))
        return History(tapes, *(getattr(self, name)[chosen] for name in _COUNTERS))


def fresh(size: int) -> History:
    """A history without a day, for `size` series."""
    blank, never = np.full((size, WINDOW), np.nan), np.zeros((size, WINDOW), dtype=np.bool_)
    zero = np.zeros(size, dtype=np.int64)
    dollars, flag, above = Tape.of(blank), Tape.of(never), Tape.of(np.zeros((size, SEEN)))
    tapes = Tapes(dollars, dollars, dollars, flag, flag, flag, flag, above)
    return History(tapes, *([zero] * len(_COUNTERS)))


def joined(older: History, newer: History) -> History:
    """Two histories of the same day, one under the other: how a new series gets its rows."""
    both = [(getattr(older.tapes, name).cells, getattr(newer.tapes, name).cells) for name in Tapes.__slots__]
    counters = (np.concatenate([getattr(older, name), getattr(newer, name)]) for name in _COUNTERS)
    return History(Tapes(*(Tape.of(np.concatenate(pair)) for pair in both)), *counters)


_COUNTERS = tuple(name for name in History.__slots__ if name != "tapes")


def without_gaps(cells: Floats, ages: Whole) -> Floats:
    """A young series' weeks, repeated into the past until eight are full; rows of 56 days come back as they are."""
    young = np.flatnonzero(ages < WINDOW)
    if not young.size:
        return cells
    oldest, youngest = ages.max(), ages.min()
    if oldest == youngest:  # series that began on one day are moved together, which takes a tenth of the time
        return known_or_zero(cells.T[_repeated(ages[:1])[0]].T)
    full = cells.copy(order="K")
    full[young] = known_or_zero(cells[young[:, None], _repeated(ages[young])])
    return full


def _repeated(ages: Whole) -> Whole:
    """The cells that fill the eight weeks of young series: [series, 56]."""
    period = np.maximum(np.where(ages >= 7, ages // 7 * 7, ages), 1)[:, None]
    return np.asarray(WINDOW - 1 - np.arange(WINDOW - 1, -1, -1)[None, :] % period, dtype=np.int64)


def lifted(history: History, days: Floats) -> tuple[Floats, Floats]:
    """The `counted` days, those before an accepted shift multiplied to its level, and the factors.

    The factor compares the first days of the new level (14 at most) with the same weekdays of the 4 weeks before it.
    """
    since = history.since_accepted
    factors = np.ones(history.size)
    rows = np.flatnonzero((since > 0) & (since <= MONTH))
    if not rows.size:
        return days, factors
    whole, days = without_gaps(days[rows], history.ages[rows]), days.copy()
    for each, row in zip(whole, rows, strict=True):
        cut = WINDOW - int(since[row])
        factors[row] = _lift(each, cut)
        days[row] = np.concatenate([each[:cut] * factors[row], each[cut:]])
    return days, factors


def _lift(days: Floats, cut: int) -> float:
    newer = np.arange(max(cut, WINDOW - RESTART_DAYS), WINDOW)
    before = np.arange(max(0, cut - MONTH), cut)
    usual = sum(float(days[before[before % 7 == day % 7]].mean()) for day in newer)
    return float(days[newer].sum()) / usual if usual > 0 else 1.0


def _within(days: int) -> int:
    if not 1 <= days <= WINDOW:
        raise ValueError(f"a history reaches back {WINDOW} days, not {days}")
    return days
