"""One judged day in numbers that a person can check with a pencil."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from service.domain.detectors.daily.baseline import CENT, Baseline
from service.domain.detectors.daily.counted import counted
from service.domain.detectors.daily.detector import LINES
from service.domain.detectors.daily.history import MONTH, WEEK, WINDOW
from service.domain.detectors.daily.recurrence import CalendarBatch, batch
from service.domain.detectors.scores import Method, Scores, Terms

BY_WEEKDAY = {Method.STEADY, Method.VOLATILE, Method.COLD_WEEKDAY}


@dataclass(frozen=True, slots=True)
class CountedDay:
    """A day the expectation was computed from. `counted` differs from `billed` if it was capped or corrected.

    `growth`: what it was multiplied by besides, because the series grows.
    """

    day: date
    billed: float
    counted: float
    known: bool
    growth: float = 1.0

    @property
    def changed(self) -> bool:
        """Whether it counts for something else than what was billed, whatever has grown since."""
        return not self.known or abs(self.counted / self.growth - self.billed) > 0.005


@dataclass(frozen=True, slots=True)
class DayExplanation:
    """How `expected` and `high` came about; dollars are float copies for display.

    `days`, the oldest first, are what the expectation is the mean of (plus `planned`, or the extra of `batch`).
    `deviation` and `line`: the band reaches `line` times `deviation` of (the weekday's plus the overall mean); None
    where a rule has none. `lifted`: what earlier days were multiplied by, after an accepted shift, as in `counted`.
    `growth`: by which factor each week cost more than the one before, at least; 1 where it does not grow.
    """

    day: date
    method: Method
    days: tuple[CountedDay, ...]
    amount: float
    expected: float
    low: float
    high: float
    fires_from: float
    planned: float
    batch: CalendarBatch | None
    score: float
    override: bool
    deviation: float | None
    line: float | None
    lifted: float
    growth: float


def explain(base: Baseline, scores: Scores, terms: Terms, row: int, day: date) -> DayExplanation:
    """Explains series `row` of `scores`, which were judged by `base` on `day`.

    Raises ValueError when nothing was expected: `scores.failed(row)` says why.
    """
    method = Method(int(scores.methods[row]))
    if not method.judges:
        raise ValueError(f"nothing was expected of this series: {method.reason}")
    by_weekday = method in BY_WEEKDAY
    days = _counted_days(base, method, row, day)
    extra = max(0.0, float(scores.expected[row]) - float(np.mean([one.counted for one in days])))
    again = batch(base.history, row, day)
    if again and extra > again.extra + CENT:
        again = None  # more was announced of this day
    return DayExplanation(
        day=day,
        method=method,
        days=days,
        amount=float(scores.amounts[row]),
        expected=float(scores.expected[row]),
        low=float(scores.low[row]),
        high=float(scores.high[row]),
        fires_from=float(scores.fires_from[row]),
        planned=0.0 if again else extra,
        batch=again,
        score=float(scores.scores[row]),
        override=bool(scores.overrides[row]),
        deviation=float(base.deviation[row]) if by_weekday else None,
        line=float(LINES[method] * terms.thresholds[row]) if by_weekday else None,
        lifted=float(base.factors[row]),
        growth=float(base.growth[row]) if by_weekday else 1.0,
    )


@lru_cache(maxsize=16)
def _counted_days(base: Baseline, method: Method, row: int, day: date) -> tuple[CountedDay, ...]:
    history = base.history
    back = range(28, 0, -7) if method in BY_WEEKDAY else range(_reach(method, int(history.ages[row])), 0, -1)
    kept = counted(history.rows(np.array([row])))[0]
    days = []
    for ago in back:
        cell = WINDOW - ago
        earlier = ago > history.since_accepted[row]
        lift = float(base.factors[row]) if earlier and method in BY_WEEKDAY else 1.0
        growth = float(base.growth[row]) ** (ago // WEEK) if method in BY_WEEKDAY else 1.0
        billed = float(history.raw[row, cell])
        counts = billed if method is Method.INTERMITTENT else float(kept[cell]) * lift * growth
        days.append(CountedDay(day - timedelta(days=ago), billed, counts, bool(history.known[row, cell]), growth))
    return tuple(days)


def _reach(method: Method, age: int) -> int:
    return MONTH if method is Method.INTERMITTENT else min(age, WINDOW)
