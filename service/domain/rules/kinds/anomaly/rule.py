"""`anomaly`: a day or an hour is unlike what the scope usually spends. The detectors' docs say how that is found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property, partial
from typing import Annotated

from service.domain.detectors.daily.recurrence import CalendarBatch
from service.domain.detectors.scores import Sensitivity
from service.domain.rules import limits
from service.domain.rules.feedback import NO_FEEDBACK, Feedback, of_scope, restarts_on, stricter
from service.domain.rules.kinds.anomaly import parameters as words
from service.domain.rules.kinds.anomaly.alike import Observed, is_alike
from service.domain.rules.kinds.anomaly.calm import calm_of
from service.domain.rules.kinds.anomaly.critical import CULPRIT_SHARE, SETTLED_DAYS, Bars, Seat, weight
from service.domain.rules.kinds.anomaly.ground import HOURS_BACK, Ground, Judges, ground, judges
from service.domain.rules.kinds.anomaly.lulls import is_up, lull
from service.domain.rules.kinds.anomaly.parts import Parts, parts, spent_inside
from service.domain.rules.kinds.anomaly.sides import (
    DaySide,
    Each,
    HourSide,
    begun,
    impact,
    lies_in_hours,
    newest_exceeding,
)
from service.domain.rules.kinds.anomaly.words import (
    after_hour,
    between,
    compared_by,
    counted_days,
    counted_hours,
    day_cause,
    hour_cause,
    inputs,
    of_holiday,
    on_day,
    short_cause,
    who,
)
from service.domain.rules.rule import Calm, Gates, NewLevel, Observation, Rule
from service.domain.rules.verdicts import Observations
from service.domain.rules.view import SpendView
from service.domain.values.errors import Invalid
from service.domain.values.money import Money
from service.domain.values.scopes import ORGANISATION, Dimension, ScopeKey
from service.domain.values.utc import midnight

CRITICAL_SPEED, CRITICAL_SPENT = Money(Decimal(100)), Money(Decimal(250))
WEEK_OF_DAYS, WEEK_OF_HOURS = 7, 168


class AnomalyGranularity(StrEnum):
    DAYS = "1d"
    HOURS = "1h"
    BOTH = "both"
    """Hours fire early, days catch what is slow; one alert either way."""


class AnomalyDirection(StrEnum):
    UP = "up"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Anomaly:
    """`levels`: the dimensions whose members may fire; a rule's `for_each` is one more of them. Others explain.

    `direction`: BOTH reports falls, too, as information, and of final days only. `critical_speed`: dollars a day, under
    which nothing is critical. What is fast is critical once an excess of `critical_spent` is spent, or
    `critical_percent_of_day` of a usual day of the organisation, or once `critical_hours` in a row exceed; until then
    it has the severity of what is spent.
    """

    granularity: Annotated[AnomalyGranularity, words.GRANULARITY] = AnomalyGranularity.BOTH
    sensitivity: Annotated[Sensitivity, words.SENSITIVITY] = Sensitivity.NORMAL
    levels: Annotated[tuple[Dimension, ...], words.LEVELS] = (Dimension.ORGANISATION, Dimension.WORKSPACE)
    direction: Annotated[AnomalyDirection, words.DIRECTION] = AnomalyDirection.UP
    critical_speed: Annotated[Money, words.CRITICAL_SPEED] = CRITICAL_SPEED
    critical_spent: Annotated[Money, words.CRITICAL_SPENT] = CRITICAL_SPENT
    critical_percent_of_day: Annotated[Decimal, words.CRITICAL_PERCENT_OF_DAY] = Decimal(10)
    critical_hours: Annotated[int, words.CRITICAL_HOURS] = 2


def validate(rule: Rule[Anomaly]) -> None:
    levels = rule.params.levels
    if not levels:
        raise Invalid("name at least one level", "/params/levels")
    if len(set(levels)) < len(levels):
        raise Invalid("name each level once", "/params/levels")
    limits.above_zero(rule.params.critical_speed, "/params/critical_speed")
    limits.above_zero(rule.params.critical_spent, "/params/critical_spent")
    limits.points(rule.params.critical_percent_of_day, "/params/critical_percent_of_day")
    if not 1 <= rule.params.critical_hours <= HOURS_BACK:
        raise Invalid(f"must be 1 to {HOURS_BACK} hours", "/params/critical_hours")


def observe(
    view: SpendView, rule: Rule[Anomaly], feedback: Sequence[Feedback] = NO_FEEDBACK
) -> Mapping[ScopeKey, Observation]:
    """One observation per member of every dimension in the rule's scope; the organisation is all that lies in it.

    Each is about the newest day or hour that exceeds, of today, the last three closed days, those read late and the
    last three known hours; where both do, about the more severe. Else it is about what only a gate of size stops, and
    else about the last closed day (of a rule on hours: the last known hour). The severity is the detector's.
    """
    stands = ground(view, rule.scope)
    if not stands.cells:
        return {}
    watch = _Watch(view, rule, feedback, stands, judges(stands, rule.params.sensitivity, feedback))
    if not feedback:
        at_any = replace(rule, params=replace(rule.params, sensitivity=Sensitivity.NORMAL))
        first = view.memo.once(("watch", at_any), stands, lambda: watch)
        watch = watch if first is watch else replace(watch, first=first, observed={}, hourly={})
    if not watch.sides(0):
        return {}
    objecting = [stands.keys[row] for row in sorted(watch.objecting())]
    return Observations(stands.rows, objecting, lambda key: watch.observation(stands.rows[key]))


@dataclass(frozen=True, eq=False)
class _Watch:
    """One look of a rule at a view: every key's days and hours by its row in the ground.

    `first`: the look at the same view at the first of several sensitivities. `observed`: what exceeds, by row.
    `hourly`: whether a day is but the sum of its hours, by row and place.
    """

    view: SpendView
    rule: Rule[Anomaly]
    feedback: Sequence[Feedback]
    ground: Ground
    judges: Judges
    first: _Watch | None = None
    observed: dict[int, Observed] = field(default_factory=dict)
    hourly: dict[tuple[int, int], bool] = field(default_factory=dict)
    levels: frozenset[Dimension] = field(init=False)

    def __post_init__(self) -> None:
        more = () if self.rule.for_each is None else (self.rule.for_each,)
        object.__setattr__(self, "levels", frozenset((*self.rule.params.levels, *more)))

    @cached_property
    def days(self) -> Sequence[DaySide]:
        if self.rule.params.granularity is AnomalyGranularity.HOURS:
            return ()
        judge, falling, last = self.judges.days, self._falling(), self.ground.last_told
        late = len(self.view.closed_days)
        return Each(len(self.ground.keys), lambda row: DaySide(judge, row, *self._told(row), falling, last(row), late))

    @cached_property
    def hours(self) -> Sequence[HourSide]:
        judge = self.judges.hours
        if judge is None or self.view.hours is None or self.rule.params.granularity is AnomalyGranularity.DAYS:
            return ()
        known = self.ground.known_hours
        return Each(len(self.ground.keys), lambda row: HourSide(judge, row, *self._told(row), known))

    def objecting(self) -> frozenset[int]:
        """The rows of which a day or an hour may be objected to: of the others none is."""
        days = self._stirring if self.days else frozenset()
        return days | (self.judges.hours.rising(self.hours[0].recent) if self.judges.hours and self.hours else days)

    def sides(self, row: int) -> list[DaySide | HourSide]:
        return [side[row] for side in (self.days, self.hours) if side]

    def observation(self, row: int) -> Observation:
        alike = self._as_at_first(row)
        if alike is not None:
            return alike
        sides = [side for side in self.sides(row) if isinstance(side, HourSide) or row in self._stirring]
        found = [(side, place) for side in sides if (place := newest_exceeding(side)) is not None]
        if not found:
            stopped = [(side, place) for side in sides for place in side.recent if side.objects(place)]
            return self._unringing(row, *(stopped or [self._latest(row)])[0])
        side, place = max(found, key=lambda one: self._loudness(*one))
        seen = self._exceeding(row, side, place, dict(found))
        asked = self.sides(row)
        self.observed[row] = Observed(seen, asked, asked.index(side), place)
        return seen

    def _as_at_first(self, row: int) -> Observation | None:
        """The observation at the first sensitivity, in the words of this one; None where it is not the same."""
        found = None if self.first is None else self.first.observed.get(row)
        if self.first is None or found is None:
            return None
        stirs_alike = not self.days or (row in self._stirring) == (row in self.first._stirring)
        if not stirs_alike or not is_alike(self.sides(row), found, self.ground.sharing(row)):
            return None
        cause, numbers = self._told_at_length(row, self.sides(row)[found.side], found.place)
        return replace(found.observation, cause=cause, inputs=numbers)

    @cached_property
    def _stirring(self) -> frozenset[int]:
        """The rows of which a day may exceed: of most none does, and nothing more need be asked."""
        return self.judges.days.stirring(self.days[0].recent)

    def _told(self, row: int) -> tuple[Gates, tuple[Feedback, ...]]:
        """A key's gates, and what was said about it."""
        if not self.feedback:
            return self.rule.gates, ()
        key = self.ground.keys[row]
        gates = stricter(self.rule.gates, self.judges.raised[key])
        return gates, of_scope(self.feedback, key, self.view.as_of)

    def _falling(self) -> frozenset[int]:
        """The final days on which a fall is believed: no holidays, nor reading to be blamed for many keys' falls."""
        if self.rule.params.direction is AnomalyDirection.UP:
            return frozenset()
        judge = self.judges.days
        keys = [row for row, key in enumerate(self.ground.keys) if key.dimension is Dimension.API_KEY]
        return frozenset(
            place
            for place in range(judge.first, judge.settled + 1)
            if judge.panel.day(place) not in self.days_off and not judge.feed_is_suspect(keys, place)
        )

    @cached_property
    def days_off(self) -> Mapping[date, str]:
        return self.view.days_off()

    def _loudness(self, side: DaySide | HourSide, place: int) -> tuple[bool, int, float]:
        level, projected = side.level(place, self.judges.daily)
        return side.speaks(place), level.rank, projected

    def _exceeding(
        self, row: int, side: DaySide | HourSide, place: int, found: Mapping[DaySide | HourSide, int]
    ) -> Observation:
        key, read, falls = self.ground.keys[row], side.reading(place), side.falls(place)
        alone = self._stands_alone(key, side.speaks(place))
        first = {each: begun(each, at) for each, at in found.items()}
        starts = [each.start(at) for each, at in first.items()]
        on = min(starts).date()
        cost = max(impact(each, at) for each, at in first.items())
        divided = self._parts(row, side, place) if alone else None
        weighed = weight(side, found, cost, self._bars, self._seats(row, read.amount - read.expected, divided or ()))
        cause, numbers = self._told_at_length(row, side, place)
        return Observation(
            candidate=True,
            actual=read.amount,
            expected=read.expected,
            unit=side.unit,
            cause=cause,
            inputs=numbers,
            active_days=self._active_days(row, side, place),
            severity=weighed.severity,
            because=weighed.reason,
            days=(side.start(place).date(),),
            falls=falls,
            stands_alone=alone,
            calm=self._calm(row, late=self._is_about_a_day(row, found)),
            since=max(start for start in starts if start.date() == on),
            impact=cost,
            parts=divided,
            spent_inside=self._spent_inside(row, side, place, divided or ()),
            hour=_hour(side, place),
        )

    @property
    def _bars(self) -> Bars:
        own = self.rule.params
        asked = own.critical_speed, own.critical_spent, own.critical_percent_of_day, own.critical_hours
        return Bars(*asked, self.judges.daily)

    def _seats(self, row: int, excess: float, divided: Parts) -> list[Seat]:
        """The scope itself, and those inside it that explain most of its excess."""
        inside = [
            (self.ground.rows[key], part / excess) for key, part in divided if part >= CULPRIT_SHARE * abs(excess)
        ]
        today = self.judges.days.open_day
        return [
            Seat(share, self.ground.usual_day(at))
            for at, share in ((row, 1.0), *inside)
            if self.judges.days.active_days(at, today) >= SETTLED_DAYS
        ]

    def _latest(self, row: int) -> tuple[DaySide | HourSide, int]:
        """The last closed day that is told of it, or the last known hour."""
        side = self.sides(row)[0]
        if isinstance(side, DaySide):
            return side, min(side.recent[min(1, len(side.recent) - 1)], side.told)
        return side, side.recent[0]

    def _unringing(self, row: int, side: DaySide | HourSide, place: int) -> Observation:
        key, read = self.ground.keys[row], side.reading(place)
        objects = side.objects(place)
        return Observation(
            candidate=objects,
            actual=read.amount,
            expected=math.nan if math.isnan(read.amount) else read.expected,
            unit=side.unit,
            cause=short_cause(self._who(key), self._when(side, place), read, side.method(place), _batch(side, place)),
            inputs=inputs(read, side.method(place)) if key.dimension in self.levels else (),
            active_days=self._active_days(row, side, place),
            severity=side.level(place, self.judges.daily)[0] if objects else None,
            days=(side.start(place).date(),),
            falls=side.falls(place),
            stands_alone=self._stands_alone(key, side.speaks(place)),
            calm=self._calm(row, late=False),
            hour=_hour(side, place),
        )

    def _stands_alone(self, key: ScopeKey, steady: bool) -> bool:
        if key.dimension is Dimension.ORGANISATION:
            return key.dimension in self.levels
        return key.dimension in self.levels and bool(key.id) and steady

    def _calm(self, row: int, late: bool) -> Calm:
        days = lull(self.days[row], partial(self._is_hourly, row)) if self.days else None
        hours = lull(self.hours[row]) if self.hours else None
        return calm_of(days, hours, late, self._new_level(row), self._is_up(row))

    def _is_up(self, row: int) -> bool:
        """Asked of the organisation alone, in which all others lie."""
        return self.ground.keys[row] == ORGANISATION and is_up(self.sides(row)[-1])

    def _new_level(self, row: int) -> NewLevel | None:
        """The level that was accepted because it was held for a week: not the one that a person has spoken of."""
        found = self.judges.days.level(row)
        if found is None or restarts_on(self.feedback, self.ground.keys[row], self.view.as_of) == found.since:
            return None
        return NewLevel(found.since, midnight(found.accepted_on), found.before, found.after)

    def _is_about_a_day(self, row: int, found: Mapping[DaySide | HourSide, int]) -> bool:
        return any(isinstance(side, DaySide) and not self._is_hourly(row, place) for side, place in found.items())

    def _is_hourly(self, row: int, place: int) -> bool:
        """Whether an exceeding day is but the sum of exceeding hours."""
        if not self.hours:
            return False
        if (row, place) not in self.hourly:
            self.hourly[row, place] = lies_in_hours(self.days[row], place, self.hours[row])
        return self.hourly[row, place]

    def _parts(self, row: int, side: DaySide | HourSide, place: int) -> Parts:
        if isinstance(side, DaySide):
            return parts(self.ground, self.days, self.ground.day_rows, WEEK_OF_DAYS, row, place)
        side.judge.look_at(self.ground.sharing(row), [place])
        return parts(self.ground, self.hours, self.ground.hour_rows, WEEK_OF_HOURS, row, place)

    def _spent_inside(self, row: int, side: DaySide | HourSide, place: int, found: Parts) -> Parts:
        rows = self.ground.day_rows if isinstance(side, DaySide) else self.ground.hour_rows
        return spent_inside(self.ground, rows, found, row, place)

    def _told_at_length(
        self, row: int, side: DaySide | HourSide, place: int
    ) -> tuple[str, tuple[tuple[str, str], ...]]:
        name, read = self._who(self.ground.keys[row]), side.reading(place)
        numbers = inputs(read, side.method(place))
        if isinstance(side, DaySide):
            found = side.judge.explained(row, place)
            is_open = place == side.judge.open_day
            cause = day_cause(name, is_open, read, found, side.falls(place), self.days_off)
            return cause, (*numbers, *of_holiday(self.days_off.get(found.day)), *counted_days(found, self.days_off))
        start, judge = side.start(place), side.judge
        clock, holiday = judge.clock(row, place), self.view.locality.holiday_at(start)
        earlier = [(one, self.view.locality.holiday_at(one.start)) for one in judge.same_hours(row, place)]
        when, growth, before = between(start, holiday), judge.weekly_growth(row), judge.hour_before(row, place)
        extra, batch = judge.beyond(row, place), self._batch_of(row, start)
        cause = hour_cause(name, when, read, earlier, growth, extra, batch, before)
        compared = compared_by(clock, judge.lift(row), growth)
        return cause, (*numbers, *after_hour(before), *of_holiday(holiday), *compared, *counted_hours(earlier))

    def _batch_of(self, row: int, start: datetime) -> CalendarBatch | None:
        """The batch of a scope on an hour's day."""
        days = self.judges.days
        return days.batch(row, (start.date() - days.panel.first).days)

    def _active_days(self, row: int, side: DaySide | HourSide, place: int) -> int:
        """Days with spend before the judged one, or before the judged hour's day."""
        judge = self.judges.days
        at = place if isinstance(side, DaySide) else (side.start(place).date() - judge.panel.first).days
        return judge.active_days(row, min(max(at, 0), judge.open_day))

    def _who(self, key: ScopeKey) -> str:
        return who(self.view, self.rule.scope, key)

    def _when(self, side: DaySide | HourSide, place: int) -> str:
        if isinstance(side, HourSide):
            return between(side.start(place), self.view.locality.holiday_at(side.start(place)))
        day = side.judge.panel.day(place)
        return on_day(day, place == side.judge.open_day, self.days_off.get(day))


def _batch(side: DaySide | HourSide, place: int) -> CalendarBatch | None:
    return side.judge.batch(side.row, place) if isinstance(side, DaySide) else None


def _hour(side: DaySide | HourSide, place: int) -> datetime | None:
    return side.start(place) if isinstance(side, HourSide) else None
