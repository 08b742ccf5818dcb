"""The hours of a stretch, one step each: what was known of them, and whether anything may have changed since."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from service.domain.backtest.glance import ringing_levels
from service.domain.backtest.history import Recorded, Step, steps
from service.domain.detectors.hourly.glance import HourGlance
from service.domain.detectors.hourly.known import HourVersions, KnownHours
from service.domain.rules.kinds.anomaly.ground import NORMAL_HOURS, ground, judges
from service.domain.rules.kinds.anomaly.rule import Anomaly, Granularity
from service.domain.rules.reach import LEARNING_HOURS, days_needed
from service.domain.rules.rule import Rule
from service.domain.rules.view import DayFigures, HourFigures, SpendView
from service.domain.spend.lateness import JUDGED_AGAIN_DAYS, JUDGED_AGAIN_HOURS, fresh_days
from service.domain.values.scopes import Cell, Dimension, ScopeKey
from service.domain.values.utc import DAY, HOUR, midnight

HOURS_OF_DAY = 24
LEARNING_DAYS = math.ceil(LEARNING_HOURS / HOURS_OF_DAY) * DAY
"""Before the first day whose hours are judged."""
JUDGED_HOURS = JUDGED_AGAIN_HOURS + NORMAL_HOURS
"""The newest known hours: those that may ring, and those that end an incident."""
LONGEST_DELAY = timedelta(minutes=59)
NOTHING = DayFigures()


@dataclass(frozen=True, slots=True)
class Moment:
    """An hour's step at `as_of`, made only where it is looked at.

    `may_ring`: False where no scope can. `is_news`: False where every scope would be found as at the moment before.
    """

    as_of: datetime
    may_ring: bool
    is_news: bool
    step: Callable[[], Step]


def moments(
    recorded: Recorded, versions: HourVersions, rule: Rule[object], first: date, last: date
) -> Iterator[tuple[Step, Moment]]:
    """One moment for every hour of the UTC days from `first` to `last`, with the midnight that it goes by.

    It is the hour's end and the usual delay of its reading, as far as hours had been read by then. Closed days are as
    they were known at the midnight before, but at least what their hours come to while they are not settled.
    `rule` is the one that rings most easily; `versions` begin LEARNING_DAYS before the first day.
    """
    hours = _Hours(recorded, versions, rule)
    for night in steps(recorded, first - DAY, last, days_needed(rule)):
        start = 1 if night.closed < first else 0
        end = 1 if night.closed == last else HOURS_OF_DAY
        for number in range(start, end):
            yield night, hours.moment(night, number)


class _Hours:
    def __init__(self, recorded: Recorded, versions: HourVersions, rule: Rule[object]) -> None:
        self._recorded, self._rule = recorded, rule
        self._waits = bool(rule.gates.pending_for or rule.gates.keep_firing_for)
        self._delay = min(recorded.delay, LONGEST_DELAY)
        self._known = KnownHours(versions)
        self._keys = _watched(self._known.cells, rule)
        self._glance = HourGlance(self._known, list(self._keys.values()))
        self._days = _Days()
        self._was_quiet = False

    def moment(self, night: Step, number: int) -> Moment:
        now = night.view.as_of + number * HOUR + self._delay
        self._glance.note(self._known.learn_until(now))
        changed = self._follow_days(night, number, now)
        quiet = self._is_quiet(now)
        is_news = self._waits or changed or not (quiet and self._was_quiet)
        self._was_quiet = quiet
        may_ring = self._waits or self._days.stir or not quiet
        return Moment(now, may_ring, is_news, lambda: self._step(night, number, now))

    def _is_quiet(self, now: datetime) -> bool:
        """Whether neither today nor an hour may exceed, and for so long that every scope's hours are calm."""
        place, today = self._place(now), self._place(midnight(now.date()))
        if self._glance.reaches(today, place, self._days.limits):
            return False
        start = place - LEARNING_HOURS
        known = self._known.newest(start, place, JUDGED_HOURS)
        if not known:
            return True
        mature = self._known.mature_until()
        closed = 0 if mature is None else self._place(mature)
        return sum(at < closed for at in known) >= NORMAL_HOURS and not self._glance.may_rise(start, known)

    def _follow_days(self, night: Step, number: int, now: datetime) -> bool:
        """Looks at the days anew where a closed one is known differently than at the moment before."""
        fresh = [self._place(midnight(day)) for day in fresh_days(now.date())[:-1]]
        spent = tuple(tuple(self._glance.spent(at, at + HOURS_OF_DAY)) for at in fresh)
        stands_on = (night.closed, spent, sum(one.at <= now for one in self._recorded.planned))
        if stands_on == self._days.stands_on:
            return False
        self._days = _Days(stands_on, *self._judged(self._days_at(night, number, now)))
        return True

    def _judged(self, view: SpendView) -> tuple[Sequence[float], bool]:
        """What today must not reach, for each key; and whether a closed day may ring."""
        params, stands = self._rule.params, ground(view, self._rule.scope)
        assert isinstance(params, Anomaly)
        if params.granularity is Granularity.HOURS or not stands.cells:
            return [math.inf] * len(self._keys), False
        days = judges(stands, params.sensitivity, ()).days
        today = days.open_day
        limits = days.ringing_from(today)
        stirring = days.stirring(range(today - 1, max(-1, today - JUDGED_AGAIN_DAYS - 1), -1))
        stir = any(stands.keys[row].dimension in ringing_levels(self._rule) for row in stirring)
        return [limits.get(str(key), math.inf) for key in self._keys], stir

    def _step(self, night: Step, number: int, now: datetime) -> Step:
        closed = night.closed if number == 0 else night.closed + DAY
        return replace(night, closed=closed, view=self._view(night, number, now), dollars=0.0, assumed=0.0)

    def _view(self, night: Step, number: int, now: datetime) -> SpendView:
        hours = self._figures(self._place(night.view.as_of) + number)
        return replace(self._days_at(night, number, now), hours=hours)

    def _days_at(self, night: Step, number: int, now: datetime) -> SpendView:
        """The days alone."""
        view = night.view
        settled = view.settled_until
        cells, unknown = dict(view.cells), set(view.unknown_days)
        for day in reversed(fresh_days(view.today)):
            start = self._place(midnight(day))
            over = number if day == view.today else HOURS_OF_DAY
            if settled is None or midnight(day + DAY) > settled:
                self._raise_to_hours(cells, day, start, start + over)
                if all(self._known.known[start : start + over] if over else self._known.known[start - 1 : start]):
                    unknown.discard(day)
        planned = tuple(one.activity for one in self._recorded.planned if one.at <= now)
        return replace(view, as_of=now, cells=cells, unknown_days=frozenset(unknown), planned=planned)

    def _raise_to_hours(self, cells: dict[Cell, Mapping[date, DayFigures]], day: date, start: int, end: int) -> None:
        """A day that is not settled has cost at least what its hours have."""
        spent = self._known.amounts[:, start:end].sum(axis=1).tolist()
        for cell, dollars in zip(self._known.cells, spent, strict=True):
            figures = cells.get(cell, {})
            known = figures.get(day, NOTHING)
            if dollars > known.spend:
                cells[cell] = {**figures, day: replace(known, spend=dollars)}

    def _figures(self, end: int) -> HourFigures:
        """The hours before a place, as many as a view holds."""
        start = end - LEARNING_HOURS
        rows = self._known.amounts[:, start:end]
        return HourFigures(
            first=self._known.first + start * HOUR,
            known=self._known.known[start:end].tolist(),
            cells={cell: row for cell, row in zip(self._known.cells, rows.tolist(), strict=True) if any(row)},
            mature_until=self._known.mature_until(),
        )

    def _place(self, instant: datetime) -> int:
        """How many hours are over by then."""
        return (instant - self._known.first) // HOUR


@dataclass(frozen=True, slots=True)
class _Days:
    """What the closed days leave open: of each key what today must not reach in dollars; whether one of them may ring.

    `stands_on`: all that this was made of.
    """

    stands_on: object = None
    limits: Sequence[float] = ()
    stir: bool = False


def _watched(cells: Sequence[Cell], rule: Rule[object]) -> Mapping[ScopeKey, list[int]]:
    """The places of the cells of every scope that may ring."""
    members: dict[ScopeKey, list[int]] = {}
    for dimension in Dimension:
        if dimension in ringing_levels(rule):
            for place, cell in enumerate(cells):
                if rule.scope.holds(cell):
                    members.setdefault(ScopeKey(dimension, cell.along(dimension)), []).append(place)
    return members
