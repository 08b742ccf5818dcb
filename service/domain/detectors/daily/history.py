"""The state of a daily detector from one day to the next: eight weeks of every series.

A history is a value. `fresh` starts it, `followed_by` adds one closed day, and the two corrections that people may
make (`accepting`, `taking_out`) give a new one. The raw amounts are never overwritten: `kept` is what baselines read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from service.domain.detectors.arrays import Flags, Floats, Whole, known_or_zero

WINDOW = 56
"""Days: eight whole weeks, so that column 0 is always today's weekday."""
MONTH = 28
RESTART_DAYS = 14


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Arrays [series, 56 days], the newest day last; cells before a series' first spend are NaN.

    raw: dollars as billed. kept: the same with anomalous days counted at the cap they had that day.
    expected: what was expected of the day.
    known: the day's amount was known. ages: days since the first spend. noise: a `Noise` class; `leaning` for `streak`
    days towards another one. since_accepted: days of a new, accepted level; 0 when none is in force.
    lows: closed days in a row far below what was expected.
    """

    raw: Floats
    kept: Floats
    expected: Floats
    known: Flags
    ages: Whole
    noise: Whole
    leaning: Whole
    streak: Whole
    since_accepted: Whole
    lows: Whole

    @property
    def size(self) -> int:
        return int(self.raw.shape[0])

    def accepting(self, row: int, days: int) -> History:
        """The last `days` days of one series are a new level: they count as billed, earlier ones are lifted to it."""
        last = slice(WINDOW - _within(days), WINDOW)
        kept, since = self.kept.copy(), self.since_accepted.copy()
        kept[row, last] = np.maximum(self.raw[row, last], 0.0)
        since[row] = min(days, MONTH)
        return replace(self, kept=kept, since_accepted=since)

    def taking_out(self, row: int, day: int) -> History:
        """One day of one series was a real incident: it counts as what was expected then. `day` 1 is the newest."""
        kept = self.kept.copy()
        cell = WINDOW - _within(day)
        if np.isfinite(self.expected[row, cell]):
            kept[row, cell] = self.expected[row, cell]
        return replace(self, kept=kept)

    def rows(self, chosen: Flags | Whole) -> History:
        """The history of some of the series, in the given order."""
        return History(*(getattr(self, name)[chosen] for name in self.__slots__))


def fresh(size: int) -> History:
    """A history without a day, for `size` series."""
    blank = np.full((size, WINDOW), np.nan)
    zero = np.zeros(size, dtype=np.int64)
    return History(blank, blank, blank, np.zeros((size, WINDOW), dtype=bool), *([zero] * 6))


def joined(older: History, newer: History) -> History:
    """Two histories of the same day, one under the other: how a new series gets its rows."""
    return History(*(np.concatenate([getattr(older, n), getattr(newer, n)]) for n in History.__slots__))


def pushed(cells: Floats, newest: Floats) -> Floats:
    """[series, 56] moved on by one day."""
    return np.concatenate([cells[:, 1:], newest[:, None]], axis=1)


def without_gaps(cells: Floats, ages: Whole) -> Floats:
    """A young series' weeks, repeated into the past until eight are full; rows of 56 days come back as they are."""
    young = ages < WINDOW
    if not young.any():
        return cells
    period = np.maximum(np.where(ages >= 7, ages // 7 * 7, ages), 1)[young, None]
    place = WINDOW - 1 - (np.arange(WINDOW - 1, -1, -1)[None, :] % period)
    full = cells.copy()
    full[young] = known_or_zero(cells[np.flatnonzero(young)[:, None], place])
    return full


def lifted(kept: Floats, since_accepted: Whole) -> tuple[Floats, Floats]:
    """The kept days with those before an accepted shift multiplied to its level, and the factor of each series.

    The factor compares the first days of the new level (14 at most) with the same weekdays of the 4 weeks before it.
    """
    factors = np.ones(kept.shape[0])
    rows = np.flatnonzero((since_accepted > 0) & (since_accepted <= MONTH))
    if not rows.size:
        return kept, factors
    result = kept.copy()
    for row in rows:
        cut = WINDOW - int(since_accepted[row])
        factors[row] = _lift(kept[row], cut)
        result[row, :cut] *= factors[row]
    return result, factors


def _lift(days: Floats, cut: int) -> float:
    newer = np.arange(max(cut, WINDOW - RESTART_DAYS), WINDOW)
    before = np.arange(max(0, cut - MONTH), cut)
    usual = sum(float(days[before[before % 7 == day % 7]].mean()) for day in newer)
    return float(days[newer].sum()) / usual if usual > 0 else 1.0


def _within(days: int) -> int:
    if not 1 <= days <= WINDOW:
        raise ValueError(f"a history reaches back {WINDOW} days, not {days}")
    return days
