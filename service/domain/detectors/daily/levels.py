"""Levels: a series that stays well above what was usual for a week has a new one, and earlier days are lifted to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from service.domain.detectors.arrays import Flags, Floats, Whole
from service.domain.detectors.daily.baseline import CENT, Baseline
from service.domain.detectors.daily.counted import counted
from service.domain.detectors.daily.history import MONTH, RESTART_DAYS, WEEK, WINDOW, History, lifted
from service.domain.detectors.daily.tape import Tape
from service.domain.detectors.scores import Method
from service.domain.values.utc import DAY

HELD_TIMES = 1.25
"""Times the median of the last four same weekdays, from which on a day says nothing of being back to normal."""
LEAST_WEIGHT = 0.5
"""A weekday that costs less than this share of a mean day says nothing of a level, nor of its end."""
HELD_DAYS = 7
MOST_TIMES = 1.5
"""Times the level at which one of its days counts at most: an incident on top of it is no part of it."""


@dataclass(frozen=True, slots=True)
class Level:
    """A level that was accepted because it was held: since its first day, at the midnight before `accepted_on`.

    Dollars a day: what was usual `before`, on the same weekdays, and the mean `after`.
    """

    since: date
    accepted_on: date
    before: float
    after: float


def has_weekdays(chosen: Whole) -> Flags:
    """The series whose weekdays are compared with each other."""
    steady, volatile, cold = (
        chosen == method.value for method in (Method.STEADY, Method.VOLATILE, Method.COLD_WEEKDAY)
    )
    return np.asarray(steady | volatile | cold)


def is_high(base: Baseline, amounts: Floats) -> Flags:
    """Whether a day is well above what was usual, whatever the noise: [series]."""
    return np.asarray((base.middle > 0) & (amounts >= HELD_TIMES * base.middle))


def weighs(base: Baseline) -> Flags:
    """Whether the day before which the baseline stands is one that says something of a level: [series]."""
    return np.asarray(base.weight >= LEAST_WEIGHT)


def held_for(base: Baseline, chosen: Whole, amounts: Floats, known: Flags) -> Whole:
    """Days in a row above what was usual, after a day of so many dollars. Small and unknown days and holidays pass."""
    before = base.history.held
    passes = ~known | ~weighs(base)
    high = np.where(passes, before > 0, is_high(base, amounts))
    return np.where(high & has_weekdays(chosen), before + 1, 0)


def with_held_levels(history: History) -> History:
    """The history in which every level that was held for a week is accepted: its days count as billed, nearly."""
    rows = np.flatnonzero(history.held >= HELD_DAYS)
    if not rows.size:
        return history
    kept, rose, low = history.kept.copy(), history.tapes.rose.cells.copy(), history.tapes.low.cells.copy()
    since, held = history.since_accepted.copy(), history.held.copy()
    kept[rows] = _lifted_to_level(history.rows(rows))
    new = slice(WINDOW - HELD_DAYS, WINDOW)
    kept[rows, new] = _leveled(np.maximum(history.raw[rows, new], kept[rows, new]), kept[rows])
    rose[rows, new], low[rows, new], since[rows], held[rows] = False, False, HELD_DAYS, 0
    tapes = replace(history.tapes, kept=Tape.of(kept), rose=Tape.of(rose), low=Tape.of(low))
    return replace(history, tapes=tapes, since_accepted=since, held=held)


def _lifted_to_level(history: History) -> Floats:
    """The kept days, those before an accepted level that is in force multiplied to it: [series, 56]."""
    kept, (_, factors) = history.kept.copy(), lifted(history, counted(history))
    for row in np.flatnonzero(history.since_accepted > 0).tolist():
        kept[row, : WINDOW - int(history.since_accepted[row])] *= factors[row]
    return kept


def _leveled(billed: Floats, days: Floats) -> Floats:
    """The level's days, none above one and a half times the level: [series, 7]. They are the last of `days`."""
    four = np.sort(days[:, -MONTH - WEEK : -WEEK].reshape(-1, MONTH // WEEK, WEEK), axis=1)
    usual = four[:, 1:3].mean(axis=1)
    times: Floats = np.median(billed / np.maximum(usual, CENT), axis=1, keepdims=True)
    return np.asarray(np.minimum(billed, MOST_TIMES * times * usual), dtype=np.float64)


def level(base: Baseline, row: int, on: date) -> Level | None:
    """The accepted level of one series, as it stands before the day `on`; None where there is none."""
    days = int(base.history.since_accepted[row])
    if not HELD_DAYS <= days < MONTH:
        return None
    after = float(base.history.kept[row, WINDOW - min(days, RESTART_DAYS) :].mean())
    since = on - days * DAY
    return Level(since, since + HELD_DAYS * DAY, after / float(base.factors[row]), after)
