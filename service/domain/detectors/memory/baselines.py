"""Baselines of a panel, kept so that the next one, a day later, need not be learnt from its first day.

A memory of arithmetic, not of facts: whoever asks gets what a replay of every day ever seen would give. Only days that
differ from those remembered, and the days after them, are replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar, cast

import numpy as np

from service.domain.detectors.arrays import Flags, Floats, Whole
from service.domain.detectors.daily.baseline import Baseline, baseline, joined_bases
from service.domain.detectors.daily.carry import followed_by
from service.domain.detectors.daily.history import fresh
from service.domain.detectors.daily.recurrence import recurring
from service.domain.detectors.hourly.hour_scores import HourScores
from service.domain.detectors.memory.day_scores import DayScores
from service.domain.detectors.memory.replay import Accepted, Correction, TakenOut
from service.domain.detectors.panel import DayKind, Panel
from service.domain.values.utc import DAY

Made = TypeVar("Made")

LOOK_BACK = 21
"""Days before the last one whose baselines are kept, so that they can be judged again."""


@dataclass(frozen=True, slots=True)
class DatedCorrection:
    """A correction by dates. It counts from the day `said` on, which is later than the days it is about.

    `since`: a new level since that day was accepted. `out`: that day was a real incident. One of them is None.
    """

    series: str
    said: date
    since: date | None = None
    out: date | None = None

    def correction(self, row: int, first: date) -> Correction:
        said = (self.said - first).days
        if self.since is not None:
            return Accepted(row, (self.since - first).days, said)
        return TakenOut(row, ((self.out - first).days,) if self.out is not None else (), said)


@dataclass(frozen=True, slots=True, eq=False)
class LearntDays:
    """Baselines before each of the last days, by the day's place in the panel asked for.

    `rows`: where each series of that panel stands in the arrays, which may hold series of earlier panels, too.
    `amounts` and `planned`: dollars, [series of the arrays, days of the panel].
    """

    rows: Whole
    bases: dict[int, Baseline]
    amounts: Floats
    planned: Floats
    scores: DayScores

    @property
    def size(self) -> int:
        return int(self.amounts.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """Every series and day ever seen: dollars, [series, days], and baselines by place before the last days."""

    series: dict[str, int]
    first: date
    amounts: Floats
    planned: Floats
    holidays: frozenset[date]
    answers: frozenset[DatedCorrection]
    bases: dict[int, Baseline]


class BaselineMemory:
    """The memory of one line of panels. Each panel replaces what earlier ones said about its days.

    Days before the panel stay as they were seen. A series that the panel does not name spent nothing in its days.
    A panel that begins before the first day seen, or after the last one with a gap, starts over.
    """

    def __init__(self) -> None:
        self._seen: _Seen | None = None
        self._scores = DayScores()

    def learn(self, panel: Panel, planned: Floats, answers: Iterable[DatedCorrection]) -> LearntDays:
        """`planned`: announced extra dollars, [series, days]."""
        old = self._seen
        if old is not None and not 0 <= (panel.first - old.first).days <= old.amounts.shape[1]:
            old = None
        seen = _started(panel) if old is None else old
        offset = (panel.first - seen.first).days
        series = dict(seen.series)
        for name in panel.series:
            series.setdefault(name, len(series))
        rows = np.array([series[name] for name in panel.series], dtype=np.int64)
        now = _Seen(
            series,
            seen.first,
            _overlaid(seen.amounts, panel.amounts, rows, len(series), offset),
            _overlaid(seen.planned, planned, rows, len(series), offset),
            frozenset((*(day for day in seen.holidays if day < panel.first), *panel.holidays)),
            frozenset(answer for answer in answers if answer.series in series),
            {},
        )
        bases = _replayed(now, _still_good(seen, now))
        self._seen = replace(now, bases=bases)
        within = {place - offset: base for place, base in bases.items() if place >= offset}
        self._scores.forget_before(panel.day(min(within, default=0)))
        return LearntDays(rows, within, now.amounts[:, offset:], now.planned[:, offset:], self._scores)


class Memo:
    """A `BaselineMemory` for every selection of series that is judged, and the bands of its hours."""

    def __init__(self) -> None:
        self._baselines: dict[Hashable, BaselineMemory] = {}
        self._hours: dict[Hashable, HourScores] = {}
        self._made: dict[Hashable, tuple[object, object]] = {}

    def once(self, selection: Hashable, of: object, make: Callable[[], Made]) -> Made:
        """The value that was last made of this very object, else what `make` makes of it now."""
        made = self._made.get(selection)
        if made is None or made[0] is not of:
            made = self._made[selection] = (of, make())
        return cast("Made", made[1])

    def hours(self, selection: Hashable) -> HourScores:
        return self._hours.setdefault(selection, HourScores())

    def of(self, selection: Hashable) -> BaselineMemory:
        return self._baselines.setdefault(selection, BaselineMemory())


def _started(panel: Panel) -> _Seen:
    nothing = np.zeros((0, 0))
    return _Seen({}, panel.first, nothing, nothing, frozenset(), frozenset(), {})


def _overlaid(seen: Floats, cells: Floats, rows: Whole, size: int, offset: int) -> Floats:
    """The days seen before the panel, and the panel: [size, days up to the panel's last]."""
    days = offset + cells.shape[1]
    result = np.zeros((size, days), order="F")
    result[: seen.shape[0], :offset] = seen[:, :offset]
    unknown: Flags = np.asarray(np.isnan(cells).all(axis=0) & (cells.shape[0] > 0))
    result[:, offset:][:, unknown] = np.nan
    if np.array_equal(rows, np.arange(rows.size)):  # as it is, unless series have come and gone
        result[: rows.size, offset:] = cells
    else:
        result[rows, offset:] = cells
    return result


def _still_good(seen: _Seen, now: _Seen) -> dict[int, Baseline]:
    """The remembered baselines that nothing new changes, with rows for the series that are new."""
    size, days = seen.amounts.shape[0], min(seen.amounts.shape[1], now.amounts.shape[1])
    differs = ~_same(seen.amounts[:, :days], now.amounts[:size, :days])
    replanned = seen.planned[:, :days] != now.planned[:size, :days]
    changed = np.any(np.concatenate([differs, replanned, now.amounts[size:, :days] > 0]), axis=0)
    moved = [(day - now.first).days for day in seen.holidays ^ now.holidays]
    first_changed = min([int(changed.argmax()) if changed.any() else days, *moved])
    said = min(((answer.said - now.first).days for answer in seen.answers ^ now.answers), default=days + 1)
    good = {place: base for place, base in seen.bases.items() if place <= first_changed and place < said}
    more = now.amounts.shape[0] - size
    if not more:
        return good
    blank = baseline(fresh(more))
    return {place: joined_bases(base, blank) for place, base in good.items()}


def _same(one: Floats, other: Floats) -> Flags:
    return np.asarray((one == other) | (np.isnan(one) & np.isnan(other)))


def _replayed(now: _Seen, good: dict[int, Baseline]) -> dict[int, Baseline]:
    """Baselines before each of the last days, going on from the newest remembered one that serves."""
    last = now.amounts.shape[1] - 1
    needed = max(0, last - LOOK_BACK)
    place = _start(good, needed, last)
    base = good[place] if place in good else baseline(fresh(now.amounts.shape[0]))
    bases = {at: kept for at, kept in good.items() if needed <= at < place}
    by_day: dict[int, list[Correction]] = {}
    for answer in sorted(now.answers, key=_in_order):
        correction = answer.correction(now.series[answer.series], now.first)
        by_day.setdefault(correction.said, []).append(correction)
    while True:
        if place >= needed:
            bases[place] = base
        if place >= last:
            return bases
        extra = now.planned[:, place] if now.planned[:, place].any() else None
        day = now.first + DAY * place
        kind = DayKind.HOLIDAY if day in now.holidays else DayKind.ORDINARY
        history = followed_by(base, now.amounts[:, place], extra, recurring(base.history, day), kind)
        place += 1
        for correction in by_day.get(place, ()):
            if history.ages[correction.row] > 0:  # nothing can be said of what has not begun
                history = correction.corrected(history, place)
        base = baseline(history)


def _start(good: dict[int, Baseline], needed: int, last: int) -> int:
    """The place to go on from, so that no needed baseline is left out; 0 where all is to be replayed."""
    place = max((at for at in good if at <= needed), default=0)
    while place >= needed and place < last and place + 1 in good:
        place += 1
    return place


def _in_order(answer: DatedCorrection) -> tuple[date, str, bool, date]:
    """An accepted level before a day that is taken out of it."""
    return answer.said, answer.series, answer.since is None, answer.since or answer.out or answer.said


def accepted(series: str, since: date, given: date) -> DatedCorrection:
    """A person said on `given` that a level is here to stay; a day that was not over then, a day later."""
    return DatedCorrection(series, max(given, since + DAY), since=since)


def taken_out(series: str, day: date, given: date) -> DatedCorrection:
    return DatedCorrection(series, max(given, day + DAY), out=day)
