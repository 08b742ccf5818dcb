"""`priority_tier`: Priority Tier tokens appear or grow. No cost row bills them, so only an estimate can tell."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated

from service.domain.rules import history, limits
from service.domain.rules.backtesting import FACTORS, Backtesting, Setting, own_figures
from service.domain.rules.feedback import NO_FEEDBACK, Feedback, counted, raised, stricter
from service.domain.rules.history import Row
from service.domain.rules.kind import KindWords, Lookback, RuleKind
from service.domain.rules.kinds.judged_days import naming_others, told_of
from service.domain.rules.rule import Gates, Observation, Rule
from service.domain.rules.view import SpendView
from service.domain.rules.wording import day, dollars, subject
from service.domain.values.money import ZERO, Money
from service.domain.values.parameters import Parameter
from service.domain.values.scopes import CELL_DIMENSIONS, Dimension, ScopeKey

TEN_DOLLARS = Money(Decimal(10))
UNIT = "estimated US dollars of Priority Tier a day"


ABOVE_MEDIAN = Parameter(
    "Above the median by, US dollars a day", "As estimated: no bill contains tokens of the Priority Tier."
)
MEDIAN_DAYS = Parameter("Days in the median", "How many whole UTC days before it is taken over.")


@dataclass(frozen=True, slots=True)
class PriorityTier:
    """`amount`: estimated dollars a day above the median of the `days` before."""

    amount: Annotated[Money, ABOVE_MEDIAN] = TEN_DOLLARS
    days: Annotated[int, MEDIAN_DAYS] = 28


def validate(rule: Rule[PriorityTier]) -> None:
    params = rule.params
    limits.above_zero(params.amount, "/params/amount")
    limits.window(params.days, "/params/days")


def observe(
    view: SpendView, rule: Rule[PriorityTier], feedback: Sequence[Feedback] = NO_FEEDBACK
) -> Mapping[ScopeKey, Observation]:
    """One observation per scope: of today once it exceeds, else of the closed day that does.

    `active_days` counts days of any use: without them nobody can say that the tier is new. Its amount is its gate of
    size, which answers raise.
    """
    dimension = rule.for_each or Dimension.ORGANISATION
    priority = view.series(dimension, rule.scope, lambda figures: figures.priority)
    used = view.series(dimension, rule.scope, lambda figures: figures.spend + figures.priority)
    places = [len(view.days) - 1, *view.closed_days]
    observations = {}
    for key, row in priority.items():
        usual = counted(row, view.days, feedback, key, view.as_of)
        noise = raised(feedback, key, view.as_of)
        needed, gates = float(rule.params.amount.usd) * (1 + noise), stricter(rule.gates, noise)
        seen = [
            _observation(view, rule, key, place, row, usual, needed, history.active_days(used[key], place))
            for place in places
        ]
        observations[key] = naming_others(told_of(seen, gates, seen[min(1, len(seen) - 1)]), seen, gates)
    return observations


def _observation(
    view: SpendView,
    rule: Rule[PriorityTier],
    key: ScopeKey,
    place: int,
    row: Row,
    usual: Row,
    needed: float,
    active_days: int,
) -> Observation:
    days = rule.params.days
    actual = history.known(row, place)
    expected = history.median_of([value for value in usual[max(0, place - days) : place] if value >= 0])
    return Observation(
        candidate=actual - expected >= needed,
        actual=actual,
        expected=expected,
        unit=UNIT,
        cause=_cause(subject(view, rule.scope, key), day(view.days[place]), days, actual, expected),
        inputs=(
            ("Priority Tier, estimated", dollars(actual)),
            (f"median of the {days} days before", dollars(expected)),
            ("fires from", dollars(expected + needed)),
        ),
        active_days=active_days,
        days=(view.days[place],),
    )


def _cause(who: str, when: str, days: int, actual: float, expected: float) -> str:
    if math.isnan(actual):
        return f"{who}: Priority Tier use on {when} is not known."
    if math.isnan(expected):
        return f"{who}: there is nothing to compare the Priority Tier use of {when} with yet."
    return (
        f"{who} used Priority Tier tokens worth an estimated {dollars(actual)} on {when}; the median of the {days} "
        f"days before is {dollars(expected)}. They are in no cost report."
    )


def amounts(rule: Rule[PriorityTier]) -> Iterable[Setting]:
    """The sweep: its own amount is its gate of size."""
    for factor in FACTORS:
        amount = rule.params.amount * factor
        changed = replace(rule, params=replace(rule.params, amount=amount))
        yield Setting(f"amount {amount.in_full()}", factor == 1, changed)


KIND = RuleKind(
    name="priority_tier",
    title="Priority Tier",
    description="Priority Tier tokens, which no cost report contains, appear or grow.",
    params=PriorityTier,
    observe=observe,
    validate=validate,
    for_each=CELL_DIMENSIONS,
    gates=Gates(min_amount=ZERO, min_percent=Decimal(0), min_active_days=3),
    lookback=lambda params: Lookback({"days": params.days}),
    words=KindWords("{who}: {spent} of Priority Tier {when} (estimated), {usual}"),
    backtesting=Backtesting(sweep=amounts, dimensions=own_figures),
)
