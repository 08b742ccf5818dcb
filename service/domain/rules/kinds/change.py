"""`change`: spend of a day against an earlier day, or against a mean or median of earlier days."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Annotated

from service.domain.detectors.arrays import Flags, Floats
from service.domain.detectors.columns import with_gaps
from service.domain.detectors.comparison import Centre, may_fall, may_rise, usual_amount
from service.domain.rules import history, limits
from service.domain.rules.backtesting import Backtesting, own_figures
from service.domain.rules.feedback import NO_FEEDBACK, Feedback, counted, raised, stricter
from service.domain.rules.gates import exceeds
from service.domain.rules.history import Row
from service.domain.rules.kind import BACK_TO_NORMAL, KindWords, Lookback, RuleKind
from service.domain.rules.kinds.judged_days import naming_others, told_of
from service.domain.rules.member_days import MemberDays, member_days
from service.domain.rules.planned import extras
from service.domain.rules.rule import DOLLARS_A_DAY, Gates, Observation, Rule
from service.domain.rules.verdicts import Observations
from service.domain.rules.view import SpendView
from service.domain.rules.wording import day, dollars, percent, subject
from service.domain.values.errors import Invalid
from service.domain.values.parameters import Parameter
from service.domain.values.scopes import Dimension, ScopeKey


class Against(StrEnum):
    PREVIOUS_DAY = "previous_day"
    SAME_WEEKDAY = "same_weekday"
    TRAILING_MEAN = "trailing_mean"
    TRAILING_MEDIAN = "trailing_median"


class Direction(StrEnum):
    UP = "up"
    DOWN = "down"
    BOTH = "both"


COMPARED_WITH = Parameter(
    "Compared with",
    "What a day's spend is held against.",
    {
        Against.PREVIOUS_DAY: "the day before",
        Against.SAME_WEEKDAY: "the same weekday, a week before",
        Against.TRAILING_MEAN: "the mean of the days before",
        Against.TRAILING_MEDIAN: "the median of the days before",
    },
)
COMPARED_DAYS = Parameter(
    "Days in the mean or median", "How many whole UTC days before it is taken over. The single days do not look at it."
)
FIRES_WHEN = Parameter(
    "Fires when spend",
    "",
    {Direction.UP: "rises", Direction.DOWN: "falls", Direction.BOTH: "rises or falls"},
)


@dataclass(frozen=True, slots=True)
class Change:
    """`days` is the length of the trailing window; the two single days do not look at it."""

    against: Annotated[Against, COMPARED_WITH] = Against.SAME_WEEKDAY
    days: Annotated[int, COMPARED_DAYS] = 28
    direction: Annotated[Direction, FIRES_WHEN] = Direction.UP


def validate(rule: Rule[Change]) -> None:
    limits.window(rule.params.days, "/params/days")
    if rule.params.direction is Direction.DOWN and rule.gates.min_percent > 100:
        raise Invalid("never fires: spend falls by 100 percent at most", "/gates/min_percent")


def observe(
    view: SpendView, rule: Rule[Change], feedback: Sequence[Feedback] = NO_FEEDBACK
) -> Mapping[ScopeKey, Observation]:
    """One observation per scope: of today once it exceeds or is about to, else of the closed day that does.

    A partial day can only be called too high, and a day that is not settled can only be called too high, too: what is
    missing may still come. Of actors and products, which nothing but the bill names, days that are not settled say
    nothing as long as they are low.
    """
    days = _Days.of(view, rule, feedback)
    return Observations(days.spent, days.objecting(), lambda key: days.series(key).observation())


def exceeding(view: SpendView, rule: Rule[Change]) -> frozenset[ScopeKey]:
    """The scopes of which a day exceeds the gates of size: no others can fire, be it later, once they have held."""
    days = _Days.of(view, rule, NO_FEEDBACK)
    return frozenset(key for key in days.objecting() if days.series(key).exceeds())


@dataclass(frozen=True)
class _Days:
    """Every scope's days. `announced`: planned extra dollars of the scopes that have any. `off`: the holidays."""

    view: SpendView
    rule: Rule[Change]
    feedback: Sequence[Feedback]
    spent: MemberDays
    announced: Mapping[ScopeKey, Row]
    off: Mapping[date, str]

    @classmethod
    def of(cls, view: SpendView, rule: Rule[Change], feedback: Sequence[Feedback]) -> _Days:
        dimension = rule.for_each or Dimension.ORGANISATION
        announced = extras(view.planned, view.members(dimension, rule.scope), view.days) if view.planned else {}
        return cls(view, rule, feedback, member_days(view, dimension, rule.scope), announced, view.days_off())

    def series(self, key: ScopeKey) -> _Series:
        nothing = [0.0] * len(self.view.days)
        announced = self.announced.get(key, nothing)
        return _Series(self.view, self.rule, key, self.spent[key], announced, self.feedback, self.off)

    def objecting(self) -> list[ScopeKey]:
        """The scopes of which a day may be objected to, and those that have plans or answers of their own."""
        differs = [self._may_differ(place, falls) for place, falls in judgeable(self.view, self.rule)]
        apart = {*self.announced, *(said.scope for said in self.feedback)}
        flags = zip(self.spent, *(each.tolist() for each in differs), strict=True)
        return [key for key, *may in flags if any(may) or key in apart]

    def _may_differ(self, place: int, falls: bool) -> Flags:
        params, amounts = self.rule.params, self.spent.amounts
        centre = Centre.MEDIAN if params.against is Against.TRAILING_MEDIAN else Centre.MEAN
        days = compared_days(params, self.view.days, self.off, place)
        usual = usual_amount(self._working, days.stop, days.start, centre)
        return (may_fall if falls else may_rise)(amounts, place, usual)

    @cached_property
    def _working(self) -> Floats:
        """The amounts without those of holidays."""
        return with_gaps(self.spent.amounts, [(day - self.view.days[0]).days for day in self.off])


def judgeable(view: SpendView, rule: Rule[Change]) -> list[tuple[int, bool]]:
    """(place, whether a fall is looked for), most urgent first; never empty."""
    direction, closed = rule.params.direction, view.closed
    rises = [(len(view.days) - 1, False)]
    if closed is not None:
        oldest = min(view.closed_days[-1], view.last_told(rule.grain))
        rises += [(place, False) for place in range(closed, oldest - 1, -1)]
    falls = [(place, True) for place in _settled_days(view) if view.days[place] not in view.days_off()]
    chosen = {Direction.UP: rises, Direction.DOWN: falls, Direction.BOTH: rises + falls}
    return chosen[direction] or rises


def _settled_days(view: SpendView) -> range:
    """The places of the settled days that are judged, newest first."""
    settled = view.settled
    return range(0) if settled is None else range(settled, min(settled, view.closed_days[-1]) - 1, -1)


def compared_days(params: Change, days: Sequence[date], off: Collection[date], place: int) -> range:
    """The places of the days that a day is compared with; a single one is the last of its kind that is no holiday."""
    back = _DAYS_BACK.get(params.against)
    if back is None:
        return range(max(0, place - params.days), place)
    at = place - back
    while at >= 0 and days[at] in off:
        at -= back
    return range(max(0, at), max(0, at + 1))


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One day's figures, before they are put into words. `usual`: what it is compared with, plans left out."""

    place: int
    usual: float
    seen: Observation


@dataclass(frozen=True, slots=True)
class _Series:
    """One scope's days. `announced`: planned extra dollars, which are in no baseline and in every expectation.

    `off`: the holidays, which say nothing of what is usual.
    """

    view: SpendView
    rule: Rule[Change]
    key: ScopeKey
    row: Row
    announced: Row
    feedback: Sequence[Feedback]
    off: Mapping[date, str]

    def observation(self) -> Observation:
        attempts = [self._judged(place, falls) for place, falls in self._judgeable]
        last = min(len(self.row) - 2, self.view.last_told(self.rule.grain))
        usual = next((one for one in attempts if one.place <= last), attempts[0])
        seen = [one.seen for one in attempts]
        told = told_of(seen, self._gates, usual.seen)
        return naming_others(self._told_at_length(attempts[seen.index(told)]), seen, self._gates)

    def exceeds(self) -> bool:
        return any(exceeds(self._judged(place, falls).seen, self._gates) for place, falls in self._judgeable)

    @property
    def _gates(self) -> Gates:
        if not self.feedback:
            return self.rule.gates
        return stricter(self.rule.gates, raised(self.feedback, self.key, self.view.as_of))

    @property
    def _judgeable(self) -> list[tuple[int, bool]]:
        return judgeable(self.view, self.rule)

    def _judged(self, place: int, falls: bool) -> _Attempt:
        usual = self._usual(place)
        actual, expected = history.known(self.row, place), usual + self.announced[place] * (not falls)
        down_only = self.rule.params.direction is Direction.DOWN
        fell = falls and actual < expected and not self._falls_back(place, actual)
        rose = not falls and not down_only and actual > expected
        seen = Observation(
            candidate=fell or rose,
            actual=actual,
            expected=expected,
            unit=DOLLARS_A_DAY,
            cause="",
            inputs=(),
            active_days=0,
            days=(self.view.days[place],),
            falls=falls or down_only,
        )
        return _Attempt(place, usual, seen)

    def _falls_back(self, place: int, actual: float) -> bool:
        """Whether it is but back from a rise: what it is compared with was one, or a mean that one has lifted.

        The end of an incident is no news, unless there is less by now than before the incident.
        """
        if self.rule.params.against is Against.TRAILING_MEAN:
            before = history.median_of(history.before(self._counted, place, self.rule.params.days))
            return not self._differs(actual, before, falls=True)
        days = self._compared(place)
        if self.rule.params.against is Against.TRAILING_MEDIAN or not days:
            return False
        before = self._usual(days.start)
        rose = self._differs(history.known(self.row, days.start), before, falls=False)
        return rose and not self._differs(actual, before, falls=True)

    def _compared(self, place: int) -> range:
        return compared_days(self.rule.params, self.view.days, self.off, place)

    def _differs(self, actual: float, expected: float, *, falls: bool) -> bool:
        """Whether a day differs from another by enough for the gates of size; never where one is not known."""
        seen = Observation(True, actual, expected, DOLLARS_A_DAY, "", (), 0, falls=falls)
        return not math.isnan(seen.excess) and exceeds(seen, self._gates)

    def _told_at_length(self, attempt: _Attempt) -> Observation:
        place, seen = attempt.place, attempt.seen
        return replace(
            seen,
            cause=self._cause(place, seen.actual, seen.expected),
            inputs=self._inputs(place, attempt.usual),
            active_days=history.active_days(self.row, place),
        )

    def _usual(self, place: int) -> float:
        days = self._compared(place)
        earlier = history.before(self._counted, days.stop, len(days))
        is_median = self.rule.params.against is Against.TRAILING_MEDIAN
        return history.median_of(earlier) if is_median else history.mean_of(earlier)

    @property
    def _counted(self) -> Row:
        """The row that says what is usual: as it is, where nothing was announced or answered."""
        row = self.row
        if any(self.announced):
            row = [_less(value, extra) for value, extra in zip(row, self.announced, strict=True)]
        if self.off:
            row = [math.nan if on in self.off else value for on, value in zip(self.view.days, row, strict=True)]
        if self.feedback:
            row = counted(row, self.view.days, self.feedback, self.key, self.view.as_of)
        return row

    def _cause(self, place: int, actual: float, expected: float) -> str:
        who, when = subject(self.view, self.rule.scope, self.key), self._named(self.view.days[place])
        if math.isnan(actual):
            return f"{who}: what was spent on {when} is not known."
        so_far = " so far" if place == len(self.row) - 1 else ""
        spent = f"{who} spent {dollars(actual)} on {when}{so_far}"
        if math.isnan(expected):
            return f"{spent}; there is nothing to compare it with yet."
        compared = f"{_compared(actual, expected)} {self._reference(place)}"
        return f"{spent}, {compared} ({dollars(expected)}{self._with_plans(place)})."

    def _named(self, on: date) -> str:
        return f"{day(on)} ({self.off[on]})" if on in self.off else day(on)

    def _reference(self, place: int) -> str:
        """The days that it is compared with, in words: those that holidays have moved by their distance."""
        params, back = self.rule.params, _DAYS_BACK.get(self.rule.params.against)
        if back is None:
            named = _NAMES[params.against].format(days=params.days)
            return f"{named}, holidays left out" if self._left_out(place) else named
        ago = (place - self._compared(place).start) // back
        return _NAMES[params.against] if ago == 1 else _NAMES_FURTHER_BACK[params.against].format(ago=ago)

    def _left_out(self, place: int) -> list[date]:
        """The holidays that it would be compared with, were they ordinary days."""
        days = self._compared(place)
        back = _DAYS_BACK.get(self.rule.params.against)
        places = days if back is None else range(place - back, days.start, -back)
        return [on for on in (self.view.days[at] for at in places) if on in self.off]

    def _with_plans(self, place: int) -> str:
        extra = self.announced[place]
        return f", of which {dollars(extra)} planned" if extra else ""

    def _inputs(self, place: int, usual: float) -> tuple[tuple[str, str], ...]:
        announced = self.announced[place]
        return (
            ("spent", dollars(history.known(self.row, place))),
            (self._reference(place), dollars(usual)),
            *((day(on), f"{self.off[on]}, left out") for on in self._left_out(place)),
            *((("planned extra", dollars(announced)),) if announced else ()),
        )


_DAYS_BACK = {Against.PREVIOUS_DAY: 1, Against.SAME_WEEKDAY: 7}
_NAMES = {
    Against.PREVIOUS_DAY: "the day before",
    Against.SAME_WEEKDAY: "the same day a week earlier",
    Against.TRAILING_MEAN: "the mean of the {days} days before",
    Against.TRAILING_MEDIAN: "the median of the {days} days before",
}
_NAMES_FURTHER_BACK = {
    Against.PREVIOUS_DAY: "the day {ago} days earlier",
    Against.SAME_WEEKDAY: "the same day {ago} weeks earlier",
}


def _less(value: float, extra: float) -> float:
    """A day without what was planned for it; credits and unknown days stay what they are."""
    return max(value - extra, 0.0) if value >= 0 else value


def _compared(actual: float, expected: float) -> str:
    if actual == expected:
        return "as much as"
    word = "more than" if actual > expected else "less than"
    share = f"{percent(abs(actual - expected) / expected * 100)} " if expected > 0 else ""
    return f"{share}{word}"


KIND = RuleKind(
    name="change",
    title="Change of daily spend",
    description="A day's spend differs from the day before, the same day last week, or a trailing mean or median.",
    params=Change,
    observe=observe,
    validate=validate,
    gates=Gates(min_active_days=7),
    lookback=lambda params: Lookback({"days": params.days}),
    words=KindWords(over=BACK_TO_NORMAL),
    backtesting=Backtesting(dimensions=own_figures, exceeding=exceeding),
    expects_planned=True,
)
