"""The last days of many series, judged each by the days before it as they are known now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache

import numpy as np

from service.domain.detectors.arrays import Flags, Floats
from service.domain.detectors.buckets import ScoredBucket, column, mean_of_known, reading, stirs
from service.domain.detectors.daily.detector import default_floor, default_hour_floor, feed_is_suspect, methods, terms
from service.domain.detectors.daily.explain import DayExplanation, explain
from service.domain.detectors.daily.history import MONTH, WEEK
from service.domain.detectors.daily.levels import HELD_TIMES, LEAST_WEIGHT, Level, has_weekdays, level
from service.domain.detectors.daily.recurrence import CalendarBatch, batch
from service.domain.detectors.hourly.time_off import QuietDays, quiet_days
from service.domain.detectors.memory.baselines import LOOK_BACK, BaselineMemory, DatedCorrection, LearntDays
from service.domain.detectors.memory.day_scores import Day
from service.domain.detectors.panel import UNBELIEVABLE, Panel, first_spend
from service.domain.detectors.scores import Maturity, Scores, Sensitivity, Terms
from service.domain.values.utc import DAY


@dataclass(frozen=True, eq=False)
class DayJudge:
    """The last day, `open_day`, is still open. Days from `first` on can be judged, those to `settled` are final.

    `learnt` and `terms` are in the order of the memory's arrays, everything given to methods in the panel's.
    """

    panel: Panel
    learnt: LearntDays
    terms: Terms
    settled: int
    open_day: int
    first: int
    _scores: dict[int, Scores] = field(default_factory=dict)
    _weights: dict[int, Sequence[bool]] = field(default_factory=dict)
    _readings: dict[tuple[int, int], ScoredBucket] = field(default_factory=dict)

    def at(self, bar: Bar) -> DayJudge:
        """The judge of the same days from where on an alert is worth it there."""
        return replace(self, terms=_terms_of(self.learnt, bar), _scores={}, _readings={})

    def reading(self, row: int, place: int) -> ScoredBucket:
        if (row, place) not in self._readings:
            past, at = self.panel.amounts[row, max(0, place - MONTH) : place], int(self.learnt.rows[row])
            self._readings[row, place] = reading(self._judged(place), at, past)
        return self._readings[row, place]

    def stirs(self, row: int, place: int) -> bool:
        """Whether this day alerts in either direction."""
        found, at = self._judged(place), int(self.learnt.rows[row])
        return bool(found.rises[at] or found.falls[at])

    def is_known(self, row: int, place: int) -> bool:
        """Whether the day was reported. A day past belief was not."""
        return bool(abs(self.panel.amounts[row, place]) <= UNBELIEVABLE)

    def stirring(self, places: Iterable[int]) -> frozenset[int]:
        """The series that alert on any of these days, in either direction."""
        stirring = [np.flatnonzero(stirs(self._judged(place))[self.learnt.rows]).tolist() for place in places]
        return frozenset(row for rows in stirring for row in rows)

    def ringing_from(self, place: int) -> dict[str, float]:
        """From how many dollars on each series alerts on that day; NaN where nothing judges it."""
        fires_from = self._judged(place).fires_from[self.learnt.rows]
        return dict(zip(self.panel.series, fires_from.tolist(), strict=True))

    def explained(self, row: int, place: int) -> DayExplanation:
        """Raises ValueError where nothing was judged."""
        at = int(self.learnt.rows[row])
        return explain(self.learnt.bases[place], self._judged(place), self.terms, at, self.panel.day(place))

    def recurring(self, place: int) -> Floats | None:
        """Dollars beyond the usual that come again on a day: [series]; None where there are none."""
        extra = self.learnt.scores.recurring(self.learnt.bases[place], self.panel.day(place))
        return None if extra is None else extra[self.learnt.rows]

    def batch(self, row: int, place: int) -> CalendarBatch | None:
        """The batch that one series is expected to have on a day."""
        return batch(self.learnt.bases[place].history, int(self.learnt.rows[row]), self.panel.day(place))

    def is_high(self, row: int, place: int) -> bool:
        """Whether a day is well above what was usual before it, whatever the noise, and nobody has announced it."""
        middle, at = self.learnt.bases[place].middle, int(self.learnt.rows[row])
        spent = self.panel.amounts[row, place] - self.learnt.planned[at, place]
        return self._has_weekdays(row) and bool(0 < HELD_TIMES * middle[at] <= spent)

    def weighs(self, row: int, place: int) -> bool:
        """Whether a day, which may be to come, is expected to be no small one of its week."""
        if not self._has_weekdays(row):
            return True
        if row not in self._weights:
            days = self.learnt.bases[self.open_day].history.kept[int(self.learnt.rows[row]), -MONTH:].reshape(-1, WEEK)
            means = days.mean(axis=0)
            self._weights[row] = (means >= LEAST_WEIGHT * means.mean()).tolist()
        return self._weights[row][(place - self.open_day) % WEEK]

    def level(self, row: int) -> Level | None:
        """The level that was accepted last, within four weeks."""
        return level(self.learnt.bases[self.open_day], int(self.learnt.rows[row]), self.panel.day(self.open_day))

    def lifts(self) -> dict[int, tuple[date, float]]:
        """Returns each accepted level: its first day, and the factor that lifts what was before to it, by series."""
        base = self.learnt.bases[self.open_day]
        since, factors = base.history.since_accepted[self.learnt.rows], base.factors[self.learnt.rows]
        today = self.panel.day(self.open_day)
        return {row: (today - int(since[row]) * DAY, float(factors[row])) for row in np.flatnonzero(since).tolist()}

    def growth_of(self, rows: Sequence[int]) -> Floats:
        """Returns how much more a week of each series costs than the one before, a factor; 1 of a row below zero."""
        chosen = np.asarray(rows, dtype=np.int64)
        growth = np.where(self._by_weekday, self.learnt.bases[self.open_day].growth, 1.0)[self.learnt.rows]
        return np.where(chosen >= 0, growth[chosen], 1.0)

    def _has_weekdays(self, row: int) -> bool:
        return bool(self._by_weekday[self.learnt.rows[row]])

    @cached_property
    def _by_weekday(self) -> Flags:
        return has_weekdays(methods(self.learnt.bases[self.open_day]))

    def quiet_days(self) -> QuietDays:
        """The closed days on which each series was as quiet as on a holiday."""
        return quiet_days(self.learnt.bases[self.open_day].history, self.panel.day(self.open_day)).of(self.learnt.rows)

    def active_days(self, row: int, place: int) -> int:
        """How many days before this one had spend."""
        return int(np.count_nonzero(self.panel.amounts[row, :place] > 0))

    def feed_is_suspect(self, rows: Sequence[int], place: int) -> bool:
        """Whether so many of these series fall on that day that the feed is to be blamed."""
        chosen = self.learnt.rows[np.array(rows, dtype=np.int64)]
        scores = self._judged(place)
        return feed_is_suspect(column(scores, chosen))

    def _judged(self, place: int) -> Scores:
        """The scores of a day, in the order of the memory's arrays."""
        if place not in self._scores:
            learnt = self.learnt
            day = Day(learnt.amounts[:, place], learnt.planned[:, place], self._maturity(place))
            self._scores[place] = learnt.scores.of(self.panel.day(place), learnt.bases[place], day, self.terms)
        return self._scores[place]

    def _maturity(self, place: int) -> Maturity:
        if place == self.open_day:
            return Maturity.PARTIAL
        return Maturity.FINAL if place <= self.settled else Maturity.CLOSED


@dataclass(frozen=True, slots=True)
class Bar:
    """From where on an alert is worth it. `raised`: by which share noise feedback lifted each series' threshold;
    `daily`: what the organisation spends a day, in dollars."""

    sensitivity: Sensitivity
    raised: Sequence[float]
    daily: float

    def of_days(self) -> Terms:
        return _terms(self, default_floor(self.daily))

    def of_hours(self) -> Terms:
        return _terms(self, default_hour_floor(self.daily))


@lru_cache(maxsize=16)
def _terms(bar: Bar, floor: float) -> Terms:
    """Kept of the hours of a day, through which a bar stays as it is."""
    raised = np.array(bar.raised, dtype=np.float64)
    return terms(bar.sensitivity, raised, np.full(len(bar.raised), floor))


def day_judge(
    memory: BaselineMemory,
    panel: Panel,
    planned: Mapping[str, Sequence[float]],
    answers: Iterable[DatedCorrection],
    bar: Bar,
    settled: int,
) -> DayJudge:
    """`planned`: announced extra dollars of each day, by series. `settled`: the last final day's place, -1: none."""
    extra = np.zeros_like(panel.amounts)
    for row, name in enumerate(panel.series):
        if name in planned:
            extra[row] = planned[name]
    learnt = memory.learn(panel, extra, answers)
    open_day = panel.days - 1
    return DayJudge(panel, learnt, _terms_of(learnt, bar), settled, open_day, max(0, open_day - LOOK_BACK))


def _terms_of(learnt: LearntDays, bar: Bar) -> Terms:
    """The terms in the order of the memory's arrays."""
    own = bar.of_days()
    thresholds, floors = np.ones(learnt.size), np.ones(learnt.size)
    thresholds[learnt.rows], floors[learnt.rows] = own.thresholds, own.floors
    return Terms(thresholds, floors)


def usual_day(amounts: Floats) -> float:
    """The usual spend of a day in dollars: the mean of 28 days before the last, from the first spend on: [days]."""
    closed = amounts[:-1][-MONTH:]
    return mean_of_known(np.ascontiguousarray(closed[int(first_spend(closed[None])[0]) :]))
