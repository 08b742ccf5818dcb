"""The last hours of many series that are over, judged each by the four weeks before it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from statistics import median

import numpy as np

from service.domain.detectors.arrays import Flags, Floats, Whole
from service.domain.detectors.buckets import ScoredBucket, mean_of_known
from service.domain.detectors.daily.growth import WEEKS_AGO
from service.domain.detectors.hourly.bands import window_before
from service.domain.detectors.hourly.clocks import UTC_CLOCK, ClockMove
from service.domain.detectors.hourly.detector import HOURS, WEEK, incident_hours
from service.domain.detectors.hourly.glance import is_large, may_rise_by_all
from service.domain.detectors.hourly.hour_scores import HourScores, JudgedSeries
from service.domain.detectors.hourly.series_memory import SeriesHours
from service.domain.detectors.hourly.sums import SummedHours
from service.domain.detectors.hourly.two_hours import HourBefore
from service.domain.detectors.noise import week_on_week_noise
from service.domain.detectors.panel import UNBELIEVABLE
from service.domain.detectors.scores import Terms
from service.domain.values.utc import HOUR

ROWS_AT_ONCE = 8
"""Quiet series that are judged together once one of them is asked about: eight cost little more than one."""
EARLIER_AT_ONCE = 24
"""Hours of one series that are judged together once one of them is asked about."""
HELD_TIMES = 1.25
"""Times the median of the same hour, from which on an hour says nothing of being back to normal."""
LEAST_WEIGHT = 0.25
"""An hour that is expected to cost less than this share of a mean one says nothing of it either."""
NOTHING_JUDGED: Mapping[int, ScoredBucket] = {}
DAWN = datetime(1970, 1, 1, tzinfo=UTC)
LOOKED_AT_ONCE = 512
"""Series whose hours are looked at together."""


@dataclass(frozen=True, slots=True)
class SameHour:
    """An hour that another is compared with, in dollars: NaN where unknown, not held, or kept out by an answer.

    `left_out`: it was an incident, and says nothing of what is usual; nor does one that `was_off`, in a holiday
    or on a day as quiet.
    """

    start: datetime
    amount: float
    left_out: bool
    was_off: bool = False


@dataclass(frozen=True, slots=True)
class JudgedClock:
    """The clock that an hour was judged by, after one was changed in the four weeks before it.

    `zone` and `changed`: whose, and when (aware UTC); None: by UTC. `is_sure`: no other clock came into question.
    """

    zone: str | None
    changed: datetime | None
    is_sure: bool


@dataclass(frozen=True, slots=True)
class _ByClock:
    """A bucket, and the number of the clock that it was judged by. `sure`: no other stood."""

    bucket: ScoredBucket
    clock: int
    sure: bool


@dataclass(frozen=True, eq=False)
class HourJudge:
    """`spent`: estimated dollars; the first hour starts at `first`. `silent`: by series the places of the hours that a
    person's answer keeps from saying what is usual.

    Hours before place `mature` are complete. `planned`: extra dollars of every series by place,
    announced or coming again.
    `newest`: the hours from this place on are judged together for some series, earlier ones for one series.
    `foreseen`: the hours that come next, which are scored beforehand.
    `moves`: changes of the clocks that the series may live by. Of those that an hour may be judged by, the one counts
    that asks for the most dollars. `off`: the hours of each series that do not say what is usual, [series, hours];
    None: there are none.
    `lifts`: by series the place where an accepted level begins, and the factor by which hours before it count.
    `growth`: by how much each series costs more from week to week, [series]; None: none does.
    """

    spent: SummedHours
    silent: Mapping[int, Sequence[slice]]
    first: datetime
    mature: int
    terms: Terms
    planned: Mapping[int, Sequence[float]]
    newest: int
    scores: HourScores = field(default_factory=HourScores)
    foreseen: SummedHours | None = None
    moves: Sequence[ClockMove] = ()
    off: Flags | None = None
    lifts: Mapping[int, tuple[int, float]] = field(default_factory=dict)
    growth: Floats | None = None
    _judged: dict[int, Mapping[int, ScoredBucket]] = field(default_factory=dict)
    _by_clocks: dict[tuple[int, int], _ByClock] = field(default_factory=dict)
    _series: dict[tuple[int, int], JudgedSeries] = field(default_factory=dict)
    _rows: dict[int, Floats] = field(default_factory=dict)
    _counting: dict[tuple[int, int], SeriesHours] = field(default_factory=dict)
    _louds: dict[tuple[tuple[int, ...], bytes], list[int]] = field(default_factory=dict)
    _usuals: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)
    _compared: dict[tuple[int, int, int], list[SameHour]] = field(default_factory=dict)

    def at(self, terms: Terms) -> HourJudge:
        """The judge of the same hours at other terms. What is made of the hours alone is shared."""
        return replace(self, terms=terms, _judged={}, _by_clocks={}, _series={})

    def start(self, place: int) -> datetime:
        return self.first + place * HOUR

    def reading(self, row: int, place: int) -> ScoredBucket:
        found = self._found(row, place)
        if not found.method.judges:
            return replace(found, expected=mean_of_known(self._counted(row)[max(0, place - HOURS) : place]))
        return replace(found, falls=False) if found.falls and place >= self.mature else found

    def rises(self, row: int, place: int) -> bool:
        return self._found(row, place).rises

    def clock(self, row: int, place: int) -> JudgedClock | None:
        """None where no clock was changed."""
        if not any(move.reaches(place) for move in self.moves):
            return None
        move, sure = self._move(row, place), self._by_clock(row, place).sure
        return JudgedClock(None, None, sure) if move is None else JudgedClock(move.zone, self.start(move.place), sure)

    def clock_number(self, row: int, place: int) -> int:
        """The number of the clock that an hour is judged by: UTC, or one of the moves."""
        return self._by_clock(row, place).clock if self.moves else UTC_CLOCK

    def rising(self, places: Sequence[int]) -> frozenset[int]:
        """The series that rise in any of these hours. Only those are judged that may."""
        asked = tuple(places), self.terms.floors.tobytes()
        if asked not in self._louds:
            self._louds[asked] = self._loud(np.array(places, dtype=np.int64))
        loud = self._louds[asked]
        self.look_at(loud, places)
        return frozenset(row for row in loud if any(self.rises(row, at) for at in places))

    def look_at(self, rows: Iterable[int], places: Sequence[int]) -> None:
        """Judges these hours of these series together, as far as they are not judged yet."""
        asked = [row for row in rows if not all(self._is_judged(row, place) for place in places)]
        for start in range(0, len(asked), LOOKED_AT_ONCE):
            self._judge(asked[start : start + LOOKED_AT_ONCE], places)

    def is_known(self, row: int, place: int) -> bool:
        return bool(abs(self._spent(row)[place]) <= UNBELIEVABLE)

    def same_hours(self, row: int, place: int) -> list[SameHour]:
        """The same hour of the last four weeks, the oldest first, by the clock that the hour was judged by."""
        asked = row, place, self._by_clock(row, place).clock
        if asked not in self._compared:
            self._compared[asked] = self._same_hours(row, place)
        return self._compared[asked]

    def _same_hours(self, row: int, place: int) -> list[SameHour]:
        move, window = self._move(row, place), window_before(self._judging(row, place), place)
        spent, counted = self._spent(row), self._counted(row)
        with np.errstate(divide="ignore", invalid="ignore"):
            noise = week_on_week_noise(np.clip(window, 0, None), WEEK)
            left_out = incident_hours(window, noise)[0, ::WEEK].tolist()
        places = [at if move is None or at >= move.place else at + move.forward for at in _weeks_before(place)]
        off = [self.off is not None and at >= 0 and bool(self.off[row, at]) for at in places]
        held = [spent[at] if was_off else counted[at] for at, was_off in zip(places, off, strict=True)]
        amounts = [float(one) if at >= 0 else float("nan") for at, one in zip(places, held, strict=True)]
        return [SameHour(self.start(at), *had) for at, *had in zip(places, amounts, left_out, off, strict=True)]

    def hour_before(self, row: int, place: int) -> HourBefore | None:
        """How the hour before lowers the line from which an hour fires; None where it does not."""
        kept, found = self.scores.bands.of([(self._judging(row, place), [place])]), self.reading(row, place)
        band = kept.explained(np.array([self.beyond(row, place - 1)]), np.array([self.weekly_growth(row)]))
        if band.alone[0] <= band.reach[0] or found.fires_from != found.high:
            return None
        return HourBefore(*(float(dollars[0]) for dollars in (band.before, band.alone, band.half)))

    def lift(self, row: int) -> tuple[datetime, float] | None:
        """Where an accepted level of a series begins, and the factor by which hours before it count."""
        found = self.lifts.get(row)
        return None if found is None else (self.start(found[0]), found[1])

    def weekly_growth(self, row: int) -> float:
        """Returns how much more a week of a series costs than the one before: a factor, 1 where it does not grow."""
        return 1.0 if self.growth is None else float(self.growth[row])

    def is_high(self, row: int, place: int) -> bool:
        """Whether an hour is well above what was usual before it, whatever the noise, and nothing explains it."""
        spent = float(self._spent(row)[place]) - self.beyond(row, place)
        return 0 < HELD_TIMES * self._usual(row, place)[0] <= spent

    def weighs(self, row: int, place: int) -> bool:
        """Whether an hour, which may be to come, is expected to be no small one of its week."""
        usual, mean = self._usual(row, place)
        return usual >= LEAST_WEIGHT * mean

    def _usual(self, row: int, place: int) -> tuple[float, float]:
        """The median of the same hour of four weeks, and the mean hour of these weeks."""
        if (row, place) not in self._usuals:
            counted = self._counted(row)
            grown = self.weekly_growth(row) ** WEEKS_AGO
            same = [
                float(counted[at]) * times
                for at, times in zip(_weeks_before(place), grown.tolist(), strict=True)
                if 0 <= at < counted.size
            ]
            known, window = [one for one in same if not math.isnan(one)], counted[max(0, place - HOURS) : place]
            count = np.count_nonzero(~np.isnan(window))
            mean = float(np.nansum(window)) / count if count else 0.0
            self._usuals[row, place] = median(known) if known else 0.0, mean
        return self._usuals[row, place]

    def _loud(self, places: Whole) -> list[int]:
        """The series that may rise in these hours, and those of which silent hours say nothing."""
        large = np.flatnonzero(is_large(self.spent.at(places), self.terms.floors))
        found = {*self.silent, *self.lifts}
        for start in range(0, large.size, LOOKED_AT_ONCE):
            rows = large[start : start + LOOKED_AT_ONCE]
            loud = may_rise_by_all(
                self.spent.of(rows), places, self.terms.floors[rows], self.moves, self._off(rows), self._growth(rows)
            )
            found.update(rows[loud].tolist())
        return sorted(found)

    def _off(self, rows: Whole) -> Flags | None:
        return None if self.off is None else self.off[rows]

    def _growth(self, rows: Whole | Sequence[int]) -> Floats | None:
        return None if self.growth is None else self.growth[rows]

    def _judging(self, row: int, place: int) -> SeriesHours:
        """The hours that one was judged by."""
        return self._counting_by(self._by_clock(row, place).clock, row)

    def _move(self, row: int, place: int) -> ClockMove | None:
        """The change that the hours before were moved by."""
        clock = self._by_clock(row, place).clock
        return None if clock == UTC_CLOCK else self.moves[clock - 1]

    def beyond(self, row: int, place: int) -> float:
        """Dollars that are expected of an hour beyond its band."""
        return self.planned[place][row] if place in self.planned else 0.0

    def _found(self, row: int, place: int) -> ScoredBucket:
        if not self._is_judged(row, place):
            self._look_about(row, place)
        return self._by_clocks[row, place].bucket if self.moves else self._judged[row][self.first_number + place]

    def _by_clock(self, row: int, place: int) -> _ByClock:
        found = self._found(row, place)
        return self._by_clocks[row, place] if self.moves else _ByClock(found, UTC_CLOCK, sure=True)

    def _is_judged(self, row: int, place: int) -> bool:
        if self.moves:
            return (row, place) in self._by_clocks
        return self.first_number + place in self._judged.get(row, NOTHING_JUDGED)

    def _look_about(self, row: int, place: int) -> None:
        """Looks at an hour, and at those that will be asked about next."""
        if place >= self.newest:
            places = range(self.newest, self.spent.hours)
            alone = self.foreseen is not None or any(self._is_judged(row, each) for each in places)
            self.look_at([row] if alone else self._beside(row), places)
        else:
            first = place // EARLIER_AT_ONCE * EARLIER_AT_ONCE
            self.look_at([row], range(first, min(first + EARLIER_AT_ONCE, self.newest)))

    def _beside(self, row: int) -> range:
        """A quiet series and those beside it, of which one is asked about as a rule when this one is."""
        first = row // ROWS_AT_ONCE * ROWS_AT_ONCE
        return range(first, min(first + ROWS_AT_ONCE, self.spent.series))

    def _judge(self, rows: Sequence[int], places: Sequence[int]) -> None:
        self._add_up(rows)
        if self.moves:
            self._judge_by_clocks(rows, places)
        else:
            self._judged.update(zip(rows, self._scored(UTC_CLOCK, [(row, places) for row in rows]), strict=True))

    def _judge_by_clocks(self, rows: Sequence[int], places: Sequence[int]) -> None:
        asked: dict[tuple[int, int], list[_ByClock]] = {}
        for clock, chosen in self._standing(rows, places).items():
            for (row, of_row), found in zip(chosen, self._scored(clock, chosen), strict=True):
                for place in of_row:
                    one = _ByClock(found[self.first_number + place], clock, sure=True)
                    asked.setdefault((row, place), []).append(one)
        self._by_clocks.update((bucket, _strictest(found)) for bucket, found in asked.items())

    def _standing(self, rows: Sequence[int], places: Sequence[int]) -> dict[int, list[tuple[int, Sequence[int]]]]:
        """The hours that one may judge by each of the clocks, of each series that has some."""
        if not any(move.reaches(place) for move in self.moves for place in places):
            return {UTC_CLOCK: [(row, places) for row in rows]}
        found = self.scores.clocks.of([self._counting_by(UTC_CLOCK, row) for row in rows], self.moves, places)
        by: dict[int, list[tuple[int, Sequence[int]]]] = {clock: [] for clock in range(1 + len(self.moves))}
        for row, stands in zip(rows, found, strict=True):
            for clock, chosen in by.items():
                if own := [place for place in places if stands.at(place)[clock]]:
                    chosen.append((row, own))
        return {clock: chosen for clock, chosen in by.items() if chosen}

    def _scored(self, clock: int, asked: Sequence[tuple[int, Sequence[int]]]) -> list[Mapping[int, ScoredBucket]]:
        return self.scores.of([(self._judged_by(clock, row), places) for row, places in asked])

    def _judged_by(self, clock: int, row: int) -> JudgedSeries:
        """A series as it is judged by one of the clocks."""
        if (clock, row) not in self._series:
            self._series[clock, row] = JudgedSeries(
                self._counting_by(clock, row),
                self._spent(row),
                float(self.terms.thresholds[row]),
                float(self.terms.floors[row]),
                {self.first_number + place: dollars[row] for place, dollars in self.planned.items()},
            )
        return self._series[clock, row]

    def _spent(self, row: int) -> Floats:
        if row not in self._rows:
            self._add_up([row])
        return self._rows[row]

    def _counted(self, row: int) -> Floats:
        """The hours of a series as they say what is usual."""
        return self._counting_by(UTC_CLOCK, row).over

    def _counting_by(self, clock: int, row: int) -> SeriesHours:
        """The same by one of the clocks."""
        if (clock, row) not in self._counting:
            move = None if clock == UTC_CLOCK else self.moves[clock - 1]
            hours = self._as_usual(row) if move is None else move.applied(self._counted(row)[None])[0]
            name = row, row in self.silent, move and move.zone
            foreseen = hours.size - self.spent.hours
            self._counting[clock, row] = SeriesHours(name, hours, self.first_number, self.weekly_growth(row), foreseen)
        return self._counting[clock, row]

    @cached_property
    def first_number(self) -> int:
        """The number of the first hour since the beginning of time."""
        return (self.first - DAWN) // HOUR

    def _as_usual(self, row: int) -> Floats:
        spent = self._spent(row).copy()
        if self.off is not None:
            spent[: self.spent.hours][self.off[row]] = np.nan
        for span in self.silent.get(row, ()):
            spent[span] = np.nan
        if row in self.lifts:
            place, factor = self.lifts[row]
            spent[:place] *= factor
        return spent

    def _add_up(self, rows: Sequence[int]) -> None:
        missing = np.array([row for row in rows if row not in self._rows], dtype=np.int64)
        if missing.size:
            parts = [each.of(missing) for each in (self.spent, self.foreseen) if each is not None]
            self._rows.update(zip(missing.tolist(), np.concatenate(parts, axis=1), strict=True))


def _strictest(found: Sequence[_ByClock]) -> _ByClock:
    """The one of several clocks by which an hour fires last; by one that does not judge it, it never does."""
    if len(found) == 1:
        return found[0]
    return replace(max(found, key=lambda one: float(np.nan_to_num(one.bucket.fires_from, nan=np.inf))), sure=False)


def _weeks_before(place: int) -> range:
    return range(place - HOURS, place, WEEK)


def hour_judge(
    spent: SummedHours,
    first: datetime,
    mature_until: datetime | None,
    terms: Terms,
    planned: Mapping[int, Sequence[float]],
    silent: Iterable[tuple[int, datetime, datetime]],
    newest: int,
    scores: HourScores | None = None,
) -> HourJudge:
    """`silent`: (series, start, end) of hours that say nothing of what is usual."""
    spans: dict[int, list[slice]] = {}
    for row, start, end in silent:
        spans.setdefault(row, []).append(slice(max(0, _hours_until(first, start)), max(0, _hours_until(first, end))))
    mature = 0 if mature_until is None else min(spent.hours, max(0, _hours_until(first, mature_until)))
    kept = HourScores() if scores is None else scores
    return HourJudge(spent, spans, first, mature, terms, planned, newest, kept)


def _hours_until(first: datetime, instant: datetime) -> int:
    return (instant - first) // HOUR
