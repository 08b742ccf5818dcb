"""A made-up rule kind: its module by the recipe of ARCHITECTURE.md, and its line in the registry for a while."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from service.domain.rules import history, limits
from service.domain.rules.feedback import Feedback
from service.domain.rules.kind import KindWords, Lookback, RuleKind
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import DOLLARS, Observation, Rule
from service.domain.rules.view import SpendView
from service.domain.rules.wording import dollars, subject
from service.domain.values.scopes import Dimension, ScopeKey

HOURS_OF_DAY = 24


@dataclass(frozen=True, slots=True)
class Pace:
    """The last `short_hours` are compared with the mean hour of the `long_days` before today."""

    long_days: int = 300
    short_hours: int = 6


def validate(rule: Rule[Pace]) -> None:
    limits.window(rule.params.long_days, "/params/long_days")
    limits.count(rule.params.short_hours, "/params/short_hours")


def observe(view: SpendView, rule: Rule[Pace], feedback: Sequence[Feedback]) -> Mapping[ScopeKey, Observation]:
    """One observation for each scope; none where no hours are known."""
    if view.hours is None:
        return {}
    dimension, params = rule.for_each or Dimension.ORGANISATION, rule.params
    rows = view.series(dimension, rule.scope, lambda figures: figures.spend)
    observations = {}
    for key, cells in view.members(dimension, rule.scope).items():
        before = rows[key][:-1][-params.long_days :]
        usual = history.total(before) / params.long_days * params.short_hours / HOURS_OF_DAY
        spent = math.fsum(sum(view.hours.cells.get(cell, ())) for cell in cells)
        who, read = subject(view, rule.scope, key), len(view.hours.known)
        observations[key] = Observation(
            candidate=spent > usual,
            actual=spent,
            expected=usual,
            unit=DOLLARS,
            cause=f"{who} spent {dollars(spent)} in {read} hours; {dollars(usual)} is its pace of {len(before)} days.",
            inputs=(),
            active_days=history.active_days(rows[key], len(before)),
            days=(view.today,),
        )
    return observations


KIND = RuleKind(
    name="faster_pace",
    title="Faster pace",
    description="The last hours cost more than the hours of the last months.",
    params=Pace,
    observe=observe,
    validate=validate,
    lookback=lambda params: Lookback({"long_days": params.long_days}, hours=params.short_hours),
    words=KindWords("{who} spends faster than ever: {spent} {when}"),
)


@contextmanager
def registered(kind: RuleKind[object]) -> Iterator[None]:
    """What the kind's line in the registry does, until the block ends."""
    KINDS[kind.name] = kind
    try:
        yield
    finally:
        del KINDS[kind.name]
