"""`claude_code`: a person's estimated cost of Claude Code crosses a limit, or a day of it is far above the usual.

The dollars are estimates of the vendor's report, and no spend beside the bill: everything that is said of them says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from service.domain.rules import history, limits
from service.domain.rules.feedback import NO_FEEDBACK, Feedback, counted, raised, stricter
from service.domain.rules.gates import exceeds
from service.domain.rules.kind import KindWords, RuleKind
from service.domain.rules.rule import DOLLARS, Gates, Observation, Rule
from service.domain.rules.view import SpendView
from service.domain.rules.wording import day, dollars, subject
from service.domain.spend.claude_code import MARK, ClaudeCodeDay, by_actor
from service.domain.spend.lateness import MOST_LATE_DAYS
from service.domain.values.errors import Invalid
from service.domain.values.money import ZERO, Money
from service.domain.values.parameters import Parameter
from service.domain.values.scopes import EVERYTHING, Dimension, ScopeKey
from service.domain.values.utc import DAY

UNIT = f"{DOLLARS}, {MARK}"
USUAL_DAYS = 28
"""Before the judged day: its active days say what is usual of a person."""
FILLS_UP = timedelta(hours=3)
"""How long after its end a day may lack use: the report is an hour late, and read hourly."""
REACH = 31 + MOST_LATE_DAYS
"""Days before today: the longest month, and the usual days before a full one, be it read late."""
MOST_TIMES = Decimal(1000)


class RunningPeriod(StrEnum):
    """A UTC calendar period, which runs. Weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def start(self, today: date) -> date:
        """The first day of the period that a day lies in."""
        if self is RunningPeriod.MONTH:
            return today.replace(day=1)
        return today - today.weekday() * DAY if self is RunningPeriod.WEEK else today


LIMIT = Parameter(
    "Limit of each person, US dollars", "It fires as soon as the running period costs a person more, as estimated."
)
LIMIT_PERIOD = Parameter(
    "The limit is for a",
    "A calendar period of UTC. Weeks begin on Monday.",
    {one.value: one.value for one in RunningPeriod},
)
TIMES = Parameter(
    "Or times a usual day",
    "It fires where a full day costs a person at least so many times the median day.",
)


@dataclass(frozen=True, slots=True)
class ClaudeCodeCost:
    """Above `amount` US dollars in the running `period`; a full day of at least `times` the median of the active ones.

    None: that one is not asked.
    """

    amount: Annotated[Money | None, LIMIT] = None
    period: Annotated[RunningPeriod, LIMIT_PERIOD] = RunningPeriod.MONTH
    times: Annotated[Decimal | None, TIMES] = Decimal(3)


def validate(rule: Rule[ClaudeCodeCost]) -> None:
    params = rule.params
    if params.amount is None and params.times is None:
        raise Invalid("give amount, times or both", "/params/amount")
    if params.amount is not None:
        limits.above_zero(params.amount, "/params/amount")
    if params.times is not None and not (params.times.is_finite() and 1 < params.times <= MOST_TIMES):
        raise Invalid(f"must be above 1 and at most {MOST_TIMES}, not {params.times}", "/params/times")
    if params.amount is None and rule.gates.min_active_days > USUAL_DAYS:
        raise Invalid(f"never fires by times, which look at {USUAL_DAYS} days before", "/gates/min_active_days")
    if rule.scope != EVERYTHING:
        raise Invalid("every person is judged alone: leave the scope empty", "/scope")


def observe(
    view: SpendView, rule: Rule[ClaudeCodeCost], feedback: Sequence[Feedback] = NO_FEEDBACK
) -> Mapping[ScopeKey, Observation]:
    """One observation of each person of whom any use is known: what exceeds, else what only gates hold back.

    Nobody is judged where the source tells no people, or at a past instant: of these days no version is kept.
    """
    today = view.today
    known = {one.day: dict(_costs(one)) for one in view.claude_code if one.day <= today}
    observations = {}
    for actor in sorted({actor for costs in known.values() for actor in costs}):
        key = ScopeKey(Dimension.ACTOR, actor)
        person = _Person(view, rule, key, {on: costs.get(actor, ZERO) for on, costs in known.items()}, feedback)
        gates = stricter(rule.gates, raised(feedback, key, view.as_of))
        observations[key] = max(person.seen(), key=lambda one: _urgency(one, gates))
    return observations


def _urgency(seen: Observation, gates: Gates) -> tuple[bool, bool, bool]:
    return exceeds(seen, gates), seen.candidate, math.isnan(seen.actual)


def _costs(one: ClaudeCodeDay) -> Iterator[tuple[str, Money]]:
    """The estimated dollars of every known person's day."""
    totals: dict[str, Money] = {}
    for actor, activity in by_actor(one):
        totals[actor] = totals.get(actor, ZERO) + activity.cost
    return ((actor, cost) for actor, cost in totals.items() if actor)


@dataclass(frozen=True, slots=True)
class _Person:
    """`costs`: estimated dollars by each day that was read."""

    view: SpendView
    rule: Rule[ClaudeCodeCost]
    key: ScopeKey
    costs: Mapping[date, Money]
    feedback: Sequence[Feedback]

    def seen(self) -> Iterator[Observation]:
        params = self.rule.params
        if params.amount is not None:
            for last in self._last_days(params.period):
                yield self._period(params.amount, params.period, last)
        if params.times is not None:
            for judged in dict.fromkeys((self._filled - DAY, *self._late_days)):
                yield self._full_day(params.times, judged)

    def _last_days(self, period: RunningPeriod) -> Iterator[date]:
        """Today, and the last day of each period that has ended and was not told whole before.

        That is yesterday while it fills up, and any that was read late.
        """
        yield self.view.today
        for last in dict.fromkeys((self._filled, *self._late_days)):
            if last < self.view.today and period.start(last) != period.start(last + DAY):
                yield last

    @property
    def _filled(self) -> date:
        """Today, once yesterday has filled up; else yesterday."""
        return (self.view.as_of - FILLS_UP).date()

    @property
    def _late_days(self) -> list[date]:
        """The full days that were read late, newest first."""
        return [self.view.days[place] for place in self.view.closed_days[1:]]

    def _period(self, amount: Money, period: RunningPeriod, last: date) -> Observation:
        start = period.start(last)
        days = tuple(start + place * DAY for place in range((last - start).days + 1))
        cost = sum((self.costs.get(one, ZERO) for one in days), ZERO)
        spent = float(cost.usd)
        return Observation(
            candidate=cost > amount,
            actual=spent,
            expected=float(amount.usd),
            unit=UNIT,
            cause=f"{self._who} used Claude Code for {dollars(spent)} ({MARK}) in the {period} that began on"
            f" {day(start)}; the limit is {amount.display()} a {period}.",
            inputs=((f"this {period}, {MARK}", dollars(spent)), (f"limit a {period}", amount.display())),
            active_days=sum(1 for one in self.costs.values() if one > ZERO),
            days=days,
            limit_set=True,
        )

    def _full_day(self, times: Decimal, judged: date) -> Observation:
        actual = float(self.costs[judged].usd) if judged in self.costs else math.nan
        usual = self._usual(judged)
        middle = history.median_of(usual)
        limit = middle * float(times)
        return Observation(
            candidate=actual >= limit,
            actual=actual,
            expected=limit,
            unit=UNIT,
            cause=self._cause(judged, actual, middle, times),
            inputs=(
                (f"the day, {MARK}", dollars(actual)),
                (f"median of the {len(usual)} active days of the {USUAL_DAYS} before", dollars(middle)),
                (f"limit, {times.normalize():f} times the median", dollars(limit)),
            ),
            active_days=len(usual),
            days=(judged,),
        )

    def _usual(self, judged: date) -> list[float]:
        """The dollars of the active days before, without those that people have said to be none of the usual."""
        days = [one for one in sorted(self.costs) if judged - USUAL_DAYS * DAY <= one < judged]
        row = [float(self.costs[one].usd) for one in days]
        return [cost for cost in counted(row, days, self.feedback, self.key, self.view.as_of) if cost > 0]

    def _cause(self, judged: date, actual: float, middle: float, times: Decimal) -> str:
        if math.isnan(actual):
            return f"{self._who}: the cost of {day(judged)}, {MARK}, is not known."
        used = f"{self._who} used Claude Code for {dollars(actual)} ({MARK}) on {day(judged)}"
        if math.isnan(middle):
            return f"{used}; there is no active day in the {USUAL_DAYS} before to compare it with."
        factor = f"{times.normalize():f}"
        return f"{used}; the median of the active days before is {dollars(middle)}, and the limit {factor} times that."

    @property
    def _who(self) -> str:
        return subject(self.view, self.rule.scope, self.key)


KIND = RuleKind(
    name="claude_code",
    title="Claude Code by person",
    description=f"A person's cost of Claude Code, {MARK}, crosses a limit or is far above that person's usual.",
    params=ClaudeCodeCost,
    observe=observe,
    validate=validate,
    gates=Gates(min_percent=Decimal(0), min_active_days=5),
    for_each=(),
    words=KindWords(
        headline=f"{{who}}: {{spent}} {{when}}, {{excess}} above the limit, {MARK}",
        over=f"{{who}} was within the limit again, {MARK}",
        next_step="Find out what {who} did with Claude Code, then acknowledge.",
        normal="the limit",
        remark=MARK,
    ),
    claude_code_days=REACH,
)
