"""Days and hours that a backtest of an anomaly rule passes over: a cheap look that never misses what would fire."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from service.domain.detectors.arrays import Floats
from service.domain.detectors.daily.detector import default_hour_floor
from service.domain.detectors.hourly.clocks import ClockMove, moves_within
from service.domain.detectors.hourly.detector import HOURS
from service.domain.detectors.hourly.glance import HourGlance
from service.domain.detectors.hourly.known import KnownHours
from service.domain.detectors.hourly.time_off import QuietDays, hours_off, no_quiet_days
from service.domain.rules.backtesting import HourEnd, Look
from service.domain.rules.kinds.anomaly.ground import (
    LEARNING_HOURS,
    NORMAL_HOURS,
    ground,
    judges,
)
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyDirection, AnomalyGranularity
from service.domain.rules.rule import Rule
from service.domain.rules.view import SpendView
from service.domain.spend.lateness import JUDGED_AGAIN_DAYS, JUDGED_AGAIN_HOURS
from service.domain.values.scopes import Cell, Dimension, ScopeKey
from service.domain.values.utc import DAY, HOUR, midnight

JUDGED_HOURS = JUDGED_AGAIN_HOURS + NORMAL_HOURS
"""The newest known hours: those that may fire, and those that end an incident."""
HOURS_OF_DAY = DAY // HOUR
FARTHEST_BACK = HOURS + HOURS_OF_DAY + 3
"""No hour is compared with an earlier one, also where a clock change moves it by hours."""
Lifts = Mapping[int, tuple[date, float]]
"""Accepted levels by series: the first day, and the factor that lifts what was before to it."""


def dimensions(rule: Rule[Anomaly]) -> frozenset[Dimension] | None:
    """Its levels; None where it asks for falls: whether one is believed depends on how many keys fall at once."""
    return frozenset(rule.params.levels) if rule.params.direction is AnomalyDirection.UP else None


def firing_levels(rule: Rule[Anomaly]) -> frozenset[Dimension]:
    """The dimensions whose members may fire, the organisation always among them."""
    return frozenset({*rule.params.levels, Dimension.ORGANISATION, *([rule.for_each] if rule.for_each else [])})


def may_fire(view: SpendView, rule: Rule[Anomaly]) -> bool:
    """False where of the scopes that may fire no judged day is unusual.

    A rule that waits has to remember also what does not fire yet, and hours have a look of their own.
    """
    if rule.gates.pending_for or view.hours is not None:
        return True
    stands = ground(view, rule.scope)
    if not stands.cells:
        return False
    days = judges(stands, rule.params.sensitivity, ()).days
    last = days.open_day
    stirring = days.stirring(range(last, max(-1, last - JUDGED_AGAIN_DAYS - 1), -1))
    return any(stands.keys[row].dimension in firing_levels(rule) for row in stirring)


@dataclass(frozen=True, slots=True)
class _DayLimits:
    """The closed days' answer: for each key the dollars that today must not reach, and its `quiet` days; whether one of
    them may fire; and the excess in dollars under which no hour does. `lifts`: the accepted levels, by the key's place.
    `growth`: of each key from week to week, a factor.

    `stands_on`: all that this was made of.
    """

    quiet: QuietDays
    stands_on: object = None
    limits: Sequence[float] = ()
    stir: bool = False
    floor: float = 0.0
    lifts: Lifts = field(default_factory=dict)
    growth: Floats | None = None


class HourGlimpses:
    """Looks at the hours of every scope that may fire, and at the days' limits while the days stay as they are."""

    def __init__(self, known: KnownHours, rule: Rule[Anomaly]) -> None:
        self._rule, self._known = rule, known
        self._keys = _watched(known.cells, rule)
        self._glance = HourGlance(known, list(self._keys.values()))
        self._days = _DayLimits(self._no_quiet_days(known.first.date()))
        self.was_quiet = False
        self.may_exceed: dict[int, bool] = {}
        """Whether each of the newest hours may exceed, and of those to come today, by its place: as far as it was
        asked, and is so still."""
        self._over = 0

    def look(self, hour: HourEnd) -> Look:
        self._glance.note(hour.learnt)
        changed = self._follow_days(hour)
        as_foreseen = self._glance.came_as_foreseen(self._over, hour.place)
        if changed or hour.learnt.reaches_before(self._over) or not as_foreseen:
            self.may_exceed = {}
        self._over = hour.place
        quiet = self.is_quiet(hour)
        is_late = hour.learnt.reaches_before(hour.place - 1)
        is_news = changed or is_late or not (quiet and self.was_quiet)
        self.was_quiet = quiet
        return Look(may_fire=self._days.stir or not quiet, is_news=is_news)

    def is_quiet(self, hour: HourEnd) -> bool:
        """Whether neither today nor an hour may exceed, and for so long that every scope's hours are calm."""
        if self._glance.reaches(hour.today, hour.place, self._days.limits):
            return False
        start = hour.place - LEARNING_HOURS
        first = self._known.first + start * HOUR
        moves = moves_within(hour.locality.zones, first, LEARNING_HOURS)
        off = hours_off(hour.locality, self._days.quiet, first, LEARNING_HOURS)
        known = self._known.newest(start, hour.place, JUDGED_HOURS)
        if not known:
            return True
        mature = self._known.mature_until()
        closed = 0 if mature is None else (mature - self._known.first) // HOUR
        if sum(at < closed for at in known) < NORMAL_HOURS:
            return False
        # Else what is found of an hour depends on which hours are held.
        is_plain = off is None and self._glance.have_begun(start, known[0] - FARTHEST_BACK)
        found = self.may_exceed if is_plain else {}
        new, days = [at for at in known if at not in found], self._days
        if new and is_plain:
            new.extend(self._to_come(hour, first, moves))
        rising = self._glance.may_rise(start, hour.place, new, days.floor, moves, off, self._lifts(), days.growth)
        found = found | dict(zip(new, rising, strict=True))
        self.may_exceed = {at: rises for at, rises in found.items() if at >= known[0]} if is_plain else {}
        return not any(found[at] for at in known)

    def _to_come(self, hour: HourEnd, first: datetime, moves: Sequence[ClockMove]) -> range:
        """The hours until midnight; none on a day on which a clock is still to be changed: it moves those after it."""
        end = min(hour.today + HOURS_OF_DAY, self._known.known.size)
        until_then = moves_within(hour.locality.zones, first, LEARNING_HOURS + end - hour.place)
        return range(hour.place, end if until_then == moves else hour.place)

    def _lifts(self) -> Mapping[int, tuple[int, float]]:
        """The accepted levels by the place of their first hour."""
        return {
            row: ((midnight(since) - self._known.first) // HOUR, factor)
            for row, (since, factor) in self._days.lifts.items()
        }

    def _follow_days(self, hour: HourEnd) -> bool:
        """Judges the days again where a closed one is known differently than at the instant before."""
        spent = tuple(tuple(self._glance.spent(at, at + HOURS_OF_DAY)) for at in hour.fresh)
        stands_on = (hour.stands_on, spent)
        if stands_on == self._days.stands_on:
            return False
        self._days = replace(self._judged(hour.days()), stands_on=stands_on)
        return True

    def _no_quiet_days(self, end: date) -> QuietDays:
        return no_quiet_days(len(self._keys), end)

    def _judged(self, view: SpendView) -> _DayLimits:
        params, stands = self._rule.params, ground(view, self._rule.scope)
        endless = [math.inf] * len(self._keys)
        if not stands.cells:
            return _DayLimits(self._no_quiet_days(view.today), limits=endless)
        found = judges(stands, params.sensitivity, ())
        floor, days = default_hour_floor(found.daily), found.days
        rows = [stands.rows.get(key, -1) for key in self._keys]
        quiet, growth = days.quiet_days().of(rows), days.growth_of(rows)
        lifted = days.lifts()
        lifts = {at: lifted[row] for at, key in enumerate(self._keys) if (row := stands.rows.get(key)) in lifted}
        if params.granularity is AnomalyGranularity.HOURS:
            return _DayLimits(quiet, limits=endless, floor=floor, lifts=lifts, growth=growth)
        today = days.open_day
        limits = days.ringing_from(today)
        stirring = days.stirring(range(today - 1, max(-1, today - JUDGED_AGAIN_DAYS - 1), -1))
        stir = any(stands.keys[row].dimension in firing_levels(self._rule) for row in stirring)
        mine = [limits.get(str(key), math.inf) for key in self._keys]
        return _DayLimits(quiet, limits=mine, stir=stir, floor=floor, lifts=lifts, growth=growth)


def _watched(cells: Sequence[Cell], rule: Rule[Anomaly]) -> Mapping[ScopeKey, list[int]]:
    """The places of the cells of every scope that may fire."""
    members: dict[ScopeKey, list[int]] = {}
    for dimension in Dimension:
        if dimension in firing_levels(rule):
            for place, cell in enumerate(cells):
                if rule.scope.holds(cell):
                    members.setdefault(ScopeKey(dimension, cell.along(dimension)), []).append(place)
    return members
