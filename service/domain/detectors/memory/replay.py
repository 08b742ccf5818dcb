"""A whole panel, day by day, as the detector would have seen it: backtests, and the state of a series from its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from service.domain.detectors.arrays import Flags, Floats, Whole
from service.domain.detectors.daily.baseline import baseline
from service.domain.detectors.daily.carry import followed_by
from service.domain.detectors.daily.detector import judge
from service.domain.detectors.daily.history import WINDOW, History, fresh
from service.domain.detectors.daily.recurrence import recurring
from service.domain.detectors.panel import Panel
from service.domain.detectors.scores import Maturity, Scores, Terms


@dataclass(frozen=True, slots=True)
class Accepted:
    """Somebody said before day `said` that series `row` has a new level since day `since` (indexes of the panel)."""

    row: int
    since: int
    said: int

    def corrected(self, history: History, day: int) -> History:
        return history.accepting(self.row, min(day - self.since, WINDOW))


@dataclass(frozen=True, slots=True)
class TakenOut:
    """Somebody said before day `said` that series `row` had a real incident on the given days."""

    row: int
    days: tuple[int, ...]
    said: int

    def corrected(self, history: History, day: int) -> History:
        for incident in self.days:
            if 1 <= day - incident <= WINDOW:
                history = history.taking_out(self.row, day - incident)
        return history


Correction = Accepted | TakenOut


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """`scores`: one entry a day, from day `first` on. `history`: after the last day."""

    first: int
    scores: tuple[Scores, ...]
    history: History

    def column(self, name: str) -> Floats | Flags | Whole:
        """One field of the scores as [series, days]."""
        return np.stack([getattr(day, name) for day in self.scores], axis=1)


def replay(
    panel: Panel,
    terms: Terms,
    first: int = 0,
    corrections: Sequence[Correction] = (),
    planned: Floats | None = None,
) -> Replay:
    """Judges every day from `first` on by the days before it. `planned`: extra dollars, [series, days].

    Raises ValueError when a correction speaks of a day that was not over when it was said.
    """
    _refuse_foresight(corrections)
    amounts, history, scores = panel.from_first_spend(), fresh(len(panel.series)), []
    for day in range(panel.days):
        for correction in corrections:
            if correction.said == day:
                history = correction.corrected(history, day)
        extra = None if planned is None else planned[:, day]
        base, again = baseline(history), recurring(history, panel.day(day))
        if day >= first:
            scores.append(judge(base, amounts[:, day], terms, Maturity.FINAL, extra, again))
        history = followed_by(base, amounts[:, day], extra, again, panel.kind(day))
    return Replay(first, tuple(scores), history)


def _refuse_foresight(corrections: Sequence[Correction]) -> None:
    for correction in corrections:
        newest = correction.since if isinstance(correction, Accepted) else max(correction.days)
        if newest >= correction.said:
            raise ValueError(f"day {newest} was not over when it was corrected, before day {correction.said}")
