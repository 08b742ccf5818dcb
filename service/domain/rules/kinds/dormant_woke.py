"""`dormant_woke`: something that had spent nothing for a while spends again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from service.domain.rules import history, limits
from service.domain.rules.backtesting import Backtesting, own_figures
from service.domain.rules.feedback import NO_FEEDBACK, Feedback
from service.domain.rules.history import Row
from service.domain.rules.kind import KindWords, Lookback, RuleKind
from service.domain.rules.kinds.beginnings import Beginning, check_wait, named
from service.domain.rules.planned import extras
from service.domain.rules.rule import Gates, Observation, Rule
from service.domain.rules.view import SpendView
from service.domain.rules.wording import days
from service.domain.values.parameters import Parameter
from service.domain.values.scopes import Dimension, ScopeKey

IDLE_DAYS = Parameter("Days without spend", "How many in a row make something dormant.")
WOKEN_DAYS = Parameter("Days that it counts as just woken", "For so many, today included, its spend fires.")


@dataclass(frozen=True, slots=True)
class DormantWoke:
    """`idle_days` without spend make it dormant; `within_days`, today included, it counts as just woken."""

    idle_days: Annotated[int, IDLE_DAYS] = 14
    within_days: Annotated[int, WOKEN_DAYS] = 7


def validate(rule: Rule[DormantWoke]) -> None:
    params = rule.params
    limits.window(params.idle_days, "/params/idle_days")
    limits.window(params.within_days, "/params/within_days")
    check_wait(rule.gates, params.within_days, "what woke fires")


def observe(
    view: SpendView, rule: Rule[DormantWoke], feedback: Sequence[Feedback] = NO_FEEDBACK
) -> Mapping[ScopeKey, Observation]:
    """One observation per scope that has spent. Its amount is all that it has spent since it woke."""
    dimension, params = rule.for_each or Dimension.ORGANISATION, rule.params
    announced = extras(view.planned, view.members(dimension, rule.scope), view.days)
    observations = {}
    for key, row in named(view.series(dimension, rule.scope, lambda figures: figures.spend)).items():
        if history.begins(row) == len(row):
            continue
        place, idle = last_waking(row, params.idle_days)
        woken = Beginning(view, rule.scope, key, row, place, view.last_told(rule.grain))
        active = history.active_days(row, place)
        observations[key] = (
            woken.news(f"it had been idle for {days(idle)} before", active, announced)
            if idle and woken.is_news(params.within_days, feedback)
            else woken.usual(f"it has not been idle for {days(params.idle_days)} since", active)
        )
    return observations


def last_waking(row: Row, idle_days: int) -> tuple[int, int]:
    """The place of the last spend after `idle_days` known days without, and how many they were.

    Where it never slept that long: the place of its first spend, and 0. An unknown day and a credit are
    no idle days, and no spend either.
    """
    found, idle = (history.begins(row), 0), 0
    for place in range(found[0], len(row)):
        if row[place] > 0:
            found = (place, idle) if idle >= idle_days else found
            idle = 0
        elif row[place] == 0:
            idle += 1
    return found


KIND = RuleKind(
    name="dormant_woke",
    title="Dormant, woke up",
    description="Something that had spent nothing for days spends again.",
    params=DormantWoke,
    observe=observe,
    validate=validate,
    gates=Gates(min_percent=Decimal(0), min_active_days=1),
    lookback=lambda params: Lookback({"idle_days": params.idle_days, "within_days": params.within_days}, ever=True),
    words=KindWords("{who} spends again after a pause: {spent} {when}"),
    backtesting=Backtesting(dimensions=own_figures),
    expects_planned=True,
)
