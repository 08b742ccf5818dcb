"""Scores of days, kept so that the same day is not judged again an hour later, or for another rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from service.domain.detectors.arrays import Floats
from service.domain.detectors.daily.baseline import Baseline
from service.domain.detectors.daily.detector import judge
from service.domain.detectors.daily.recurrence import recurring
from service.domain.detectors.scores import Maturity, Scores, Terms

MOST_TERMS = 4
"""Scores kept of one day: a sweep tries a rule at three sensitivities."""


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """The amounts of one day: dollars and announced extra dollars, each [series]."""

    amounts: Floats
    planned: Floats
    maturity: Maturity


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    base: Baseline
    day: Day
    terms: Terms
    scores: Scores

    def is_of(self, base: Baseline, day: Day, terms: Terms) -> bool:
        """Whether these are the scores of just that."""
        return (
            base is self.base
            and day.maturity is self.day.maturity
            and _equal(
                (day.amounts, self.day.amounts),
                (day.planned, self.day.planned),
                (terms.thresholds, self.terms.thresholds),
                (terms.floors, self.terms.floors),
            )
        )


class DayScores:
    """A memory of arithmetic, not of facts: whoever asks gets what judging again would give."""

    def __init__(self) -> None:
        self._kept: dict[date, list[_Judged]] = {}
        self._again: dict[date, tuple[Baseline, Floats | None]] = {}

    def of(self, on: date, base: Baseline, day: Day, terms: Terms) -> Scores:
        kept = self._kept.setdefault(on, [])
        for one in kept:
            if one.is_of(base, day, terms):
                return one.scores
        scores = judge(base, day.amounts, terms, day.maturity, day.planned, self.recurring(base, on))
        kept.append(_Judged(base, Day(day.amounts.copy(), day.planned.copy(), day.maturity), terms, scores))
        del kept[:-MOST_TERMS]
        return scores

    def recurring(self, base: Baseline, on: date) -> Floats | None:
        """Dollars beyond the usual that come again on the day after a baseline: [series]; None where there are none."""
        if on not in self._again or self._again[on][0] is not base:
            self._again[on] = base, recurring(base.history, on)
        return self._again[on][1]

    def forget_before(self, first: date) -> None:
        for kept in (self._kept, self._again):
            for on in [on for on in kept if on < first]:
                del kept[on]


def _equal(*pairs: tuple[Floats, Floats]) -> bool:
    return all(_same(one, other) for one, other in pairs)


def _same(one: Floats, other: Floats) -> bool:
    """Compares bytes: that is faster, and what differs in nothing but the sign of zero is judged again."""
    return one is other or one.tobytes() == other.tobytes()
